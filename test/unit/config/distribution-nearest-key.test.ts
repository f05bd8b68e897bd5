import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearestKey } from "../../../src/config/distribution/nearest-key.ts";

describe("nearestKey", () => {
  it("finds a key behind one slip of the finger, whatever the key", () => {
    const word = fc.stringMatching(/^[a-z]{5,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("drop", "swap", "double", "upper"), (key, at, slip) => {
        const index = at % (key.length - 1);
        const [before, here, next, after] = [key.slice(0, index), key[index]!, key[index + 1]!, key.slice(index + 2)];
        const slips = {
          drop: before + next + after,
          swap: before + next + here + after,
          double: before + here + here + next + after,
          upper: key.toUpperCase(),
        };
        expect(nearestKey(slips[slip as keyof typeof slips], ["zzzzzzzzzzzzzzzzzzzz", key])).toBe(key);
      }),
    );
  });

  it("does not guess at something else", () => {
    expect(nearestKey("bucket", ["level", "addr", "realm"])).toBeUndefined();
    expect(nearestKey("abc", ["xyz"])).toBeUndefined();
  });
});
