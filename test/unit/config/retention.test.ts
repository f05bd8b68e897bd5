import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";

const parse = (text: string) => parseConfig({ text, directory: "/srv/acme", defaultUser: { uid: 7, gid: 8 } });

/** `path (line): message` of every issue. */
function issues(text: string): string[] {
  return parse(text).issues.map((issue) => `${issue.path} (${issue.line ?? "-"}): ${issue.message}`);
}

/** A rule per argument, from line 3 on. */
const rules = (...texts: string[]) => `retention:\n  rules:\n${texts.map((text) => `    - ${text}\n`).join("")}`;

describe("the retention section", () => {
  it("becomes a policy with every default in place", () => {
    const { config } = parse(
      `retention:
  protect: ["prod/**:v*", "base:*"]
  rules:
    - repositories: ["team/*"]
      tags: pr-*
      keep: { newest: 10, newerThan: 30d, by: build }
    - semver: ">=1.0.0 <2.0.0"
      keep: { newest: 3 }
    - tags: [keep-*]
      keep: { all: true }
    - repositories: "**"
      untagged: { olderThan: 7d }
`,
    );
    expect(config?.retention).toEqual({
      protect: ["prod/**:v*", "base:*"],
      protectInUse: true,
      rules: [
        { repositories: ["team/*"], tags: ["pr-*"], keep: { newest: 10, newerThan: "30d", by: "build" } },
        { repositories: ["**"], semver: ">=1.0.0 <2.0.0", keep: { newest: 3, by: "push" } },
        { repositories: ["**"], tags: ["keep-*"], keep: { all: true, by: "push" } },
        { repositories: ["**"], untagged: { olderThan: "7d" } },
      ],
    });
    expect(parse("retention: { protectInUse: false }").config?.retention.protectInUse).toBe(false);
  });

  it.each<[string, string[]]>([
    ["retention: 7", ["retention (1): should be a map of keys"]],
    ["retention: { rule: [] }", ["retention.rule (1): is not a key of regctl.yaml"]],
    ["retention:\n  protect: base", ["retention.protect (2): should be a list"]],
    [rules("{}"), ["retention.rules[0] (3): decides about nothing"]],
    [rules("tags: pr-*"), ["retention.rules[0] (3): decides about nothing"]],
    [
      rules("{ tags: pr-*, untagged: { olderThan: 1d } }"),
      ["retention.rules[0] (3): names tags and does not say what stays of them"],
    ],
    [rules("keep: {}"), ["retention.rules[0].keep (3): should say what stays"]],
    [rules("keep: { by: build }"), ["retention.rules[0].keep (3): should say what stays"]],
    [
      rules("keep: { all: true, newest: 1 }"),
      ["retention.rules[0].keep.all (3): keeps everything, so that newest and newerThan mean nothing"],
    ],
    [rules("keep: { all: false }"), ["retention.rules[0].keep.all (3): should be true, or left out"]],
    [rules("keep: { newest: -1 }"), ["retention.rules[0].keep.newest (3): should be a whole number, 0 or more"]],
    [rules("keep: { newest: many }"), ["retention.rules[0].keep.newest (3): should be a whole number, 0 or more"]],
    [
      rules("keep: { newerThan: 6m }"),
      ["retention.rules[0].keep.newerThan (3): should be an age such as 30d, 12h or 26w"],
    ],
    [
      rules("keep: { newerThan: 30 }"),
      ["retention.rules[0].keep.newerThan (3): should be an age such as 30d, 12h or 26w"],
    ],
    [rules("keep: { newest: 1, by: pull }"), ["retention.rules[0].keep.by (3): should be push or build"]],
    [rules("untagged: {}"), ["retention.rules[0].untagged.olderThan (3): should be an age such as 30d, 12h or 26w"]],
    [
      rules("{ repositories: 5, keep: { newest: 1 } }"),
      ["retention.rules[0].repositories (3): should be a glob of repositories, or a list of at most 100"],
    ],
    [
      rules("{ repositories: Team/*, tags: ['^v.*$'], semver: new, keep: { newest: 1 } }"),
      [
        'retention.rules[0].repositories (3): "Team/*" is not a glob: repository names have no upper case: it matches none',
        'retention.rules[0].tags (3): "^v.*$" is not a glob: it has characters no tag glob has',
        'retention.rules[0].semver (3): "new" is not a range of versions: it has a part that compares no version',
      ],
    ],
    [
      "retention:\n  protect: [base, 'localhost:5000/prod:v1']",
      ['retention.protect[1] (2): "localhost:5000/prod:v1" does not name what to protect'],
    ],
    [
      rules("keep: { newest: 1 }", "tags: pr-*\n      keep: { newest: 2 }", "untagged: { olderThan: 1d }"),
      ["retention.rules[1].keep (5): is never asked: rules[0] before it decides about every tag"],
    ],
    [
      rules("untagged: { olderThan: 1d }", "repositories: team/*\n      untagged: { olderThan: 2d }"),
      ["retention.rules[1].untagged (5): is never asked: rules[0] before it decides about everything untagged"],
    ],
  ])("%s", (text, expected) => {
    expect(issues(text)).toEqual(expected);
  });

  it.each([
    ["a glob of a million braces", rules(`{ tags: "${"{".repeat(1_000_000)}", keep: { newest: 1 } }`)],
    ["a thousand rules", rules(...Array.from({ length: 1000 }, () => "keep: { newest: 1 }"))],
    ["ten thousand globs", rules(`{ tags: [${"a,".repeat(10_000)}a], keep: { newest: 1 } }`)],
  ])("refuses %s at once and shortly", (_title, text) => {
    const started = performance.now();
    const found = parse(text).issues;
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found).length).toBeLessThan(2000);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("is what the example of the documentation says", () => {
    const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
    const example = /```yaml\n(retention:[\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(parse(example).issues).toEqual([]);
    expect(parse(example).config?.retention.rules.length).toBeGreaterThan(2);
  });
});
