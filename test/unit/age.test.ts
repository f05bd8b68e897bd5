import { describe, expect, it } from "vitest";
import { formatAge } from "../../src/age.ts";

describe("formatAge", () => {
  const NOW = Date.parse("2026-01-10T00:00:00Z");
  it.each([
    ["2026-01-10T00:00:30Z", "just now"],
    ["2026-01-09T23:59:30Z", "just now"],
    ["2026-01-09T23:59:00Z", "1 minute ago"],
    ["2026-01-09T22:00:00Z", "2 hours ago"],
    ["2026-01-07T00:00:00Z", "3 days ago"],
    ["2025-12-26T00:00:00Z", "2 weeks ago"],
    ["2024-01-10T00:00:00Z", "2 years ago"],
  ])("%s: %s", (time, age) => {
    expect(formatAge(Date.parse(time), NOW)).toBe(age);
  });
});
