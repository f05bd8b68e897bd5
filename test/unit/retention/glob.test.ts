import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GlobSubject, parseGlob } from "../../../src/retention/glob.ts";
import { runs } from "../../support/property-runs.ts";

const matches = (glob: string, name: string, subject: GlobSubject = "repository") => parseGlob(glob, subject)(name);

describe("a repository glob", () => {
  it.each([
    ["team/*", ["team/api", "team/a.b-c"], ["team", "team/api/v2", "teams/api", "x/team/api"]],
    ["prod/**", ["prod", "prod/api", "prod/a/b/c"], ["production", "x/prod/api"]],
    ["**", ["a", "a/b", "a/b/c"], []],
    ["**/api", ["api", "a/api", "a/b/api"], ["api2", "a/api/b"]],
    ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a", "z", "a/zz"]],
    ["team/{api,web}", ["team/api", "team/web"], ["team/db", "team/{api,web}"]],
    ["{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"], ["a/b"]],
    ["v[0-9]?", ["v1a", "v99"], ["v1", "va1", "v1/"]],
    ["[!a-c]x", ["dx"], ["ax", "x"]],
    ["a*b*c", ["abc", "aXbXc".toLowerCase(), "abbcc"], ["acb", "ab", "ab/c"]],
  ])("%s", (glob, accepted, refused) => {
    expect(accepted.filter((name) => !matches(glob, name))).toEqual([]);
    expect(refused.filter((name) => matches(glob, name))).toEqual([]);
  });

  const letters = fc.string({ unit: fc.constantFrom("a", "b", "-"), minLength: 1, maxLength: 6 });
  const wildcards = fc
    .string({ unit: fc.constantFrom("a", "b", "-", "*", "?", "[ab]", "[!a]", "[a-b]"), minLength: 1, maxLength: 6 })
    .filter((glob) => !glob.includes("**"));

  it("takes a part of a name as a POSIX shell does", () => {
    const pairs = fc.sample(fc.tuple(wildcards, letters), { numRuns: 2000, seed: 7 });
    const script = "while read -r glob name; do case $name in $glob) echo true;; *) echo false;; esac; done";
    const input = pairs.map(([glob, name]) => `${glob} ${name}\n`).join("");
    const shell = execFileSync("sh", ["-c", script], { input, encoding: "utf8" }).trim().split("\n");
    expect(shell).toContain("true");
    expect(pairs.map(([glob, name]) => String(matches(glob, name)))).toEqual(shell);
  });

  const folders = (globs: readonly string[], names: readonly string[]): boolean => {
    const [glob, ...rest] = globs;
    if (glob === undefined) return names.length === 0;
    if (glob === "**") return names.some((_, index) => folders(rest, names.slice(index))) || folders(rest, []);
    return names.length > 0 && (glob === "*" || glob === names[0]) && folders(rest, names.slice(1));
  };
  const globPath = fc.array(fc.constantFrom("a", "b", "*", "**"), { minLength: 1, maxLength: 6 });
  const namePath = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 6 });

  it("takes ** for any number of folders", () => {
    fc.assert(
      fc.property(globPath, namePath, (globs, names) => {
        expect(matches(globs.join("/"), names.join("/"))).toBe(folders(globs, names));
      }),
      { numRuns: runs(2000) },
    );
  });

  it("takes no time that grows out of hand, whatever is pushed", () => {
    const started = performance.now();
    const star = parseGlob(`${"*-".repeat(100)}x`, "tag");
    const folders = parseGlob(`${"**/*-/".repeat(40)}x`, "repository");
    for (let round = 0; round < 100; round += 1) {
      expect(star("-".repeat(128))).toBe(false);
      expect(folders("a-/".repeat(80).slice(0, -1))).toBe(false);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("a tag glob", () => {
  it("tells upper from lower case", () => {
    expect(matches("RC-*", "RC-1", "tag")).toBe(true);
    expect(matches("RC-*", "rc-1", "tag")).toBe(false);
  });
});

describe("what is no glob", () => {
  it.each<[string, GlobSubject, RegExp]>([
    ["", "repository", /empty/],
    ["a".repeat(257), "tag", /longer than 256/],
    ["{".repeat(100), "tag", /nested/],
    ["{a,{b,c}}", "tag", /nested/],
    ["{a,b", "tag", /do not pair/],
    ["a}", "tag", /do not pair/],
    ["{a}", "tag", /choice/],
    ["{a,b}".repeat(7), "tag", /more than 64/],
    ["{a,b}".repeat(50), "tag", /more than 64/],
    ["!v*", "tag", /excludes/],
    ["Team/*", "repository", /no upper case/],
    ["localhost:5000/team/*", "repository", /colon/],
    ["^v[0-9]+$", "tag", /characters/],
    ["(a|b)", "tag", /characters/],
    ["a b", "tag", /characters/],
    ["a/b", "tag", /characters/],
    ["a//b", "repository", /empty/],
    ["/a", "repository", /empty/],
    ["a/", "repository", /empty/],
    ["team**", "repository", /beside/],
    ["v**", "tag", /beside/],
    ["[a-z", "tag", /brackets/],
    ["a]", "tag", /brackets/],
    ["[]", "tag", /no set/],
    ["[z-a]", "tag", /no set/],
  ])("%s", (glob, subject, why) => {
    expect(() => parseGlob(glob, subject)).toThrow(
      expect.objectContaining({ code: "input-invalid", message: expect.stringMatching(why), hint: expect.any(String) }),
    );
  });

  it("is told without repeating all of it", () => {
    expect(() => parseGlob("{".repeat(1_000_000), "tag")).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/) }),
    );
  });

  it("never fails otherwise", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom<GlobSubject>("repository", "tag"), (text, subject) => {
        try {
          expect(typeof parseGlob(text, subject)("team/api")).toBe("boolean");
        } catch (error) {
          expect(error).toMatchObject({ code: "input-invalid" });
        }
      }),
    );
  });
});
