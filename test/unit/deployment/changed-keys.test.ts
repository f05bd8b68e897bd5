import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { whatChanged } from "../../../src/deployment/changed-keys.ts";

describe("whatChanged", () => {
  const before = dump({ log: { level: "info" }, http: { secret: "s3cr3t", headers: { A: ["1"] } } });

  it("names the keys and never a value", () => {
    const after = dump({
      log: { level: "debug" },
      http: { secret: "other", headers: { A: ["1", "2"] } },
      redis: { addr: "r:1" },
    });
    expect(whatChanged(before, after)).toBe("log.level, http.secret, http.headers.A, redis.addr changed");
  });

  it("counts those that would not fit", () => {
    expect(whatChanged("{}", dump({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }))).toBe("a, b, c, d and 2 more changed");
  });

  it.each([
    ["a comment", `# mine\n${before}`, "it was edited"],
    ["a broken file", "a: [", "it is not valid YAML any more"],
    ["an empty file", "", "it is not valid YAML any more"],
  ])("says what it can about %s", (_, edited, expected) => {
    expect(whatChanged(edited, before)).toBe(expected);
  });
});
