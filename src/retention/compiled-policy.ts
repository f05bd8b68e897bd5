/** A policy with its globs, ranges and ages parsed. */
import type { RetentionKeep, RetentionPolicy, RetentionRule } from "../config/config.ts";
import { parseAge } from "./age.ts";
import { type Matches, parseGlob } from "./glob.ts";
import { type Protection, parseProtection, parseVersionRange } from "./patterns.ts";

export interface CompiledKeep extends RetentionKeep {
  readonly newerThanMs: number | undefined;
}

export interface CompiledRule {
  /** From 1. */
  readonly index: number;
  /** `team/*`, `team/*:pr-*`, `**:>=1.0.0 <2.0.0`. */
  readonly description: string;
  readonly repository: Matches;
  readonly tag: Matches;
  readonly keep: CompiledKeep | undefined;
  readonly untagged: { readonly olderThan: string; readonly olderThanMs: number } | undefined;
}

export interface CompiledPolicy {
  readonly protections: readonly Protection[];
  readonly rules: readonly CompiledRule[];
}

const compiled = new WeakMap<RetentionPolicy, CompiledPolicy>();

/** Once for each policy, however many repositories it is asked about. Throws `input-invalid` where parseConfig would complain. */
export function compilePolicy(policy: RetentionPolicy): CompiledPolicy {
  const known = compiled.get(policy);
  if (known !== undefined) return known;
  const made = { protections: policy.protect.map(parseProtection), rules: policy.rules.map(compileRule) };
  compiled.set(policy, made);
  return made;
}

function compileRule(rule: RetentionRule, position: number): CompiledRule {
  const { repositories, tags, semver, keep, untagged } = rule;
  const repository = anyOf(repositories.map((glob) => parseGlob(glob, "repository")));
  const tagGlobs = tags === undefined ? () => true : anyOf(tags.map((glob) => parseGlob(glob, "tag")));
  const isInRange = semver === undefined ? () => true : parseVersionRange(semver);
  const tagText = [...(tags === undefined ? [] : [tags.join(", ")]), ...(semver === undefined ? [] : [semver])].join(
    " ",
  );
  return {
    index: position + 1,
    description: `${repositories.join(", ")}${tagText === "" ? "" : `:${tagText}`}`,
    repository,
    tag: (tag) => tagGlobs(tag) && isInRange(tag),
    keep: keep && { ...keep, newerThanMs: keep.newerThan === undefined ? undefined : parseAge(keep.newerThan) },
    untagged: untagged && { ...untagged, olderThanMs: parseAge(untagged.olderThan) },
  };
}

function anyOf(globs: readonly Matches[]): Matches {
  return (text) => globs.some((matches) => matches(text));
}
