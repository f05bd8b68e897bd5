import { overlap } from "../../host/routes.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The engine's own interfaces, Podman's too, and those of its containers. */
const OF_ENGINE = /^(docker|br-|veth|docker_gwbridge|(cni-)?podman\d)/;

export const dockerNetworks: Check<DeploymentFacts> = {
  id: "docker-networks",
  title: "the engine's networks keep off the networks of the host",
  async examine(facts) {
    const [networks, { routes }] = await Promise.all([facts.dockerNetworks(), facts.network()]);
    const bridges = new Set(networks.map(({ bridge }) => bridge));
    const foreign = routes.filter(({ through }) => !OF_ENGINE.test(through) && !bridges.has(through));
    for (const network of networks) {
      for (const subnet of network.subnets) {
        const route = foreign.find((one) => overlap(one.subnet, subnet));
        if (route === undefined) continue;
        return {
          verdict: "warning",
          cause: `the engine's network ${network.name} (${subnet}) and the host's route to ${route.subnet} through ${route.through} have addresses in common: hosts there are not reached, or do not reach the registry`,
          fix: `choose others in /etc/docker/daemon.json: {"default-address-pools":[{"base":"10.201.0.0/16","size":24}]}, restart the engine, then: regctl down && regctl up`,
        };
      }
    }
    return undefined;
  },
};
