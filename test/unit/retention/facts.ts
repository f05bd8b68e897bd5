import type { RetentionPolicy, RetentionRule } from "../../../src/config/config.ts";
import { decide } from "../../../src/retention/decide.ts";
import type { InUse, TagFacts, UntaggedFacts } from "../../../src/retention/policy.ts";

export const DAY = 24 * 3600 * 1000;
export const NOW = Date.UTC(2026, 10, 21);
export const daysAgo = (days: number): number => NOW - days * DAY;

/** A digest told by one letter or number. */
export const digestOf = (name: string | number): string => `sha256:${String(name).padStart(64, "0")}`;
/** The tag a registry without referrers API puts them under. */
export const referrersTag = (name: string | number, suffix = ""): string =>
  `sha256-${digestOf(name).slice(7)}${suffix}`;

/** Pushed so many days ago, on a digest of its own. */
export function tag(name: string, days: number, digest: string | number = name): TagFacts {
  return { tag: name, digest: digestOf(digest), pushed: daysAgo(days), built: daysAgo(days) };
}

export function policyOf(rules: readonly RetentionRule[], protect: readonly string[] = []): RetentionPolicy {
  return { protect, protectInUse: true, rules };
}

export const nobody: InUse = () => undefined;

export interface Question {
  readonly policy: RetentionPolicy;
  readonly repository?: string;
  readonly tags?: readonly TagFacts[];
  readonly untagged?: readonly UntaggedFacts[];
  readonly inUse?: InUse;
}

export function verdicts({ policy, repository = "team/api", tags = [], untagged = [], inUse = nobody }: Question) {
  return decide(policy, repository, tags, untagged, NOW, inUse);
}

/** `name: because` of every verdict, with a `-` before what goes. */
export function told(question: Question): string[] {
  return verdicts(question).map(
    ({ tag: name, digest, keep, because }) =>
      `${keep ? "" : "- "}${name ?? digest.slice(-3).replace(/^0+/, "")}: ${because}`,
  );
}
