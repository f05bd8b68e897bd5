import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checkDistribution } from "../../../src/config/distribution/check.ts";

describe("checkDistribution", () => {
  it("reports everything at once, one schema issue a place", () => {
    const config = load("loglevel: info\nlog: {level: loud, formatter: xml}\nhttp: {net: udp}\nredis: {addr: 'r:1'}");
    const paths = checkDistribution(config, 3).map((issue) => issue.path);
    expect(paths.sort()).toEqual(["http.net", "log.formatter", "log.level", "loglevel", "redis.addr"]);
  });

  it("takes an absent section for no wishes and refuses anything but a map", () => {
    expect(checkDistribution(undefined, 3)).toEqual([]);
    expect(checkDistribution(null, 2)).toEqual([]);
    expect(checkDistribution([], 3)).toEqual([{ path: "", message: "should be a map of keys" }]);
  });

  it("never throws and never repeats a value, whatever the shape", () => {
    const secret = "s3cr3t-of-the-operator";
    const sections = ["storage", "auth", "http", "redis", "proxy", "middleware", "log", "notifications", "health"];
    const leaf = fc.oneof(fc.constant(secret), fc.constant(null), fc.boolean(), fc.integer());
    const keys = fc.constantFrom("s3", "tls", "storage", "password", "endpoints", "maintenance", "htpasswd", "addrs");
    const shape = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("tree")), fc.dictionary(keys, tie("tree"))),
    })).tree;
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...sections), shape),
        fc.constantFrom(2 as const, 3 as const),
        (config, major) => {
          const named = ["storage", "auth"].some((key) => config[key] === secret);
          if (!named) expect(JSON.stringify(checkDistribution(config, major))).not.toContain(secret);
          else expect(checkDistribution(config, major).length).toBeGreaterThan(0);
        },
      ),
    );
  });
});
