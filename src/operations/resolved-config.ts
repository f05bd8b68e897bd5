/** Every value in force and where it came from: regctl.yaml with its line, or regctl's own default. */
import { join } from "node:path";
import type { Config, Origin } from "../config/config.ts";
import { registryConfig } from "../config/registry-config.ts";
import { FILES } from "../project/paths.ts";
import { Secret } from "../secret.ts";
import { parseConfigText, readConfigText } from "./deployment.ts";

export interface ResolvedValue {
  /** `registry.log.level`, `notifications.endpoints[0].url`. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: "regctl.yaml" | "default";
  /** 1-based, with origin regctl.yaml. */
  readonly line?: number;
}

/** A list of plain values is one leaf; one of sections is a leaf for each of their keys. */
function leaves(value: unknown, path: string): { path: string; value: unknown }[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  if (Array.isArray(value)) {
    const hasSections = value.some((item) => typeof item === "object" && item !== null);
    return hasSections ? value.flatMap((item, index) => leaves(item, `${path}[${index}]`)) : [{ path, value }];
  }
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path === "" ? key : `${path}.${key}`));
}

/** Keys of distribution's config.yml that hold a secret, or sections and lists that may. */
const SECRET_KEYS = new Set([
  ...["secret", "password", "sentinelpassword", "headers", "credentials", "connectionstring", "privatekey"],
  ...["secretkey", "accesskey", "accesskeysecret", "accountkey", "apikey", "licensekey"],
]);
/** Sent to every client, so no secret. */
const RESPONSE_HEADERS = "registry.http.headers";
const REDACTED = String(new Secret(""));
const USER_INFO = /(:\/\/)[^/@\s]*@/g;

/** Secrets, and the user information of URLs, become `[redacted]`. */
function redact(path: string, value: unknown): unknown {
  const isSecret = path.split(/[.[]/).some((key) => SECRET_KEYS.has(key)) && !path.startsWith(`${RESPONSE_HEADERS}.`);
  if (path.startsWith("registry.") && isSecret) return REDACTED;
  return typeof value === "string" ? value.replace(USER_INFO, `$1${REDACTED}@`) : value;
}

/** Of the value itself, or of the list or section regctl.yaml has it in. */
function originOf(path: string, origins: ReadonlyMap<string, Origin>): Origin | undefined {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("."), at.lastIndexOf("["), 0))) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function resolved(config: Config, origins: ReadonlyMap<string, Origin>): ResolvedValue[] {
  const { registry: _, major, user, ...own } = config;
  const registry = registryConfig(config, new Secret(""));
  const values = leaves({ ...own, distribution: major, user: `${user.uid}:${user.gid}`, registry }, "");
  return values.map(({ path, value }) => {
    const origin = originOf(path, origins);
    const shown = redact(path, value);
    return origin?.kind === "file"
      ? { path, value: shown, origin: "regctl.yaml", line: origin.line }
      : { path, value: shown, origin: "default" };
  });
}

/** Reads and checks regctl.yaml anew; `config-invalid` with every issue. */
export async function resolvedConfig(
  directory: string,
): Promise<{ readonly file: string; readonly values: readonly ResolvedValue[] }> {
  const text = await readConfigText(directory);
  const { config, origins } = await parseConfigText(directory, text);
  return { file: join(directory, FILES.config), values: resolved(config, origins) };
}
