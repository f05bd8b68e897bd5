/** The `retention` section: what is written -> policy, and what is wrong with it beyond its shape. */
import type { Issue } from "../errors.ts";
import { parseGlob } from "../retention/glob.ts";
import { parseProtection, parseVersionRange } from "../retention/patterns.ts";
import { attempt } from "./attempt.ts";
import type { RetentionPolicy, RetentionRule } from "./config.ts";
import type { WrittenRetention } from "./retention-schema.ts";

const EVERYTHING = "**";

function listed(globs: string | string[]): string[] {
  return typeof globs === "string" ? [globs] : globs;
}

/** With every default in place. */
export function resolveRetention(written: WrittenRetention | undefined): RetentionPolicy {
  const rules = (written?.rules ?? []).map(
    ({ repositories, tags, semver, keep, untagged }): RetentionRule => ({
      repositories: listed(repositories ?? EVERYTHING),
      ...(tags === undefined ? {} : { tags: listed(tags) }),
      ...(semver === undefined ? {} : { semver }),
      ...(keep === undefined
        ? {}
        : {
            keep: {
              ...(keep.all === undefined ? {} : { all: keep.all }),
              ...(keep.newest === undefined ? {} : { newest: keep.newest }),
              ...(keep.newerThan === undefined ? {} : { newerThan: keep.newerThan }),
              by: keep.by ?? "push",
            },
          }),
      ...(untagged === undefined ? {} : { untagged }),
    }),
  );
  return { protect: written?.protect ?? [], protectInUse: written?.protectInUse ?? true, rules };
}

function keepIssues({ keep, untagged, tags, semver }: RetentionRule, path: string): Issue[] {
  if (keep === undefined) {
    if (untagged === undefined) {
      return [
        { path, message: "decides about nothing", hint: "add keep: for tags, untagged: for what no tag reaches" },
      ];
    }
    return tags === undefined && semver === undefined
      ? []
      : [
          {
            path,
            message: "names tags and does not say what stays of them",
            hint: "add keep:, such as { newest: 10 }",
          },
        ];
  }
  const limits = [keep.newest, keep.newerThan].filter((limit) => limit !== undefined).length;
  if (keep.all !== undefined && limits > 0) {
    return [{ path: `${path}.keep.all`, message: "keeps everything, so that newest and newerThan mean nothing" }];
  }
  if (keep.all !== undefined || limits > 0) return [];
  return [
    {
      path: `${path}.keep`,
      message: "should say what stays",
      hint: "write newest: 10, newerThan: 30d, both, or all: true",
    },
  ];
}

function decidesAboutEveryTag({ keep, repositories, tags, semver }: RetentionRule): boolean {
  const allTags = tags === undefined || tags.includes("*");
  return keep !== undefined && semver === undefined && allTags && repositories.includes(EVERYTHING);
}

function idleIssues(rules: readonly RetentionRule[], key: "keep" | "untagged"): Issue[] {
  const isGeneral =
    key === "keep" ? decidesAboutEveryTag : (rule: RetentionRule) => rule.repositories.includes(EVERYTHING);
  const general = rules.findIndex((rule) => rule[key] !== undefined && isGeneral(rule));
  if (general < 0) return [];
  const what = key === "keep" ? "about every tag" : "about everything untagged";
  return rules.flatMap((rule, index) =>
    index <= general || rule[key] === undefined
      ? []
      : [
          {
            path: `rules[${index}].${key}`,
            message: `is never asked: rules[${general}] before it decides ${what}`,
            hint: "put the general rule last",
          },
        ],
  );
}

function ruleIssues(rule: RetentionRule, index: number): Issue[] {
  const path = `rules[${index}]`;
  const { repositories, tags = [], semver } = rule;
  return [
    ...repositories.flatMap((glob) => attempt(`${path}.repositories`, () => parseGlob(glob, "repository"))),
    ...tags.flatMap((glob) => attempt(`${path}.tags`, () => parseGlob(glob, "tag"))),
    ...(semver === undefined ? [] : attempt(`${path}.semver`, () => parseVersionRange(semver))),
    ...keepIssues(rule, path),
  ];
}

/** Every problem, its path within the section: `rules[0].keep`. */
export function retentionIssues({ protect, rules }: RetentionPolicy): Issue[] {
  return [
    ...protect.flatMap((text, index) => attempt(`protect[${index}]`, () => parseProtection(text))),
    ...rules.flatMap(ruleIssues),
    ...idleIssues(rules, "keep"),
    ...idleIssues(rules, "untagged"),
  ];
}
