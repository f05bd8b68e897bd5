import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { AUTHORITY_LIMITS, expiryOf } from "../expiry.ts";
import { seenCertificates } from "../seen-certificates.ts";

/** Clients with an expired CA refuse a valid certificate, and replacing a CA on every client takes months. */
export const authorityExpiry: Check<DeploymentFacts> = {
  id: "authority-expiry",
  title: "the CA is valid for more than a year",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen?.authority === undefined) return undefined;
    const { authority, config } = seen;
    const expiry = expiryOf(authority, facts.now, AUTHORITY_LIMITS);
    if (expiry === undefined) return undefined;
    return {
      verdict: expiry.verdict,
      cause: `the CA that clients trust ${expiry.text}, on ${authority.validTo}: from then on every client refuses the registry`,
      fix:
        config.tls.mode === "own-ca"
          ? "regctl certs rollover"
          : "give clients the successor of the CA, then: regctl certs import CERTIFICATE --key KEY",
    };
  },
};
