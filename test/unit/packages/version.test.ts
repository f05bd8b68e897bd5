import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { upstreamVersion } from "../../../src/packages/version.ts";

describe("upstreamVersion", () => {
  it.each([
    ["2.8.2+ds1-1", "2.8.2"],
    ["2.8.3-1ubuntu0.1", "2.8.3"],
    ["2.8.0~rc1-1", "2.8.0-rc1"],
    ["1:1.35.0-4+deb12u1+b1", "1.35.0"],
    ["3.1.1", "3.1.1"],
  ])("of %s is %s", (version, upstream) => {
    expect(upstreamVersion(version)).toBe(upstream);
  });

  it("can always be part of a tag", () => {
    const rest = fc.string({ unit: fc.constantFrom(..."0123456789abcdefxyzABC.+-~"), maxLength: 20 });
    fc.assert(
      fc.property(fc.option(fc.nat(9)), fc.nat(99), rest, (epoch, major, tail) => {
        const version = `${epoch === null ? "" : `${epoch}:`}${major}${tail}`;
        expect(upstreamVersion(version)).toMatch(/^[0-9][A-Za-z0-9_.-]*$/);
      }),
    );
  });
});
