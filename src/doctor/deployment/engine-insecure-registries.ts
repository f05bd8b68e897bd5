import { isIP } from "node:net";
import { certificateHosts, hostAndPort } from "../../config/config.ts";
import { overlap } from "../../host/routes.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The engine always has this one, and a deployment on loopback can do nothing about it. */
const LOOPBACK_NETWORK = "127.0.0.0/8";

export const engineInsecureRegistries: Check<DeploymentFacts> = {
  id: "engine-insecure-registries",
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
    const { path, text } = await facts.daemonConfiguration();
    // What daemon.json says is a check of its own, of every client.
    if (text?.includes(`"${entry}"`) === true) return undefined;
    const options = await facts.engineOptions();
    if (options !== undefined && !options.some((option) => option.startsWith("--insecure-registry")))
      return {
        verdict: "warning",
        cause: `this host's engine takes any certificate, and plain HTTP, for this registry: ${entry} was in its daemon.json, and without the key "insecure-registries" a reload leaves that in force`,
        fix: `"insecure-registries": [] in ${path}, kill -HUP $(pidof dockerd), then: regctl trust install`,
      };
    return {
      verdict: "warning",
      cause: `this host's engine was started with --insecure-registry ${entry}: it takes any certificate, and plain HTTP, for this registry`,
      fix: "remove the option (systemctl cat docker shows where it is), systemctl restart docker, then: regctl trust install",
    };
  },
};
