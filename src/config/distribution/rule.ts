import type { Issue } from "../../errors.ts";
import type { DistributionMajor } from "./major.ts";

export type ConfigMap = Readonly<Record<string, unknown>>;

/** One trap: looks at a configuration of any shape, reports what this major would refuse, ignore or break on. */
export type Rule = (config: ConfigMap, major: DistributionMajor) => readonly Issue[];

export function isMap(value: unknown): value is ConfigMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a dotted path of maps; undefined where the path ends early. */
export function valueAt(config: ConfigMap, path: string): unknown {
  let value: unknown = config;
  for (const key of path.split(".")) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** The map at a dotted path; undefined when there is none or it is something else. */
export function mapAt(config: ConfigMap, path: string): ConfigMap | undefined {
  const value = valueAt(config, path);
  return isMap(value) ? value : undefined;
}

/** Neither absent, nor null, nor empty text or list: what the registry takes for "not given". */
export function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== "";
}
