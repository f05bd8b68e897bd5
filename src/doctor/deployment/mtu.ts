import { composeNetworkLabels, DEPLOYMENT_LABEL } from "../../deployment/labels.ts";
import { networkName } from "../../deployment/names.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/**
 * What makes the network as `up` does, for smaller packets. "mtu" in daemon.json is for the engine's own bridge alone, and
 * engines before 24 know no default for other networks.
 */
function createNetwork(deployment: string, bytes: number): string {
  const labels = Object.entries({ [DEPLOYMENT_LABEL]: deployment, ...composeNetworkLabels(deployment) });
  const flags = labels.map(([name, value]) => `--label ${name}=${value}`).join(" ");
  return `docker network create --opt com.docker.network.driver.mtu=${bytes} ${flags} ${networkName(deployment)}`;
}

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
      fix: `regctl down && ${createNetwork(name, outer)} && regctl up`,
    };
  },
};
