/** Flags of `prune` -> policy. */
import type { RetentionPolicy, RetentionRule } from "../config/config.ts";
import { type Issue, messageOf, RegctlError } from "../errors.ts";
import { parseAge } from "./age.ts";
import { parseGlob } from "./glob.ts";
import { parseProtection, parseVersionRange } from "./patterns.ts";

/** What `--untagged` without a value means. */
export const DEFAULT_UNTAGGED_AGE = "7d";

/** As typed. */
export interface RetentionFlags {
  readonly keep?: string | undefined;
  readonly by?: string | undefined;
  readonly newerThan?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly semver?: string | undefined;
  readonly repositories?: readonly string[] | undefined;
  /** `true` = without a value. */
  readonly untagged?: string | true | undefined;
  readonly protect?: readonly string[] | undefined;
  /** `false` = `--no-protect-in-use`. */
  readonly protectInUse?: boolean | undefined;
}

/**
 * The policy of a run: with flags that say what stays, one rule made of them takes the place of the rules of `written`; what that
 * protects stays protected in any case. Throws `usage` with every problem.
 */
export function policyFromFlags(flags: RetentionFlags, written: RetentionPolicy): RetentionPolicy {
  const issues = flagIssues(flags);
  if (issues.length > 0) {
    throw new RegctlError("usage", "these flags make no retention policy", {
      issues,
      hint: "see them with an example: regctl prune --help",
    });
  }
  const rule = ruleFromFlags(flags);
  return {
    protect: [...written.protect, ...(flags.protect ?? [])],
    protectInUse: flags.protectInUse === false ? false : written.protectInUse,
    rules: rule === undefined ? written.rules : [rule],
  };
}

function ruleFromFlags({ keep, by, newerThan, tags, semver, repositories, untagged }: RetentionFlags) {
  const hasKeep = keep !== undefined || newerThan !== undefined;
  if (!hasKeep && untagged === undefined) return undefined;
  const rule: RetentionRule = {
    repositories: repositories ?? ["**"],
    ...(tags === undefined ? {} : { tags }),
    ...(semver === undefined ? {} : { semver }),
    ...(hasKeep
      ? {
          keep: {
            ...(keep === undefined ? {} : { newest: Number(keep) }),
            ...(newerThan === undefined ? {} : { newerThan }),
            by: by === "build" ? ("build" as const) : ("push" as const),
          },
        }
      : {}),
    ...(untagged === undefined ? {} : { untagged: { olderThan: untagged === true ? DEFAULT_UNTAGGED_AGE : untagged } }),
  };
  return rule;
}

function flagIssues(flags: RetentionFlags): Issue[] {
  const { keep, by, newerThan, tags, semver, repositories, untagged, protect } = flags;
  const hasKeep = keep !== undefined || newerThan !== undefined;
  const aboutTags = [tags && "--tags", semver === undefined ? undefined : "--semver", by && "--by"].filter(Boolean);
  return [
    ...(keep === undefined || /^\d{1,6}$/.test(keep)
      ? []
      : [{ path: "--keep", message: `should be a whole number, not ${JSON.stringify(keep)}`, hint: "--keep 10" }]),
    ...(by === undefined || by === "push" || by === "build"
      ? []
      : [{ path: "--by", message: `should be push or build, not ${JSON.stringify(by)}`, hint: "--by push" }]),
    ...parsed("--newer-than", newerThan === undefined ? [] : [newerThan], parseAge),
    ...parsed("--untagged", typeof untagged === "string" ? [untagged] : [], parseAge),
    ...parsed("--tags", tags ?? [], (glob) => parseGlob(glob, "tag")),
    ...parsed("--semver", semver === undefined ? [] : [semver], parseVersionRange),
    ...parsed("--repo", repositories ?? [], (glob) => parseGlob(glob, "repository")),
    ...parsed("--protect", protect ?? [], parseProtection),
    ...(!hasKeep && aboutTags.length > 0
      ? [{ path: aboutTags.join(", "), message: "does not say what stays", hint: "add --keep 10 or --newer-than 30d" }]
      : []),
    ...(!hasKeep && aboutTags.length === 0 && untagged === undefined && repositories !== undefined
      ? [
          {
            path: "--repo",
            message: "does not say what stays",
            hint: "add --keep 10, --newer-than 30d or --untagged 7d",
          },
        ]
      : []),
  ];
}

function parsed(path: string, texts: readonly string[], parse: (text: string) => unknown): Issue[] {
  return texts.flatMap((text) => {
    try {
      parse(text);
      return [];
    } catch (error) {
      const hint = error instanceof RegctlError ? error.hint : undefined;
      return [{ path, message: messageOf(error), ...(hint === undefined ? {} : { hint }) }];
    }
  });
}
