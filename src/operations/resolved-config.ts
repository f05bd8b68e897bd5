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

function leaves(value: unknown, path: string): { path: string; value: unknown }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Secret) return [{ path, value }];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path === "" ? key : `${path}.${key}`));
}

/** Keys of distribution whose values are secrets; they are shown as `[redacted]`. */
const SECRET_KEY = /(^|\.)(secret|secretkey|password|accountkey|credentials|sentinelpassword|headers)$|^registry\.http\.secret$/;

function redact(path: string, value: unknown): unknown {
  return SECRET_KEY.test(path) && path !== "registry.http.headers" && !path.startsWith("registry.http.headers.") ? new Secret("") : value;
}

function resolved(config: Config, origins: ReadonlyMap<string, Origin>): ResolvedValue[] {
  const { registry: _, major, user, ...own } = config;
  const registry = registryConfig(config, new Secret(""));
  const values = leaves({ ...own, distribution: major, user: `${user.uid}:${user.gid}`, registry }, "");
  return values.map(({ path, value }) => {
    const origin = origins.get(path);
    const shown = redact(path, value);
    return origin?.kind === "file" ? { path, value: shown, origin: "regctl.yaml", line: origin.line } : { path, value: shown, origin: "default" };
  });
}

/** Reads and checks regctl.yaml anew; `config-invalid` with every issue. */
export async function resolvedConfig(directory: string): Promise<{ readonly file: string; readonly values: readonly ResolvedValue[] }> {
  const text = await readConfigText(directory);
  const { config, origins } = await parseConfigText(directory, text);
  return { file: join(directory, FILES.config), values: resolved(config, origins) };
}
