/**
 * Globs over repository names and tags. Written here because the time of a compiled regular expression grows with a
 * power of the number of stars: whoever may push a tag of 128 dashes could stop a prune for minutes. This matcher never
 * needs more than the product of the two lengths a star.
 */
import { RegctlError } from "../errors.ts";

export type GlobSubject = "repository" | "tag";
export type Matches = (text: string) => boolean;

/** One place of a pattern: an item it accepts, or any number of items. */
type Place<T> = "any number" | ((item: T) => boolean);

const LONGEST = 256;
const MOST_ALTERNATIVES = 64;
const CHARACTERS: Readonly<Record<GlobSubject, RegExp>> = {
  repository: /^[a-z0-9._\-/*?[\]{},!]+$/,
  tag: /^[\w.\-*?[\]{},!]+$/,
};
const WHAT_IT_IS: Readonly<Record<GlobSubject, string>> = {
  repository: "a repository glob, such as team/* (one level) or prod/** (all levels)",
  tag: "a tag glob, such as pr-* or v[0-9]*",
};
const BRACES = /^([^{}]*)\{([^{}]*)\}(.*)$/;

/**
 * `*` any characters but `/`, `?` one of them, `[a-z]` `[!a-z]` one of these or none of these, `{one,two}` either, and in a
 * repository glob `**` between slashes any number of folders, none included. Throws `input-invalid`.
 */
export function parseGlob(text: string, subject: GlobSubject): Matches {
  checkCharacters(text, subject);
  const alternatives = expandBraces(text).map((one) => parseAlternative(one, text, subject));
  return (name) => {
    const segments = name.split("/");
    return alternatives.some((places) => matchesAll(places, segments));
  };
}

function checkCharacters(text: string, subject: GlobSubject): void {
  if (text === "") throw invalid(text, "it is empty", `write ${WHAT_IT_IS[subject]}`);
  if (text.length > LONGEST) {
    throw invalid(text, `it is longer than ${LONGEST} characters`, "write a list of shorter globs");
  }
  if (text.startsWith("!")) {
    throw invalid(text, "it excludes", "put a rule that keeps those (keep: { all: true }) before this one");
  }
  if (CHARACTERS[subject].test(text)) return;
  if (subject === "repository" && CHARACTERS.repository.test(text.toLowerCase())) {
    throw invalid(text, "repository names have no upper case: it matches none", `write ${text.toLowerCase()}`);
  }
  if (subject === "repository" && text.includes(":")) {
    throw invalid(text, "it has a colon", "leave out the registry's host; globs of tags stand under tags:");
  }
  throw invalid(
    text,
    `it has characters no ${subject} glob has`,
    `write ${WHAT_IT_IS[subject]}, no regular expression`,
  );
}

/** Without nesting, so that the number of alternatives is what the reader counts. */
function expandBraces(text: string): string[] {
  let open = [text];
  const done: string[] = [];
  while (open.length > 0) {
    if (open.length + done.length > MOST_ALTERNATIVES) {
      throw invalid(text, `its braces make more than ${MOST_ALTERNATIVES} alternatives`, "write a list of globs");
    }
    const next: string[] = [];
    for (const one of open) {
      const [, before = "", inside = "", after = ""] = BRACES.exec(one) ?? [];
      if (!BRACES.test(one)) done.push(one);
      else if (!inside.includes(",")) throw invalid(text, "braces hold a choice", "write {one,two}");
      else next.push(...inside.split(",").map((choice) => `${before}${choice}${after}`));
    }
    open = next;
  }
  if (done.some((one) => /[{},]/.test(one))) {
    throw invalid(text, "its braces do not pair, or are nested", "write {one,two}, or a list of globs");
  }
  return done;
}

function parseAlternative(one: string, text: string, subject: GlobSubject): Place<string>[] {
  return one.split("/").map((segment) => {
    if (segment === "") throw invalid(text, "a part between its slashes is empty", `write ${WHAT_IT_IS[subject]}`);
    if (segment === "**" && subject === "repository") return "any number";
    if (segment.includes("**")) {
      throw invalid(text, "** stands beside other characters", "write * for a part of a name, ** between slashes only");
    }
    const places = parseSegment(segment, text);
    return (name) => matchesAll(places, name);
  });
}

function parseSegment(segment: string, text: string): Place<string>[] {
  const parts = segment.match(/\[[^[\]]*\]|[^[\]]/g) ?? [];
  if (parts.join("") !== segment) throw invalid(text, "its brackets do not pair", "write [a-z], [abc] or [!abc]");
  return parts.map((part) => {
    if (part === "*") return "any number";
    if (part === "?") return () => true;
    if (part.length === 1 && part !== "!") return (character) => character === part;
    return parseClass(part, text);
  });
}

function parseClass(part: string, text: string): (character: string) => boolean {
  const [, not, inside = ""] = /^\[(!?)([\w.-]+)\]$/.exec(part) ?? [];
  const ranges = (inside.match(/[\w.]-[\w.]|[\w.-]/g) ?? []).map((range) => [range.at(0) ?? "", range.at(-1) ?? ""]);
  if (ranges.length === 0 || ranges.some(([from = "", to = ""]) => from > to)) {
    throw invalid(text, `${part} is no set of characters`, "write [a-z], [abc] or [!abc]");
  }
  return (character) => ranges.some(([from = "", to = ""]) => from <= character && character <= to) === (not === "");
}

/** Takes as few items as it can for each "any number", and goes back to the last one only: earlier ones cannot help. */
function matchesAll<T>(places: readonly Place<T>[], items: ArrayLike<T>): boolean {
  let place = 0;
  let item = 0;
  let lastAny = -1;
  let resume = 0;
  while (item < items.length) {
    const accepts = places[place];
    if (accepts === "any number") {
      lastAny = place;
      resume = item;
      place += 1;
    } else if (accepts?.(items[item] as T)) {
      place += 1;
      item += 1;
    } else if (lastAny >= 0) {
      resume += 1;
      item = resume;
      place = lastAny + 1;
    } else return false;
  }
  return places.slice(place).every((rest) => rest === "any number");
}

function invalid(text: string, why: string, hint: string): RegctlError {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return new RegctlError("input-invalid", `${JSON.stringify(shown)} is not a glob: ${why}`, { hint });
}
