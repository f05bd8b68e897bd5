import { daysLeft } from "../../pki/describe.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { seenCertificates } from "../seen-certificates.ts";

/** Twice the time in which a renewal is due: early enough to set it up in peace. */
const NEAR_DAYS = 60;

export const renewalSchedule: Check<DeploymentFacts> = {
  id: "renewal-schedule",
  title: "the certificate is renewed by itself when it is due",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined || seen.config.tls.mode !== "own-ca") return undefined;
    const days = daysLeft(seen.leaf.validTo, facts.now);
    if (days >= NEAR_DAYS || (await facts.isRenewalScheduled())) return undefined;
    return {
      verdict: "warning",
      cause: `the certificate ends in ${days} days, and no job of this host renews it`,
      fix: "regctl certs schedule install (or renew it by hand, each year: regctl certs renew)",
    };
  },
};
