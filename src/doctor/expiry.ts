/** When an end of validity is worth a word, in days of 24 hours. Pure. */
import type { X509Certificate } from "node:crypto";
import type { Verdict } from "./check.ts";

const DAY_MS = 86_400_000;

export interface Limits {
  /** Fewer days left than this: a warning. */
  readonly soonDays: number;
  /** Fewer than this: broken. */
  readonly urgentDays: number;
}

/** For certificates of a year or so. */
export const CERTIFICATE_LIMITS: Limits = { soonDays: 30, urgentDays: 7 };
/** A CA has to be replaced on every client, which takes months. */
export const AUTHORITY_LIMITS: Limits = { soonDays: 365, urgentDays: 30 };

export interface Expiry {
  readonly verdict: Verdict;
  /** Whole days, negative once it has passed. */
  readonly daysLeft: number;
  /** `ends in 5 days`, `ended 3 days ago`. */
  readonly text: string;
}

function inDays(days: number): string {
  return `${days} day${days === 1 ? "" : "s"}`;
}

/**
 * undefined = far enough away. A certificate that lives shortly is given a third and a tenth of its life, or one of 45 days
 * would always be due.
 */
export function expiryOf(
  certificate: Pick<X509Certificate, "validFrom" | "validTo">,
  now: Date,
  limits: Limits = CERTIFICATE_LIMITS,
): Expiry | undefined {
  const ends = Date.parse(certificate.validTo);
  const lifeDays = (ends - Date.parse(certificate.validFrom)) / DAY_MS;
  const left = (ends - now.getTime()) / DAY_MS;
  const daysLeft = Math.floor(left);
  if (left < 0) return { verdict: "broken", daysLeft, text: `ended ${inDays(Math.floor(-left))} ago` };
  const text = `ends in ${inDays(daysLeft)}`;
  if (left < Math.min(limits.urgentDays, lifeDays / 10)) return { verdict: "broken", daysLeft, text };
  return left < Math.min(limits.soonDays, lifeDays / 3) ? { verdict: "warning", daysLeft, text } : undefined;
}
