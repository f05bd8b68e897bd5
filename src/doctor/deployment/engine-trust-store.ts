import { X509Certificate } from "node:crypto";
import { hostAndPort } from "../../config/config.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { isExempt } from "./engine-proxy.ts";

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A file that holds no certificate is told by checks of its own. */
function canonical(authority: Buffer): string | undefined {
  try {
    return new X509Certificate(authority).toString().replace(/\s/g, "");
  } catch {
    return undefined;
  }
}

function isIn(authority: Buffer, texts: readonly string[]): boolean {
  const wanted = canonical(authority);
  return texts.some((text) => (text.match(BLOCK) ?? []).some((block) => block.replace(/\s/g, "") === wanted));
}

/** It reads the system's store once, when it first needs it: what came later it does not know. A reload changes nothing. */
export const engineTrustStore: Check<DeploymentFacts> = {
  id: "engine-trust-store",
  title: "the engine knows what is in the system's store of authorities",
  async examine(facts) {
    const [config, { authority }] = await Promise.all([facts.config(), facts.certificates()]);
    if (config.tls.mode === "none" || authority === undefined) return undefined;
    // Not there: nobody meant the engine to trust it by the store.
    if (!isIn(authority, await facts.systemAuthorities())) return undefined;
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
