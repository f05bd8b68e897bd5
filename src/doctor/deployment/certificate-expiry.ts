import { oneLine } from "../../pki/describe.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { expiryOf } from "../expiry.ts";
import { newCertificate, seenCertificates } from "../seen-certificates.ts";

export const certificateExpiry: Check<DeploymentFacts> = {
  id: "certificate-expiry",
  title: "the certificate and its intermediates are valid for some time",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined) return undefined;
    const { leaf, chain, config } = seen;
    const fix = newCertificate(config);
    if (Date.parse(leaf.validFrom) > facts.now.getTime())
      return { verdict: "broken", cause: `the certificate is not valid before ${leaf.validFrom}`, fix };
    const ends = chain.flatMap((certificate) => {
      const expiry = expiryOf(certificate, facts.now);
      return expiry === undefined ? [] : [{ certificate, ...expiry }];
    });
    const first = ends.sort((a, b) => a.daysLeft - b.daysLeft)[0];
    if (first === undefined) return undefined;
    const what =
      first.certificate === leaf ? "the certificate" : `the intermediate ${oneLine(first.certificate.subject)}`;
    return { verdict: first.verdict, cause: `${what} ${first.text}, on ${first.certificate.validTo}`, fix };
  },
};
