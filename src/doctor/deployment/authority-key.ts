import { FILES } from "../../project/paths.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The registry serves on without it: only the next certificate needs it. */
export const authorityKey: Check<DeploymentFacts> = {
  id: "authority-key",
  title: "the key of the CA is there to sign the next certificate",
  async examine(facts) {
    const { tls } = await facts.config();
    if (tls.mode !== "own-ca") return undefined;
    const { hasAuthorityKey, authority } = await facts.certificates();
    if (hasAuthorityKey || authority === undefined) return undefined;
    return {
      verdict: "warning",
      cause: `${FILES.authorityKey} is not here: the registry serves on, and no certificate can be renewed without it`,
      fix: `bring ${FILES.authorityKey} back (from a backup, or from where you keep it) before the certificate ends; is it lost: regctl certs rollover makes a CA clients have to be given`,
    };
  },
};
