import { load } from "js-yaml";

function leaves(value: unknown, path: string, into: Map<string, string>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    into.set(path, JSON.stringify(value) ?? "");
    return;
  }
  for (const [key, child] of Object.entries(value)) leaves(child, path === "" ? key : `${path}.${key}`, into);
}

function leavesOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  leaves(load(text), "", found);
  return found;
}

const SHOWN = 4;

/** Which keys differ between two versions of a YAML file: `log.level changed`. Never their values: some are secrets. */
export function whatChanged(before: string, after: string): string {
  let old: ReadonlyMap<string, string>;
  try {
    old = leavesOf(before);
  } catch {
    return "it is not valid YAML any more";
  }
  const wanted = leavesOf(after);
  const all = [...new Set([...old.keys(), ...wanted.keys()])].filter((key) => old.get(key) !== wanted.get(key));
  if (all.length === 0) return "it was edited";
  // Labels carry hashes of what changed elsewhere, and that is a change of its own.
  const keys = all.filter((key) => !key.includes(".labels."));
  if (keys.length === 0) return "follows the other changes";
  const more = keys.length > SHOWN ? ` and ${keys.length - SHOWN} more` : "";
  return `${keys.slice(0, SHOWN).join(", ")}${more} changed`;
}
