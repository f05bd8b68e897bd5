import { z } from "zod";
import type { DistributionMajor } from "./major.ts";
import { distributionSchema } from "./schema.ts";

/** A place in a configuration: map keys and list positions. */
export type Path = readonly (string | number)[];

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

const built = new Map<DistributionMajor, ReadonlySet<string>>();

/** Every key of a major as a dotted path, lists as `[]`: `notifications.endpoints[].url`. */
export function keysOf(major: DistributionMajor): ReadonlySet<string> {
  const known = built.get(major);
  if (known) return known;
  const keys = new Set<string>();
  collect(z.toJSONSchema(distributionSchema(major)) as JsonSchema, "", keys);
  built.set(major, keys);
  return keys;
}

/** The keys a map at `parent` (dotted, lists as `[]`) may have. */
export function childrenOf(parent: string, keys: ReadonlySet<string>): readonly string[] {
  const prefix = parent === "" ? "" : `${parent}.`;
  return [...keys]
    .filter((key) => key.startsWith(prefix) && !/[.[]/.test(key.slice(prefix.length)))
    .map((key) => key.slice(prefix.length));
}

/** As issues name a place: `notifications.endpoints[0].url`; a key that is no plain word in brackets. */
export function renderPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** As `keysOf` names a place: list positions become `[]`. */
export function keyOf(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += "[]";
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

function collect(schema: JsonSchema, prefix: string, keys: Set<string>): void {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    keys.add(path);
    collect(child, path, keys);
  }
  if (schema.items) collect(schema.items, `${prefix}[]`, keys);
  for (const option of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) collect(option, prefix, keys);
}
