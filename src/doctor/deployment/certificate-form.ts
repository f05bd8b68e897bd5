import { lintAuthority, lintLeaf, lintLink } from "../../pki/lint.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { newCertificate, seenCertificates } from "../seen-certificates.ts";

/** "curl works" says nothing about docker, and "docker works" nothing about Python: the strictest client decides. */
export const certificateForm: Check<DeploymentFacts> = {
  id: "certificate-form",
  title: "every kind of client accepts the form of the certificate and its CA",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined) return undefined;
    const { leaf, chain, authority, config } = seen;
    const ofAuthority = authority === undefined ? [] : lintAuthority(authority);
    // With intermediates between them, the link of the leaf is that to the next certificate.
    const issuer = chain[1] ?? authority;
    const ofLink = issuer === undefined ? [] : lintLink(leaf, issuer).filter(({ code }) => code !== "NOT_ISSUED");
    const findings = [...lintLeaf(leaf), ...ofAuthority, ...ofLink].filter(({ severity }) => severity !== "info");
    const worst = findings.find(({ severity }) => severity === "error") ?? findings[0];
    if (worst === undefined) return undefined;
    const others = findings.filter((finding) => finding !== worst).map(({ code }) => code);
    const blamesAuthority = ofAuthority.includes(worst);
    const renewal = blamesAuthority && config.tls.mode === "own-ca" ? "regctl certs rollover" : newCertificate(config);
    return {
      verdict: worst.severity === "error" ? "broken" : "warning",
      cause: `${worst.message}${others.length === 0 ? "" : ` (also: ${others.join(", ")})`}`,
      fix: renewal,
    };
  },
};
