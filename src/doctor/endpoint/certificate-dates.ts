import type { X509Certificate } from "node:crypto";
import { daysLeft } from "../../pki/describe.ts";
import type { Check, Diagnosis } from "../check.ts";
import { broken, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { clockAhead, spanText } from "./clock.ts";

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;
const VERY_SOON_DAYS = 7;
const HOUR_MS = 3_600_000;

function clockHint(facts: EndpointFacts): string {
  const ahead = clockAhead(facts) ?? 0;
  return Math.abs(ahead) < HOUR_MS
    ? ""
    : `; but the two clocks differ by ${spanText(ahead)}, so look at this machine's first: date -u`;
}

/** `what`: "the certificate", "the CA CN=…". Certificates that live for days are renewed in their last third. */
export function datesOf(
  facts: EndpointFacts,
  certificate: X509Certificate,
  what: string,
  soonMs: number,
  fix: readonly string[],
): Diagnosis | undefined {
  const [from, to, now] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo), facts.now.getTime()];
  const day = (time: number) => new Date(time).toISOString().slice(0, 16).replace("T", " ");
  const current = `, and it is ${day(now)} UTC here`;
  if (now > to) return broken(`${what} expired on ${day(to)} UTC${current}${clockHint(facts)}`, ...fix);
  if (now < from)
    return broken(
      `${what} is not valid before ${day(from)} UTC${current}${clockHint(facts)}`,
      "set the clock that is wrong: timedatectl set-ntp true; when the certificate was made on a machine whose clock is ahead, set that first",
      ...fix,
    );
  const left = daysLeft(certificate.validTo, facts.now);
  if (to - now > Math.min(soonMs, (to - from) / 3)) return undefined;
  const urgency = left <= VERY_SOON_DAYS ? "only " : "";
  return warning(`${what} ends in ${urgency}${left} day${left === 1 ? "" : "s"}, on ${day(to)} UTC`, ...fix);
}

export const certificateDates: Check<EndpointFacts> = {
  id: "certificate-dates",
  title: "the certificate is valid now and for a while",
  async examine(facts) {
    const [leaf] = facts.chain?.sent ?? [];
    return leaf === undefined
      ? undefined
      : datesOf(facts, leaf, "the certificate", SOON_MS, [
          "on the registry's host: `regctl certs renew`; clients need nothing, the CA stays",
          "behind a proxy: renew there and reload it: nginx -s reload",
        ]);
  },
};
