import type { CertificateInfo } from "./describe.ts";

const DAY_MS = 86_400_000;

/** How long a certificate lives from its first to its last moment, in days. */
export function lifetimeDays({ notBefore, notAfter }: Pick<CertificateInfo, "notBefore" | "notAfter">): number {
  return (Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS;
}

/**
 * Days left below which a certificate is renewed: a third of its life, 30 days at least, so that a year's certificate has
 * months of tries; of a short life never more than two thirds.
 */
export function renewBelowDays(info: Pick<CertificateInfo, "notBefore" | "notAfter">): number {
  const life = lifetimeDays(info);
  return Math.floor(Math.min(Math.max(30, life / 3), (life * 2) / 3));
}

/** Days left below which people are warned (30), and urgently (7); less for a life too short for that. */
export function warnBelowDays(info: Pick<CertificateInfo, "notBefore" | "notAfter">): {
  readonly soon: number;
  readonly urgent: number;
} {
  const life = lifetimeDays(info);
  return { soon: Math.min(30, life / 3), urgent: Math.min(7, life / 12) };
}
