import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AUTHORITY_LIMITS, CERTIFICATE_LIMITS, expiryOf } from "../../../src/doctor/expiry.ts";
import { NOW, valid } from "../../support/deployment-facts.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const after = (ms: number) => new Date(NOW.getTime() + ms);
const lived = (lifeDays: number, leftMs: number) => valid(after(leftMs - lifeDays * DAY_MS), after(leftMs));

describe("a certificate of a year", () => {
  it.each([
    [30 * DAY_MS, undefined, undefined],
    [30 * DAY_MS - SECOND_MS, "warning", "ends in 29 days"],
    [7 * DAY_MS, "warning", "ends in 7 days"],
    [7 * DAY_MS - SECOND_MS, "broken", "ends in 6 days"],
    [DAY_MS, "broken", "ends in 1 day"],
    [0, "broken", "ends in 0 days"],
    [-SECOND_MS, "broken", "ended 0 days ago"],
    [-3 * DAY_MS, "broken", "ended 3 days ago"],
  ])("with %d ms left is %s", (left, verdict, text) => {
    const expiry = expiryOf(lived(397, left), NOW);
    expect(expiry?.verdict).toBe(verdict);
    expect(expiry?.text).toBe(text);
  });
});

describe("one that lives shortly", () => {
  it.each([
    [45, 15, undefined],
    [45, 14, "warning"],
    [45, 4, "broken"],
    [6, 2, undefined],
    [6, 1, "warning"],
  ])("of %d days with %d left is %s", (life, left, verdict) => {
    expect(expiryOf(lived(life, left * DAY_MS), NOW)?.verdict).toBe(verdict);
  });
});

it("a CA is spoken of a year ahead", () => {
  expect(expiryOf(lived(3650, 366 * DAY_MS), NOW, AUTHORITY_LIMITS)).toBeUndefined();
  expect(expiryOf(lived(3650, 364 * DAY_MS), NOW, AUTHORITY_LIMITS)?.verdict).toBe("warning");
  expect(expiryOf(lived(3650, 29 * DAY_MS), NOW, AUTHORITY_LIMITS)?.verdict).toBe("broken");
});

it("never gets better as time goes on, and is broken from its end on", () => {
  const rank = { undefined: 0, warning: 1, broken: 2 } as const;
  const days = fc.integer({ min: 1, max: 4000 });
  fc.assert(
    fc.property(days, fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 }), (life, one, other) => {
      const certificate = valid(NOW, after(life * DAY_MS));
      const [earlier, later] = [Math.min(one, other), Math.max(one, other)].map(
        (day) => expiryOf(certificate, after(day * DAY_MS + SECOND_MS), CERTIFICATE_LIMITS)?.verdict,
      );
      expect(rank[`${later as "warning"}`]).toBeGreaterThanOrEqual(rank[`${earlier as "warning"}`]);
      if (Math.max(one, other) >= life) expect(later).toBe("broken");
    }),
  );
});
