import type { Issue } from "../../errors.ts";
import type { DistributionMajor } from "./major.ts";
import { type ConfigMap, isGiven, isMap, mapAt, type Rule, valueAt } from "./rule.ts";

export const SECTION_RULES: readonly Rule[] = [
  authByName,
  oneAuth,
  upstreamPath,
  upstreamDescriptorCache,
  upstreamEviction,
  redisCertificatePair,
  middlewareDisabled,
  middlewareOptions,
];

const MIDDLEWARE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  cloudfront: ["baseurl", "privatekey", "keypairid"],
  redirect: ["baseurl"],
  alicdn: ["baseurl"],
};

function authByName(config: ConfigMap): readonly Issue[] {
  if (typeof config.auth !== "string") return [];
  const message = "should be a map of keys, with the kind as a key";
  return [{ path: "auth", message, hint: `write auth: {${config.auth}: {}}` }];
}

function oneAuth(config: ConfigMap): readonly Issue[] {
  const auth = mapAt(config, "auth") ?? {};
  const kinds = ["none", "silly", "htpasswd", "token"].filter((kind) => Object.hasOwn(auth, kind));
  if (kinds.length < 2) return [];
  const message = `names ${kinds.length} kinds (${kinds.join(", ")}): the registry picks one at random at each start`;
  return [{ path: "auth", message, hint: "keep exactly one" }];
}

function upstreamPath(config: ConfigMap): readonly Issue[] {
  const remote = valueAt(config, "proxy.remoteurl");
  if (typeof remote !== "string" || !/\/v2\/?$/.test(remote)) return [];
  const hint = `write ${remote.replace(/\/v2\/?$/, "")}`;
  return [{ path: "proxy.remoteurl", message: "should not end in /v2: every pull would answer 404", hint }];
}

// https://github.com/distribution/distribution/issues/2367
function upstreamDescriptorCache(config: ConfigMap): readonly Issue[] {
  if (!isGiven(valueAt(config, "proxy.remoteurl"))) return [];
  const path = "storage.cache.blobdescriptor";
  if (!isGiven(valueAt(config, path))) return [];
  const message = "should be left out with proxy.remoteurl: evicted blobs would be served truncated";
  return [{ path, message, hint: "remove storage.cache" }];
}

function upstreamEviction(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const proxy = mapAt(config, "proxy");
  const path = "storage.delete.enabled";
  const keepsForEver = major === 3 && (proxy?.ttl === 0 || proxy?.ttl === "0" || proxy?.ttl === "0s");
  if (!isGiven(proxy?.remoteurl) || keepsForEver || valueAt(config, path) !== false) return [];
  const message = "should be true with proxy.remoteurl: otherwise expired content stays on disk for ever";
  return [{ path, message, hint: "write storage.delete: {enabled: true}" }];
}

function redisCertificatePair(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const tls = mapAt(config, "redis.tls");
  if (major !== 3 || !tls || isGiven(tls.certificate) === isGiven(tls.key)) return [];
  const missing = isGiven(tls.certificate) ? "key" : "certificate";
  return [{ path: `redis.tls.${missing}`, message: "is missing: certificate and key go together" }];
}

function middlewareDisabled(config: ConfigMap): readonly Issue[] {
  return middlewares(config)
    .filter(({ entry }) => entry.disabled === true)
    .map(({ path }) => {
      const message = "is not evaluated by the registry: the middleware would stay on";
      return { path: `${path}.disabled`, message, hint: "remove the whole entry instead" };
    });
}

function middlewareOptions(config: ConfigMap): readonly Issue[] {
  return middlewares(config).flatMap(({ path, entry }) => {
    const name = path.startsWith("middleware.storage[") ? String(entry.name) : "";
    const options = isMap(entry.options) ? entry.options : {};
    return (MIDDLEWARE_OPTIONS[name] ?? [])
      .filter((option) => !isGiven(options[option]))
      .map((option) => ({ path: `${path}.options.${option}`, message: `is required by ${name}` }));
  });
}

function middlewares(config: ConfigMap): readonly { readonly path: string; readonly entry: ConfigMap }[] {
  return ["registry", "repository", "storage"].flatMap((kind) => {
    const list = valueAt(config, `middleware.${kind}`);
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry: unknown, index) =>
      isMap(entry) ? [{ path: `middleware.${kind}[${index}]`, entry }] : [],
    );
  });
}
