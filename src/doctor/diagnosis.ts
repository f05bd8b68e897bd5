/** How checks say what they saw. */
import type { Diagnosis } from "./check.ts";

/** Clients fail, or will at the next step. */
export function broken(cause: string, ...fix: readonly string[]): Diagnosis {
  return { verdict: "broken", cause, fix: fix.join("\n") };
}

/** Some clients fail, or all will later. */
export function warning(cause: string, ...fix: readonly string[]): Diagnosis {
  return { verdict: "warning", cause, fix: fix.join("\n") };
}

/** It could not be looked at. */
export function unknown(cause: string, ...fix: readonly string[]): Diagnosis {
  return { verdict: "unknown", cause, fix: fix.join("\n") };
}

const SHOWN = 200;

/** What a server or a file says, short enough to be quoted. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}
