import { hostAndPort } from "../../config/config.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { pemBlocks } from "../pem-blocks.ts";
import { seenCertificates } from "../seen-certificates.ts";
import { isExempt } from "./engine-proxy.ts";

/** It reads the system's store once, when it first needs it: what came later it does not know. A reload changes nothing. */
export const engineTrustStore: Check<DeploymentFacts> = {
  id: "engine-trust-store",
  title: "the engine knows what is in the system's store of authorities",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen?.authority === undefined) return undefined;
    const { config, authority } = seen;
    const known = (await facts.systemAuthorities()).flatMap(pemBlocks);
    // Not there: nobody meant the engine to trust it by the store.
    if (!pemBlocks(authority.toString()).every((block) => known.includes(block))) return undefined;
    const { httpsProxy, noProxy } = await facts.engineDetails();
    if (httpsProxy !== "" && !isExempt(noProxy, config.domain, config.port)) return undefined;
    if (!(await facts.engineAboutRegistry()).includes("signed by unknown authority")) return undefined;
    return {
      verdict: "warning",
      cause: `the registry's CA is in the system's store, and this host's engine does not know it: it read the store before the CA came, and refuses ${hostAndPort(config)}`,
      fix: "systemctl restart docker; or, without a restart: regctl trust install",
    };
  },
};
