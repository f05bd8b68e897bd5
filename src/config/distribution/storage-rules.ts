import type { Issue } from "../../errors.ts";
import type { DistributionMajor } from "./major.ts";
import { type ConfigMap, isGiven, isMap, mapAt, type Rule, valueAt } from "./rule.ts";
import { STORAGE_DRIVERS } from "./storage.ts";

const REQUIRED: Readonly<Record<DistributionMajor, Readonly<Record<string, readonly string[]>>>> = {
  2: {
    s3: ["region", "bucket"],
    gcs: ["bucket"],
    azure: ["accountname", "accountkey", "container"],
    swift: ["username", "password", "authurl", "container"],
    oss: ["accesskeyid", "accesskeysecret", "region", "bucket"],
  },
  3: { s3: ["region", "bucket"], gcs: ["bucket"], azure: ["accountname", "container"] },
};

export const STORAGE_RULES: readonly Rule[] = [
  driverByName,
  oneDriver,
  requiredParameters,
  s3PathStyle,
  azureCredentials,
  purgingComplete,
  readOnlyMap,
  redisForCache,
  cacheSize,
];

function driverByName(config: ConfigMap): readonly Issue[] {
  const { storage } = config;
  if (typeof storage !== "string") return [];
  const issue = { path: "storage", message: "should be a map of keys, with the driver as a key" };
  return [{ ...issue, hint: `write storage: {${storage}: {}}` }];
}

function oneDriver(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const storage = mapAt(config, "storage") ?? {};
  const drivers = STORAGE_DRIVERS[major].filter((driver) => Object.hasOwn(storage, driver));
  if (drivers.length < 2) return [];
  const message = `names ${drivers.length} drivers (${drivers.join(", ")}): the registry starts with exactly one`;
  return [{ path: "storage", message, hint: "keep the driver the images are in and remove the others" }];
}

function requiredParameters(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  return Object.entries(REQUIRED[major]).flatMap(([driver, names]) => {
    const parameters = mapAt(config, `storage.${driver}`);
    if (!parameters) return [];
    return names
      .filter((name) => !isGiven(parameters[name]))
      .map((name) => ({ path: `storage.${driver}.${name}`, message: `is required by the ${driver} driver` }));
  });
}

// https://github.com/distribution/distribution/issues/4528
function s3PathStyle(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const s3 = mapAt(config, "storage.s3");
  if (major !== 3 || !s3 || !isGiven(s3.regionendpoint) || s3.forcepathstyle !== undefined) return [];
  const message = "needs forcepathstyle beside it: without it 3.x looks the bucket up as a host name";
  const hint = "add storage.s3.forcepathstyle: true (false only if the service answers at bucket.host)";
  return [{ path: "storage.s3.regionendpoint", message, hint }];
}

function azureCredentials(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const azure = mapAt(config, "storage.azure");
  if (major !== 3 || !azure) return [];
  const path = "storage.azure.credentials";
  const credentials = isMap(azure.credentials) ? azure.credentials : {};
  if (!isGiven(credentials.type)) {
    const message = "is required by 3.x: shared_key, client_secret or default_credentials";
    return [{ path: `${path}.type`, message, hint: "with an accountkey write credentials: {type: shared_key}" }];
  }
  if (credentials.type === "shared_key" && !isGiven(azure.accountkey)) {
    return [{ path: "storage.azure.accountkey", message: "is required by credentials of type shared_key" }];
  }
  if (credentials.type !== "client_secret") return [];
  return ["clientid", "tenantid", "secret"]
    .filter((name) => !isGiven(credentials[name]))
    .map((name) => ({ path: `${path}.${name}`, message: "is required by credentials of type client_secret" }));
}

function purgingComplete(config: ConfigMap): readonly Issue[] {
  const path = "storage.maintenance.uploadpurging";
  const purging = mapAt(config, path);
  if (!purging || purging.enabled === false) return [];
  const missing = ["age", "interval", "dryrun"].filter((name) => !isGiven(purging[name]));
  if (missing.length === 0) return [];
  const message = `needs ${missing.join(", ")} too: the registry panics on a partial block`;
  return [
    { path, message, hint: "write {enabled: true, age: 168h, interval: 24h, dryrun: false} or {enabled: false}" },
  ];
}

function readOnlyMap(config: ConfigMap): readonly Issue[] {
  const path = "storage.maintenance.readonly";
  const value = valueAt(config, path);
  if (typeof value !== "boolean") return [];
  return [{ path, message: "should be a map of keys", hint: `write readonly: {enabled: ${value}}` }];
}

function redisForCache(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const path = "storage.cache.blobdescriptor";
  const server = major === 2 ? "redis.addr" : "redis.addrs";
  if (valueAt(config, path) !== "redis" || isGiven(valueAt(config, server))) return [];
  const hint = major === 2 ? "add redis.addr: host:port" : 'add redis.addrs: ["host:port"]';
  return [{ path, message: `is redis, which needs ${server}`, hint }];
}

function cacheSize(config: ConfigMap): readonly Issue[] {
  const cache = mapAt(config, "storage.cache");
  if (cache?.blobdescriptor !== "redis" || cache.blobdescriptorsize === undefined) return [];
  const message = "is for the inmemory cache only: the redis cache ignores it";
  return [
    { path: "storage.cache.blobdescriptorsize", message, hint: "limit redis itself: maxmemory with allkeys-lru" },
  ];
}
