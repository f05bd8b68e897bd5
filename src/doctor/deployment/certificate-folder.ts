import { FILES } from "../../project/paths.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const OURS: ReadonlySet<string> = new Set([
  FILES.certificate,
  FILES.key,
  FILES.authorityCertificate,
  FILES.authorityKey,
]);
/** What other commands of regctl keep there: a CA on its way, one for clients. */
const KNOWN = /^certs\/(previous|next|client|clients|ca-[\w.-]+|client-ca)[\w.-]*$/;
const SHOWN = 3;

/** The whole folder is mounted: what lies in it, the registry and whoever takes it over can read. */
export const certificateFolder: Check<DeploymentFacts> = {
  id: "certificate-folder",
  title: "certs/ holds nothing but the certificates and keys of this deployment",
  async examine(facts) {
    const files = await facts.files();
    const stray = files
      .map(({ path }) => path)
      .filter((path) => path.startsWith("certs/") && !OURS.has(path) && !KNOWN.test(path));
    if (stray.length === 0) return undefined;
    const shown = stray.slice(0, SHOWN).map(shownName).join(", ");
    return {
      verdict: "warning",
      cause: `${shown}${stray.length > SHOWN ? ` and ${stray.length - SHOWN} more` : ""} in the folder the registry's container can read`,
      fix: "move it out of certs/; keys of other certificates have no business there",
    };
  },
};
