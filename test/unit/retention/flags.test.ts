import { describe, expect, it } from "vitest";
import { policyFromFlags, type RetentionFlags } from "../../../src/retention/flags.ts";
import { policyOf } from "./facts.ts";

const written = policyOf([{ repositories: ["x"], keep: { newest: 5, by: "push" } }], ["prod/**"]);

describe("flags of prune", () => {
  it("make one rule that takes the place of those in regctl.yaml, and leave what it protects", () => {
    const flags: RetentionFlags = {
      keep: "10",
      by: "build",
      newerThan: "30d",
      tags: ["pr-*"],
      semver: "1.x",
      repositories: ["team/*"],
      untagged: true,
      protect: ["base"],
    };
    expect(policyFromFlags(flags, written)).toEqual({
      protect: ["prod/**", "base"],
      protectInUse: true,
      rules: [
        {
          repositories: ["team/*"],
          tags: ["pr-*"],
          semver: "1.x",
          keep: { newest: 10, newerThan: "30d", by: "build" },
          untagged: { olderThan: "7d" },
        },
      ],
    });
    expect(policyFromFlags({ keep: "0" }, written).rules).toEqual([
      { repositories: ["**"], keep: { newest: 0, by: "push" } },
    ]);
    expect(policyFromFlags({ untagged: "2w" }, written).rules).toEqual([
      { repositories: ["**"], untagged: { olderThan: "2w" } },
    ]);
  });

  it("that only protect leave the rules as they are", () => {
    expect(policyFromFlags({}, written)).toEqual(written);
    expect(policyFromFlags({ protect: ["base"] }, written).rules).toBe(written.rules);
    expect(policyFromFlags({ protectInUse: false }, written).protectInUse).toBe(false);
    expect(policyFromFlags({ protectInUse: true }, { ...written, protectInUse: false }).protectInUse).toBe(false);
  });

  it.each<[RetentionFlags, string[]]>([
    [{ keep: "ten" }, ["--keep"]],
    [{ keep: "-1" }, ["--keep"]],
    [{ keep: "1e3" }, ["--keep"]],
    [{ keep: "1", by: "pull" }, ["--by"]],
    [{ newerThan: "6m" }, ["--newer-than"]],
    [{ untagged: "soon" }, ["--untagged"]],
    [{ keep: "1", tags: ["a", "^v.*$"], semver: "new" }, ["--tags", "--semver"]],
    [{ keep: "1", repositories: ["localhost:5000/a"], protect: ["A"] }, ["--repo", "--protect"]],
    [{ keep: "1", tags: ["{".repeat(100_000)] }, ["--tags"]],
    [{ tags: ["pr-*"], by: "push" }, ["--tags, --by"]],
    [{ untagged: true, semver: "1.x" }, ["--semver"]],
    [{ repositories: ["team/*"] }, ["--repo"]],
  ])("%o are refused together, each with what to write", (flags, paths) => {
    try {
      policyFromFlags(flags, written);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "usage", issues: paths.map((path) => ({ path, hint: expect.any(String) })) });
      expect(JSON.stringify(error).length).toBeLessThan(2000);
    }
  });
});
