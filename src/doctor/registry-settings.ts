/** The registry's own configuration, as regctl.yaml makes it. */
import type { Config } from "../config/config.ts";
import { registryConfig } from "../config/registry-config.ts";
import { Secret } from "../secret.ts";

/** A value of config.yml by its path (`storage.delete.enabled`); undefined = not set. Not for `http.secret`. */
export function registrySetting(config: Config, path: string): unknown {
  let value: unknown = registryConfig(config, new Secret(""));
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
