import { RegctlError } from "../errors.ts";

const HOUR_MS = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS };

/**
 * `12h`, `30d`, `2w` in milliseconds. No `m`: whoever means months would get minutes, and lose nearly everything. Throws
 * `input-invalid`.
 */
export function parseAge(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const unitMs = UNITS[unit];
  if (unitMs === undefined) {
    throw new RegctlError("input-invalid", `${JSON.stringify(text.slice(0, 50))} is not an age`, {
      hint: "write a whole number and h (hours), d (days) or w (weeks): 12h, 30d, 26w",
    });
  }
  return Number(count) * unitMs;
}
