/** What the nouns of the fake engine share. */
import { randomBytes } from "node:crypto";
import type { LabelFilter } from "../../src/engine/engine.ts";

/** An id as engines make them: 64 hexadecimal digits. */
export function newId(): string {
  return randomBytes(32).toString("hex");
}

export function hasEvery(labels: Readonly<Record<string, string>>, wanted: LabelFilter): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(labels, name) && (value === true || labels[name] === value),
  );
}
