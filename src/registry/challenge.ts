/** What a registry asks for with a 401 (RFC 9110 §11.6.1; https://distribution.github.io/distribution/spec/auth/token/). */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const QUOTED = /^"((?:[^"\\]|\\[\s\S])*)"/;
const LONGEST_HEADER = 16_384;

/** Reads a WWW-Authenticate header with any number of challenges; what cannot be read ends the list, and nothing throws. */
export function parseChallenges(header: string | undefined): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = (header ?? "").slice(0, LONGEST_HEADER);
  for (;;) {
    rest = rest.replace(/^[\s,]+/, "");
    const scheme = TOKEN.exec(rest)?.[0];
    if (scheme === undefined) return challenges;
    const parsed = parseParameters(rest.slice(scheme.length));
    challenges.push({ scheme: scheme.toLowerCase(), parameters: parsed.parameters });
    rest = parsed.rest;
  }
}

/** `name=value` pairs up to the next scheme, which is a word that no `=` follows. */
function parseParameters(text: string): { readonly parameters: Record<string, string>; readonly rest: string } {
  const parameters = new Map<string, string>();
  let rest = text;
  for (;;) {
    const after = rest.replace(/^[\s,]+/, "");
    const name = TOKEN.exec(after)?.[0];
    const assigned = name === undefined ? undefined : /^[ \t]*=[ \t]*/.exec(after.slice(name.length))?.[0];
    if (name === undefined || assigned === undefined) return { parameters: Object.fromEntries(parameters), rest };
    const behind = after.slice(name.length + assigned.length);
    const quoted = QUOTED.exec(behind);
    const raw = quoted?.[0] ?? TOKEN.exec(behind)?.[0];
    if (raw === undefined) return { parameters: Object.fromEntries(parameters), rest: "" };
    const value = quoted?.[1] === undefined ? raw : quoted[1].replace(/\\([\s\S])/g, "$1");
    // The first counts: a repeated parameter is not allowed, and a later one must not override what was checked.
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    rest = behind.slice(raw.length);
  }
}
