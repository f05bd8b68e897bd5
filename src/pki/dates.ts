import type { X509Certificate } from "node:crypto";
import { daysLeft, oneLine } from "./describe.ts";
import { errorFinding, type Finding, warningFinding } from "./finding.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;
const OWN_CLOCK = "check this machine's clock: date; it is set with: timedatectl set-ntp true";

/** Whether a certificate is valid now. Off by less than a day, this machine's clock is the more likely culprit. */
export function checkDates(certificate: X509Certificate, now: Date): Finding[] {
  const name = `the certificate ${oneLine(certificate.subject)}`;
  const clock = `; this machine's clock says ${now.toISOString()} and may be wrong`;
  const untilStart = Date.parse(certificate.validFrom) - now.getTime();
  if (untilStart > 0) {
    const isClose = untilStart < DAY_MS;
    const message = `${name} is valid from ${certificate.validFrom} only${isClose ? clock : ""}`;
    return [errorFinding("NOT_YET_VALID", message, isClose ? OWN_CLOCK : "check this machine's clock: date")];
  }
  const sinceEnd = now.getTime() - Date.parse(certificate.validTo);
  if (sinceEnd >= 0) {
    const message = `${name} expired on ${certificate.validTo}${sinceEnd < DAY_MS ? clock : ""}`;
    return [errorFinding("EXPIRED", message, "get a new one from its issuer")];
  }
  const days = daysLeft(certificate.validTo, now);
  return days < SOON_DAYS
    ? [warningFinding("EXPIRES_SOON", `${name} expires in ${days} days, on ${certificate.validTo}`)]
    : [];
}
