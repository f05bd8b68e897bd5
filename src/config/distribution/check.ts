import type { Issue } from "../../errors.ts";
import { HTTP_RULES } from "./http-rules.ts";
import { childrenOf, keyOf, keysOf, type Path, renderPath } from "./key-tree.ts";
import type { DistributionMajor } from "./major.ts";
import { nearestKey } from "./nearest-key.ts";
import { replacementFor } from "./replacements.ts";
import { isMap } from "./rule.ts";
import { distributionSchema } from "./schema.ts";
import { SECTION_RULES } from "./section-rules.ts";
import { STORAGE_RULES } from "./storage-rules.ts";

const RULES = [...STORAGE_RULES, ...HTTP_RULES, ...SECTION_RULES];

/** What the hints need of zod's report. */
interface SchemaProblem {
  readonly code?: string | undefined;
  /** The allowed values of a choice. */
  readonly values?: unknown;
}

/** A key found in more places than this says too little about where it belongs. */
const MOST_PLACES = 2;

/**
 * Everything distribution would refuse, ignore or break on in a (partial) config.yml of one major: unknown, removed and
 * misplaced keys (the registry ignores those silently), wrong types, and combinations that fail at start or later.
 *
 * All issues at once; paths are relative to `value` (`notifications.endpoints[0].url`). Values are never repeated in
 * messages, since some are passwords. Where a trap and the schema object to the same place, the trap, which knows more,
 * is reported. An absent or empty `value` has no issues.
 */
export function checkDistribution(value: unknown, major: DistributionMajor): readonly Issue[] {
  if (value === undefined || value === null) return [];
  if (!isMap(value)) return [{ path: "", message: "should be a map of keys" }];
  const trapped = RULES.flatMap((rule) => rule(value, major));
  const places = new Set(trapped.map((issue) => issue.path));
  const malformed = schemaIssues(value, major).filter((issue) => !places.has(issue.path));
  return [...malformed, ...trapped];
}

function schemaIssues(value: unknown, major: DistributionMajor): readonly Issue[] {
  // Compiling a parser for every section costs four times what it saves on the one document a run reads.
  const problems = distributionSchema(major).safeParse(value, { jitless: true }).error?.issues ?? [];
  return problems.flatMap((problem) => {
    const path = problem.path as Path;
    if (problem.code === "unrecognized_keys") return problem.keys.map((key) => unknownKey([...path, key], major));
    return [wrongValue(path, problem.message, inputAt(value, path), problem)];
  });
}

function unknownKey(path: Path, major: DistributionMajor): Issue {
  const issue = { path: renderPath(path), message: `is not a key of distribution ${major}.x` };
  for (const hintFor of [nested, renamed, otherMajor, typo, elsewhere]) {
    const hint = hintFor(path, major);
    if (hint !== undefined) return { ...issue, hint };
  }
  return { ...issue, hint: siblings(path, major) };
}

/** `log.level: debug` on one line is one key with a dot in it, and none of the other hints fits that. */
function nested(path: Path, major: DistributionMajor): string | undefined {
  const key = String(path.at(-1));
  if (!key.includes(".")) return undefined;
  return keysOf(major).has(keyOf(path))
    ? `write nested keys: ${key.split(".").join(", in it ")}`
    : siblings(path, major);
}

function renamed(path: Path, major: DistributionMajor): string | undefined {
  return replacementFor(keyOf(path), major);
}

function otherMajor(path: Path, major: DistributionMajor): string | undefined {
  const other = major === 2 ? 3 : 2;
  return keysOf(other).has(keyOf(path)) ? `remove it, or use a ${other}.x image: only ${other}.x has it` : undefined;
}

function typo(path: Path, major: DistributionMajor): string | undefined {
  const nearest = nearestKey(String(path.at(-1)), childrenOf(keyOf(path.slice(0, -1)), keysOf(major)));
  return nearest && `did you mean ${nearest}?`;
}

function elsewhere(path: Path, major: DistributionMajor): string | undefined {
  const suffix = `.${path.at(-1)}`;
  const everywhere = [...keysOf(major)].filter((key) => key.endsWith(suffix));
  const nearby = everywhere.filter((key) => key.startsWith(`${path[0]}.`));
  const places = nearby.length > 0 ? nearby : everywhere;
  return places.length > 0 && places.length <= MOST_PLACES ? `it belongs at ${places.join(" or ")}` : undefined;
}

function siblings(path: Path, major: DistributionMajor): string {
  const known = childrenOf(keyOf(path.slice(0, -1)), keysOf(major));
  return known.length > 0 ? `remove it; known keys here: ${known.join(", ")}` : "remove it; no keys are known here";
}

function wrongValue(path: Path, message: string, input: unknown, problem: SchemaProblem): Issue {
  const issue = { path: renderPath(path), message };
  const hint = valueHint(message, input, problem);
  return hint === undefined ? issue : { ...issue, hint };
}

function valueHint(message: string, input: unknown, problem: SchemaProblem): string | undefined {
  if (input === null) return "give it a value, or remove the key";
  if (message.startsWith("should be a list") && !isMap(input)) return "write it as a list, even of one: [value]";
  if (message === "should be true or false" && /^(true|false)$/i.test(String(input))) return "remove the quotes";
  if (message === "should be text" && typeof input !== "object") return "put it in quotes";
  if (message === "should be a whole number" && /^\d+$/.test(String(input))) return "remove the quotes";
  if (!Array.isArray(problem.values) || typeof input !== "string") return undefined;
  const nearest = nearestKey(input, problem.values.map(String));
  return nearest && `did you mean ${nearest}?`;
}

function inputAt(config: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string | number, unknown>)?.[step], config);
}
