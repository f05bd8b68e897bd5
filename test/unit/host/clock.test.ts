import { describe, expect, it } from "vitest";
import { clockLooksWrong } from "../../../src/host/clock.ts";

describe("clockLooksWrong", () => {
  it("names the day of a clock that lags behind", () => {
    expect(clockLooksWrong(new Date("1970-01-01T00:02:00Z"))).toContain("1970-01-01");
    expect(clockLooksWrong(new Date("2025-12-31T23:59:59Z"))).toContain("2025-12-31");
  });

  it("accepts a plausible one", () => {
    expect(clockLooksWrong(new Date("2026-01-01T00:00:00Z"))).toBeUndefined();
    expect(clockLooksWrong(new Date("2044-05-05T00:00:00Z"))).toBeUndefined();
  });
});
