import { networkName } from "../../deployment/names.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Small answers get through and big ones do not: a login works, a pull or push hangs. */
export const mtu: Check<DeploymentFacts> = {
  id: "mtu",
  title: "packets of the registry's network fit through the host's uplink",
  async examine(facts) {
    const [{ name }, networks, { uplink, mtus }] = await Promise.all([
      facts.config(),
      facts.dockerNetworks(),
      facts.network(),
    ]);
    const own = networks.find((network) => network.name === networkName(name));
    const inner = own === undefined ? undefined : mtus.get(own.bridge);
    const outer = uplink === undefined ? undefined : mtus.get(uplink);
    if (own === undefined || inner === undefined || outer === undefined || inner <= outer) return undefined;
    return {
      verdict: "warning",
      cause: `packets of the network ${own.name} have up to ${inner} bytes (MTU), and ${uplink} takes ${outer}: big pulls and pushes can hang`,
      fix: `{"mtu": ${outer}} in /etc/docker/daemon.json, restart the engine, then: regctl down && regctl up`,
    };
  },
};
