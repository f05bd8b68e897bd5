import { describe, expect, it } from "vitest";
import { parseAge } from "../../../src/retention/age.ts";
import { parseProtection, parseVersionRange } from "../../../src/retention/patterns.ts";

describe("a range of versions", () => {
  it.each([
    [
      ">=1.0.0 <2.0.0",
      ["1.0.0", "v1.9.9", "1.2.3-rc.1", "1.2.3_build.5"],
      ["0.9.9", "2.0.0", "2.1.0-rc.1", "1.0.0-rc.1"],
    ],
    ["^1", ["1.0.0", "1.99.0"], ["2.0.0", "2.0.0-rc.1"]],
    ["1.x || 3.x", ["1.2.3", "3.0.0"], ["2.0.0"]],
    ["*", ["0.0.1", "1.2.3-alpha"], []],
    // By their order 2.0.0-rc.1 comes before 2.0.0.
    ["<2.0.0", ["2.0.0-rc.1"], ["2.0.0"]],
  ])("%s", (range, accepted, refused) => {
    const isInRange = parseVersionRange(range);
    expect(accepted.filter((tag) => !isInRange(tag))).toEqual([]);
    expect(refused.filter((tag) => isInRange(tag))).toEqual([]);
  });

  it.each(["latest", "1", "1.2", "v1", "1.2.3.4", "01.2.3", "2026-11-21", "release-1.2.3", "sha256-1.2.3"])(
    "never has %s, which is no version",
    (tag) => {
      expect(parseVersionRange("*")(tag)).toBe(false);
    },
  );

  it.each(["", "  ", "latest", ">=1 || foo", "1".repeat(300), ">>1"])("is not %j", (text) => {
    expect(() => parseVersionRange(text)).toThrow(
      expect.objectContaining({ code: "input-invalid", hint: expect.stringContaining("^1.4") }),
    );
  });
});

describe("a protection", () => {
  it("is of a repository, or of tags in it", () => {
    const { repository, tag } = parseProtection("prod/**:v*");
    expect([repository("prod/api"), repository("test/api"), tag?.("v1"), tag?.("latest")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(parseProtection("base").tag).toBeUndefined();
    expect(parseProtection("base:*").tag).toBeUndefined();
  });

  it.each(["localhost:5000/prod/**:v*", "prod:", ":v*", "", "prod:a:b", "Prod:v*"])("is not %j", (text) => {
    expect(() => parseProtection(text)).toThrow(expect.objectContaining({ code: "input-invalid" }));
  });
});

describe("an age", () => {
  it.each([
    ["12h", 12 * 3600e3],
    ["30d", 30 * 86400e3],
    ["2w", 14 * 86400e3],
    ["0h", 0],
  ])("%s", (text, milliseconds) => {
    expect(parseAge(text)).toBe(milliseconds);
  });

  it.each(["", "30", "d", "6m", "1y", "-1d", "1.5d", "30 d", "30D", "999999d", "1d12h"])("is not %j", (text) => {
    expect(() => parseAge(text)).toThrow(expect.objectContaining({ code: "input-invalid" }));
  });
});
