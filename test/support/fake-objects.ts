/** What the nouns of the fake engine share. */
import { randomBytes } from "node:crypto";

/** An id as engines make them: 64 hexadecimal digits. */
export function newId(): string {
  return randomBytes(32).toString("hex");
}

export function hasEvery(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
