import { isIssuedBy, isSame, isSelfSigned } from "../../pki/chain.ts";
import { oneLine } from "../../pki/describe.ts";
import { findTrustPath } from "../../pki/trust-path.ts";
import { FILES } from "../../project/paths.ts";
import type { Check, Diagnosis } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { newCertificate, type SeenCertificates, seenCertificates } from "../seen-certificates.ts";

function gap({ leaf, chain, authority, config }: SeenCertificates): Diagnosis | undefined {
  const pool = [...chain.slice(1), ...(authority === undefined ? [] : [authority])];
  const { anchor, findings, sent } = findTrustPath({ leaf, pool });
  const error = findings.find(({ severity }) => severity === "error");
  if (error !== undefined) {
    const foreign = authority !== undefined && error.code === "MISSING_INTERMEDIATE" && chain.length === 1;
    const more = foreign ? `; ${FILES.authorityCertificate} is ${oneLine(authority.subject)}` : "";
    return {
      verdict: "broken",
      cause: `${error.message}${more}`,
      fix:
        config.tls.mode === "own-ca"
          ? "regctl up"
          : `regctl certs import CERTIFICATE --key KEY --chain INTERMEDIATES (${error.hint ?? ""})`,
    };
  }
  if (
    anchor !== undefined &&
    authority !== undefined &&
    !isSame(anchor, authority) &&
    !sent.some((one) => isSame(one, authority))
  ) {
    const cause = `clients are given ${oneLine(authority.subject)} (${FILES.authorityCertificate}), and the certificate leads to ${oneLine(anchor.subject)}`;
    return { verdict: "broken", cause, fix: newCertificate(config) };
  }
  return undefined;
}

/** Clients put up with more than this, but not all of them, and not with an issuer that is missing. */
export const certificateFileChain: Check<DeploymentFacts> = {
  id: "certificate-file-chain",
  title: "the chain is complete, in order, and leads to the CA clients are given",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined) return undefined;
    const missing = gap(seen);
    if (missing !== undefined) return missing;
    const { chain, config } = seen;
    const again =
      config.tls.mode === "own-ca"
        ? "regctl certs renew"
        : `regctl certs import ${FILES.certificate} --key ${FILES.key}`;
    const warning = (cause: string): Diagnosis => ({ verdict: "warning", cause, fix: again });
    const disordered = chain.findIndex((one, index) => {
      const next = chain[index + 1];
      return next !== undefined && !isIssuedBy(one, next);
    });
    if (disordered !== -1)
      return warning(
        `certificate ${disordered + 2} of ${FILES.certificate} did not issue the one before it: the order is leaf, then each issuer`,
      );
    const root = chain.slice(1).find(isSelfSigned);
    if (root === undefined) return undefined;
    return warning(
      `${FILES.certificate} holds the CA ${oneLine(root.subject)} itself, which clients must have from elsewhere`,
    );
  },
};
