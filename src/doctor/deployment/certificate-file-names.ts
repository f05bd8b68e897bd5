import { certificateHosts } from "../../config/config.ts";
import { coversHost } from "../../pki/host-match.ts";
import { normalizeHosts } from "../../pki/san.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { seenCertificates } from "../seen-certificates.ts";

export const certificateFileNames: Check<DeploymentFacts> = {
  id: "certificate-file-names",
  title: "the certificate covers every name of regctl.yaml",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined) return undefined;
    const { leaf, config } = seen;
    const missing = normalizeHosts(certificateHosts(config))
      .filter((host) => !coversHost(leaf, host))
      .map(({ value }) => value);
    if (missing.length === 0) return undefined;
    const covered = leaf.subjectAltName ?? "no name at all";
    return {
      verdict: "broken",
      cause: `the certificate does not cover ${missing.join(", ")}, only ${covered}`,
      fix:
        config.tls.mode === "own-ca"
          ? "regctl up"
          : `have one issued for ${missing.join(", ")} as well, then: regctl certs import CERTIFICATE --key KEY`,
    };
  },
};
