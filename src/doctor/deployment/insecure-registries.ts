import { isIP } from "node:net";
import { certificateHosts, hostAndPort } from "../../config/config.ts";
import { overlap } from "../../host/routes.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The engine always has this one, and a deployment on loopback can do nothing about it. */
const LOOPBACK_NETWORK = "127.0.0.0/8";

export const insecureRegistries: Check<DeploymentFacts> = {
  id: "insecure-registries",
  title: "the engine checks the registry's certificate",
  async examine(facts) {
    const [config, { insecureRegistries: entries }] = await Promise.all([facts.config(), facts.engineDetails()]);
    if (config.tls.mode === "none") return undefined;
    const own = new Set([
      hostAndPort(config),
      ...certificateHosts(config).map((host) => `${host}:${config.port}`),
      ...certificateHosts(config),
    ]);
    const addresses = certificateHosts(config).filter((host) => isIP(host) === 4);
    const entry = entries.find(
      (one) =>
        own.has(one) ||
        (one !== LOOPBACK_NETWORK && one.includes("/") && addresses.some((address) => overlap(one, `${address}/32`))),
    );
    if (entry === undefined) return undefined;
    return {
      verdict: "warning",
      cause: `insecure-registries of this host's engine has ${entry}: it takes any certificate, and plain HTTP, for this registry`,
      fix: "remove it from insecure-registries in daemon.json and systemctl reload docker; then: regctl trust install",
    };
  },
};
