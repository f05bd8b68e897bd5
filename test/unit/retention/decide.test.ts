import { describe, expect, it } from "vitest";
import { needsBuildDates, needsUntagged } from "../../../src/retention/policy.ts";
import { daysAgo, digestOf, policyOf, referrersTag, tag, told, verdicts } from "./facts.ts";

const newest = (count: number) => ({ repositories: ["**"], keep: { newest: count, by: "push" as const } });

describe("tags", () => {
  it("stay where there is no rule", () => {
    expect(told({ policy: policyOf([]), tags: [tag("old", 900)] })).toEqual(["old: no rule decides about it"]);
  });

  it("are decided by the first rule that matches", () => {
    const policy = policyOf([
      { repositories: ["other/*"], keep: { newest: 0, by: "push" } },
      { repositories: ["team/*"], untagged: { olderThan: "1d" } },
      { repositories: ["team/*"], tags: ["pr-*"], keep: { newerThan: "30d", by: "push" } },
      { repositories: ["**"], semver: ">=1.0.0 <2.0.0", keep: { newest: 1, by: "push" } },
      { repositories: ["**"], tags: ["*-dev", "keep-*"], keep: { all: true, by: "push" } },
      { repositories: ["**"], keep: { newest: 0, by: "push" } },
    ]);
    const tags = [tag("pr-1", 31), tag("pr-2", 29), tag("v1.0.0", 9), tag("1.1.0", 8), tag("x-dev", 99), tag("1.2", 9)];
    expect(told({ policy, tags })).toEqual([
      "- pr-1: rule 3 (team/*:pr-*): pushed more than 30d ago",
      "pr-2: rule 3 (team/*:pr-*): pushed less than 30d ago",
      "- v1.0.0: rule 4 (**:>=1.0.0 <2.0.0): older than the newest by push",
      "1.1.0: rule 4 (**:>=1.0.0 <2.0.0): the newest by push",
      "x-dev: rule 5 (**:*-dev, keep-*): it keeps all",
      "- 1.2: rule 6 (**): it keeps none",
    ]);
  });

  it("stay when either limit keeps them", () => {
    const policy = policyOf([{ repositories: ["team/*"], keep: { newest: 2, newerThan: "2w", by: "push" } }]);
    expect(told({ policy, tags: [tag("a", 1), tag("b", 2), tag("c", 3), tag("d", 40)] })).toEqual([
      "a: rule 1 (team/*): one of the 2 newest by push",
      "b: rule 1 (team/*): one of the 2 newest by push",
      "c: rule 1 (team/*): pushed less than 2w ago",
      "- d: rule 1 (team/*): older than the 2 newest by push, and pushed more than 2w ago",
    ]);
  });

  it("with both globs and a range have to fit both", () => {
    const policy = policyOf([
      { repositories: ["**"], tags: ["*-alpine"], semver: "1.x", keep: { newest: 0, by: "push" } },
    ]);
    const tags = [tag("1.2.3-alpine", 1), tag("1.2.3", 1), tag("2.0.0-alpine", 1), tag("x-alpine", 1)];
    expect(verdicts({ policy, tags }).filter(({ keep }) => !keep)).toMatchObject([
      { tag: "1.2.3-alpine", rule: { index: 1, description: "**:*-alpine 1.x" } },
    ]);
  });

  it("on one digest are one image, as new as the newest of them", () => {
    const tags = [tag("1.0", 90, 1), tag("stable", 1, 1), tag("1.1", 50, 2), tag("1.2", 40, 3)];
    expect(verdicts({ policy: policyOf([newest(2)]), tags }).map(({ keep }) => keep)).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it("of the same date are told apart by name, numbers as numbers", () => {
    const tags = ["1.9.0", "1.10.0", "1.8.0", "1.11.0"].map((name) => tag(name, 5));
    expect(
      verdicts({ policy: policyOf([newest(2)]), tags }).flatMap(({ tag: name, keep }) => (keep ? [name] : [])),
    ).toEqual(["1.10.0", "1.11.0"]);
  });

  it("go by the date of the image where the rule says so", () => {
    const tags = [
      { ...tag("rebuilt", 90), built: daysAgo(1) },
      { ...tag("repushed", 1), built: daysAgo(90) },
    ];
    const policy = policyOf([{ repositories: ["**"], keep: { newest: 1, by: "build" } }]);
    expect(told({ policy, tags })).toEqual([
      "rebuilt: rule 1 (**): the newest by build",
      "- repushed: rule 1 (**): older than the newest by build",
    ]);
    expect(needsBuildDates(policy, "team/api")).toBe(true);
    expect(needsBuildDates(policyOf([newest(1)]), "team/api")).toBe(false);
    expect(needsBuildDates(policyOf([{ ...policy.rules[0], repositories: ["x/*"] }]), "team/api")).toBe(false);
  });

  it.each([
    ["is missing", undefined],
    ["is no number", Number.NaN],
    ["is 1970, as reproducible builds write", 0],
    ["is 1980, as buildpacks write", Date.UTC(1980, 0, 1, 0, 0, 1)],
    ["is the year 1, as Go writes", Date.parse("0001-01-01T00:00:00Z")],
  ])("stay when their date %s, and take no place among the newest", (_title, built) => {
    const policy = policyOf([{ repositories: ["**"], keep: { newest: 1, newerThan: "1d", by: "build" } }]);
    const tags = [{ ...tag("undated", 99), built }, tag("a", 5), tag("b", 6)];
    expect(told({ policy, tags })).toEqual([
      "undated: rule 1 (**): when it was built is not known",
      "a: rule 1 (**): the newest by build",
      "- b: rule 1 (**): older than the newest by build, and built more than 1d ago",
    ]);
  });

  it("that are protected stay, and take no place among the newest", () => {
    const policy = policyOf([newest(1)], ["prod/**", "team/*:v*"]);
    expect(told({ policy, tags: [tag("v2", 1), tag("b", 2), tag("c", 3)] })).toEqual([
      "v2: protected by team/*:v*",
      "b: rule 1 (**): the newest by push",
      "- c: rule 1 (**): older than the newest by push",
    ]);
    expect(told({ policy, repository: "prod/a/b", tags: [tag("c", 3)] })).toEqual(["c: protected by prod/**"]);
  });

  it("that are in use stay, by tag, by digest, or by a manifest of their index, unless that is switched off", () => {
    const inUse = (_repository: string, name: string | undefined, digest: string) =>
      name === "web" || digest === digestOf("by") || digest === digestOf("arm") ? "container web" : undefined;
    const tags = [
      tag("web", 9),
      tag("sibling", 9, "by"),
      { ...tag("index", 9), children: [digestOf("arm")] },
      tag("x", 9),
    ];
    const question = { policy: policyOf([newest(0)]), tags, inUse };
    expect(told(question)).toEqual([
      "web: in use by container web",
      "sibling: in use by container web",
      "index: in use by container web",
      "- x: rule 1 (**): it keeps none",
    ]);
    const careless = { ...question, policy: { ...question.policy, protectInUse: false } };
    expect(verdicts(careless).some(({ keep }) => keep)).toBe(false);
  });
});

describe("what refers to an image", () => {
  const policy = policyOf([{ repositories: ["**"], keep: { newest: 1, by: "push" }, untagged: { olderThan: "7d" } }]);

  it("follows it, however its tag ends and however new it is", () => {
    const tags = [
      tag("new", 1, 1),
      tag("old", 9, 2),
      tag(referrersTag(1), 99, 11),
      tag(referrersTag(1, ".sig"), 99, 12),
      tag(referrersTag(2, ".att"), 0, 13),
      tag(referrersTag(2, ".sbom"), 0, 14),
    ];
    expect(told({ policy, tags }).map((line) => line.replace(/0{20,}/g, "…"))).toEqual([
      "new: rule 1 (**): the newest by push",
      "- old: rule 1 (**): older than the newest by push",
      "sha256-…1: belongs to sha256:000000000000, which is kept",
      "sha256-…1.sig: belongs to sha256:000000000000, which is kept",
      "- sha256-…2.att: belongs to sha256:000000000000, which is kept no longer",
      "- sha256-…2.sbom: belongs to sha256:000000000000, which is kept no longer",
    ]);
  });

  const keeps = (question: Parameters<typeof verdicts>[0]) => verdicts(question).map(({ keep }) => keep);

  it("stays while one tag of the image does", () => {
    const some = policyOf([{ repositories: ["**"], tags: ["pr-*"], keep: { newest: 0, by: "push" } }]);
    expect(keeps({ policy: some, tags: [tag("pr-1", 9, 1), tag("v1", 9, 1), tag(referrersTag(1), 9)] })).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("stays when nothing is known of what it refers to", () => {
    expect(told({ policy, tags: [tag(referrersTag(5), 900)] })).toEqual([
      expect.stringContaining("which is not among the tags here"),
    ]);
  });

  it("is not an image under its own digest, which imgpkg sets so that a bundle's images are not collected", () => {
    expect(told({ policy, tags: [tag(referrersTag(5, ".imgpkg"), 900, 5)] })).toEqual([
      expect.stringMatching(/^sha256.*its name is its own digest: it was set to keep the image$/),
    ]);
  });

  it("follows a manifest of an index, and a signature the SBOM it signs", () => {
    const tags = (kept: string, gone: string) => [
      { ...tag("new", 1, kept), children: [digestOf(`${kept}a`)] },
      { ...tag("old", 9, gone), children: [digestOf(`${gone}a`)] },
      { ...tag(referrersTag("1a"), 9, 11), children: [digestOf("5b")] },
      tag(referrersTag("5b", ".sig"), 9, 12),
    ];
    expect(keeps({ policy, tags: tags("1", "2") })).toEqual([true, false, true, true]);
    expect(keeps({ policy, tags: tags("2", "1") })).toEqual([true, false, false, false]);
  });

  it("follows an untagged image that stays", () => {
    const tags = [tag(referrersTag(1), 99)];
    expect(keeps({ policy, tags, untagged: [{ digest: digestOf(1), pushed: daysAgo(1) }] })).toEqual([true, true]);
    expect(keeps({ policy, tags, untagged: [{ digest: digestOf(1), pushed: daysAgo(9) }] })).toEqual([false, false]);
  });
});

describe("what no tag reaches", () => {
  const policy = policyOf([{ repositories: ["**"], untagged: { olderThan: "7d" } }], ["base:*", "prod:v*"]);

  it("goes by the first rule that speaks of it, when it is old enough", () => {
    const first = policyOf([newest(0), { repositories: ["team/*"], untagged: { olderThan: "2w" } }, ...policy.rules]);
    const untagged = [
      { digest: digestOf(1), pushed: daysAgo(15) },
      { digest: digestOf(2), pushed: daysAgo(13) },
      { digest: digestOf(3) },
    ];
    expect(told({ policy: first, untagged })).toEqual([
      "- 1: rule 2 (team/*): untagged, and pushed more than 2w ago",
      "2: rule 2 (team/*): untagged, and pushed less than 2w ago",
      "3: rule 2 (team/*): when it was pushed is not known",
    ]);
    expect(told({ policy: policyOf([newest(0)]), untagged })).toEqual(
      ["1", "2", "3"].map((name) => `${name}: no rule decides about it`),
    );
  });

  it("stays in a repository that is protected as a whole, not in one with protected tags", () => {
    const untagged = [{ digest: digestOf(1), pushed: daysAgo(15) }];
    expect(told({ policy, repository: "base", untagged })).toEqual(["1: protected by base:*"]);
    expect(verdicts({ policy, repository: "prod", untagged })).toMatchObject([{ keep: false }]);
    expect([needsUntagged(policy, "base"), needsUntagged(policy, "prod")]).toEqual([false, true]);
    expect(needsUntagged(policyOf([newest(0)]), "prod")).toBe(false);
  });

  it("stays while something kept needs it: a younger index, an image in use, a subject", () => {
    const old = { pushed: daysAgo(90) };
    const untagged = [
      { digest: digestOf("1a"), ...old },
      { digest: digestOf("2a"), ...old, subject: digestOf("1a") },
      { digest: digestOf("3a"), ...old },
      { digest: digestOf("4a"), ...old, subject: digestOf("5") },
      { digest: digestOf("9"), pushed: daysAgo(1), children: [digestOf("1a")] },
      { digest: digestOf("8"), ...old, children: [digestOf("3a")] },
      { digest: digestOf("7"), ...old, children: [digestOf("6")] },
      { digest: digestOf("6"), ...old },
    ];
    const inUse = (_repository: string, _tag: string | undefined, digest: string) =>
      digest === digestOf("8") ? "service api" : undefined;
    expect(told({ policy, tags: [tag("v1", 9, 5)], untagged, inUse })).toEqual([
      "v1: no rule decides about it",
      "1a: part of sha256:000000000000, which is kept",
      "2a: belongs to sha256:000000000000, which is kept",
      "3a: part of sha256:000000000000, which is kept",
      "4a: belongs to sha256:000000000000, which is kept",
      "9: rule 1 (**): untagged, and pushed less than 7d ago",
      "8: in use by service api",
      "- 7: rule 1 (**): untagged, and pushed more than 7d ago",
      "- 6: rule 1 (**): untagged, and pushed more than 7d ago",
    ]);
  });
});
