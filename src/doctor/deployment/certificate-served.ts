import { FILES } from "../../project/paths.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { seenCertificates } from "../seen-certificates.ts";

/** The registry reads its certificate once, when it starts. */
export const certificateServed: Check<DeploymentFacts> = {
  id: "certificate-served",
  title: "the registry serves the certificate that is in the folder",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    const served = seen === undefined ? undefined : await facts.served();
    const [first] = served?.fingerprints ?? [];
    if (seen === undefined || served === undefined || first === undefined) return undefined;
    if (first !== seen.leaf.fingerprint256) {
      const cause = `the registry serves another certificate than ${FILES.certificate}: it was not started again since the file changed`;
      return { verdict: "broken", cause, fix: "regctl restart" };
    }
    const expected = seen.chain.map(({ fingerprint256 }) => fingerprint256);
    // The verifier may add the root it knows.
    if (served.fingerprints.slice(0, expected.length).join() === expected.join()) return undefined;
    const cause = `the registry sends ${served.fingerprints.length} certificates, and ${FILES.certificate} now holds ${expected.length}`;
    return { verdict: "warning", cause, fix: "regctl restart" };
  },
  repair: (facts) => facts.mends.restart(),
};
