/** What holds for every policy and every repository. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RetentionRule } from "../../../src/config/config.ts";
import type { TagFacts, UntaggedFacts } from "../../../src/retention/policy.ts";
import { daysAgo, digestOf, policyOf, referrersTag, verdicts } from "./facts.ts";

const DIGESTS = 6;
const digest = fc.integer({ min: 1, max: DIGESTS }).map(digestOf);
const date = fc.option(fc.integer({ min: 0, max: 60 }).map(daysAgo), { nil: undefined, freq: 6 });
const children = fc.option(fc.uniqueArray(digest, { maxLength: 2 }), { nil: undefined });
const plainName = fc.constantFrom("v1.0.0", "1.2.3", "2.0.0-rc.1", "latest", "pr-1", "pr-2", "pr-10", "dev", "v2", "x");
/** Tags that name a digest, some on what no other tag names, as digests make no circles. */
const follower: fc.Arbitrary<TagFacts> = fc
  .record({
    subject: fc.oneof(fc.integer({ min: 1, max: DIGESTS + 2 }), fc.integer({ min: 21, max: 28 })),
    suffix: fc.constantFrom("", ".sig", ".att"),
    pushed: date,
    built: date,
    children: fc.constantFrom(undefined, [digestOf(90)]),
  })
  .map(({ subject, suffix, ...facts }) => ({
    ...facts,
    tag: referrersTag(subject, suffix),
    digest: digestOf(subject + 20),
  }));
const plain: fc.Arbitrary<TagFacts> = fc.record({ tag: plainName, digest, pushed: date, built: date, children });
const tagsOf = (one: fc.Arbitrary<TagFacts>): fc.Arbitrary<TagFacts[]> =>
  fc.uniqueArray(one, { selector: ({ tag }) => tag, maxLength: 12 });
const anyTags = tagsOf(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: follower }));
const untagged: fc.Arbitrary<UntaggedFacts[]> = fc.uniqueArray(
  fc.record({
    digest: fc.integer({ min: DIGESTS - 1, max: DIGESTS + 4 }).map(digestOf),
    pushed: date,
    children,
    subject: fc.option(digest, { nil: undefined }),
  }),
  { selector: (facts) => facts.digest, maxLength: 5 },
);

const age = fc.integer({ min: 0, max: 60 }).map((days) => `${days}d`);
const keep: fc.Arbitrary<NonNullable<RetentionRule["keep"]>> = fc.oneof(
  fc.constant({ all: true as const, by: "push" as const }),
  fc.record(
    { newest: fc.nat(5), newerThan: age, by: fc.constantFrom("push" as const, "build" as const) },
    { requiredKeys: ["newest", "by"] },
  ),
);
const rule: fc.Arbitrary<RetentionRule> = fc.record(
  {
    repositories: fc.constantFrom(["**"], ["team/*"], ["other"]),
    tags: fc.constantFrom(["pr-*"], ["v*", "latest"], ["*"]),
    semver: fc.constantFrom("1.x", ">=1.0.0"),
    keep,
    untagged: fc.record({ olderThan: age }),
  },
  { requiredKeys: ["repositories"] },
);
const policy = fc
  .tuple(fc.array(rule, { maxLength: 4 }), fc.subarray(["team/api:v*", "**:dev", "other"]))
  .map(([rules, protect]) => policyOf(rules, protect));
const question = fc.record({ policy, tags: anyTags, untagged });

const removed = (answers: ReturnType<typeof verdicts>) =>
  answers.filter((verdict) => !verdict.keep).map((verdict) => verdict.tag ?? verdict.digest);

describe("every policy", () => {
  it("gives each fact one verdict, in the order given, with a reason", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answers = verdicts(asked);
        expect(answers.map((verdict) => [verdict.tag, verdict.digest])).toEqual([
          ...asked.tags.map((facts) => [facts.tag, facts.digest]),
          ...asked.untagged.map((facts) => [undefined, facts.digest]),
        ]);
        expect(answers.every(({ because }) => because.length > 10)).toBe(true);
      }),
    );
  });

  it("removes nothing that is protected, in use or without a date", () => {
    fc.assert(
      fc.property(question, digest, (asked, used) => {
        const inUse = (_repository: string, _tag: string | undefined, one: string) => (one === used ? "x" : undefined);
        for (const verdict of verdicts({ ...asked, inUse }).filter((one) => !one.keep)) {
          expect(verdict.digest).not.toBe(used);
          const facts = [...asked.tags, ...asked.untagged].find(
            (one) => one.digest === verdict.digest && ("tag" in one ? one.tag : undefined) === verdict.tag,
          );
          expect(facts?.children ?? []).not.toContain(used);
          const decidedBy = asked.policy.rules[(verdict.rule?.index ?? 0) - 1];
          const isBuilt = verdict.tag !== undefined && decidedBy?.keep?.by === "build";
          if (decidedBy !== undefined) {
            expect(isBuilt ? (facts as TagFacts).built : facts?.pushed).toBeDefined();
          }
          if (asked.policy.protect.includes("team/api:v*")) expect(verdict.tag ?? "").not.toMatch(/^v/);
          if (asked.policy.protect.includes("**:dev")) expect(verdict.tag).not.toBe("dev");
        }
      }),
    );
  });

  it("answers alike whatever the order", () => {
    const shuffled = question.chain((asked) =>
      fc.record({
        asked: fc.constant(asked),
        tags: fc.shuffledSubarray(asked.tags, { minLength: asked.tags.length }),
        untagged: fc.shuffledSubarray(asked.untagged, { minLength: asked.untagged.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ asked, ...other }) => {
        expect(removed(verdicts({ ...asked, ...other })).sort()).toEqual(removed(verdicts(asked)).sort());
      }),
    );
  });

  it("without rules removes nothing", () => {
    fc.assert(
      fc.property(question, (asked) => {
        expect(removed(verdicts({ ...asked, policy: policyOf([]) }))).toEqual([]);
      }),
    );
  });

  it("lets the first rule that matches decide", () => {
    fc.assert(
      fc.property(question, rule, (asked, last) => {
        const before = verdicts(asked);
        const after = verdicts({ ...asked, policy: { ...asked.policy, rules: [...asked.policy.rules, last] } });
        before.forEach((verdict, index) => {
          if (verdict.rule !== undefined && after[index]?.rule !== undefined) {
            expect(after[index]?.rule).toEqual(verdict.rule);
          }
        });
      }),
    );
  });

  it("keeps more when it is told to keep more", () => {
    const longer = (text: string) => `${Number.parseInt(text, 10) + 20}d`;
    fc.assert(
      fc.property(question, fc.nat(3), fc.boolean(), (asked, more, isLonger) => {
        const rules = asked.policy.rules.map((one): RetentionRule => {
          const limits = one.keep;
          return {
            ...one,
            ...(limits === undefined
              ? {}
              : {
                  keep: {
                    ...limits,
                    ...(limits.newest === undefined ? {} : { newest: limits.newest + more }),
                    ...(limits.newerThan === undefined || !isLonger ? {} : { newerThan: longer(limits.newerThan) }),
                  },
                }),
            ...(one.untagged === undefined || !isLonger
              ? {}
              : { untagged: { olderThan: longer(one.untagged.olderThan) } }),
          };
        });
        const before = removed(verdicts(asked));
        for (const gone of removed(verdicts({ ...asked, policy: { ...asked.policy, rules } }))) {
          expect(before).toContain(gone);
        }
      }),
    );
  });

  it("keeps what a kept index lists and what refers to something kept", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answers = verdicts(asked);
        const gone = new Set(removed(answers));
        const kept = new Set(answers.filter((verdict) => verdict.keep).map((verdict) => verdict.digest));
        for (const facts of [...asked.tags, ...asked.untagged]) {
          if (!kept.has(facts.digest)) continue;
          for (const child of facts.children ?? []) expect(gone).not.toContain(child);
        }
        for (const facts of asked.untagged) {
          if (kept.has(facts.subject ?? "")) expect(gone).not.toContain(facts.digest);
        }
        for (const facts of asked.tags) {
          const subject = /^sha256-([0-9a-f]{64})/.exec(facts.tag)?.[1];
          if (kept.has(`sha256:${subject}`)) expect(gone).not.toContain(facts.tag);
        }
      }),
    );
  });
});

describe("keeping the N newest", () => {
  it("keeps at least N images, or all there are, and none that is older than one it removes", () => {
    fc.assert(
      fc.property(tagsOf(plain), fc.nat(8), (tags, count) => {
        const one = policyOf([{ repositories: ["**"], keep: { newest: count, by: "push" } }]);
        const answers = verdicts({ policy: one, tags });
        const images = new Set(tags.map((facts) => facts.digest));
        const kept = new Set(answers.filter((verdict) => verdict.keep).map((verdict) => verdict.digest));
        expect(kept.size).toBeGreaterThanOrEqual(Math.min(count, images.size));
        const newestOf = (wanted: boolean) =>
          tags.flatMap((facts, index) =>
            facts.pushed !== undefined && answers[index]?.keep === wanted
              ? [Math.max(...tags.filter((other) => other.digest === facts.digest).map((other) => other.pushed ?? 0))]
              : [],
          );
        expect(Math.min(...newestOf(true))).toBeGreaterThanOrEqual(Math.max(...newestOf(false)));
      }),
    );
  });
});
