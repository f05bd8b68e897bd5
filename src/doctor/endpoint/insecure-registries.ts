import { isLoopback } from "../../probe/address.ts";
import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, quoted, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { networkHolds } from "../networks.ts";
import { targetName } from "../target.ts";

/** An entry is HOST:PORT, HOST, or a network in which the registry's address lies. */
function covers(entry: string, { target, resolution }: EndpointFacts): boolean {
  const plain = entry.replace(/^https?:\/\//, "").replace(/\/$/, "");
  if (plain === targetName(target) || plain === target.host) return true;
  // Addresses of this machine are insecure to docker in any case.
  return networkHolds(
    entry,
    resolution.addresses.filter((address) => !isLoopback(address)),
  );
}

export const insecureRegistries: Check<EndpointFacts> = {
  id: "insecure-registries",
  title: "docker on this machine verifies the registry",
  async examine(facts) {
    const { daemon } = facts.client;
    if (daemon === undefined) return undefined;
    if (daemon.value === undefined)
      return broken(
        `${daemon.path} is not a JSON object: docker keeps its old settings until it is restarted, and then does not start`,
        `on this machine: mend it; python3 -m json.tool ${daemon.path} says where`,
      );
    const list = daemon.value["insecure-registries"];
    const entries = Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];
    const found = entries.filter((entry) => covers(entry, facts));
    // Where the registry is plain HTTP, docker needs the entry, and that is said elsewhere.
    if (found.length === 0 || isAnswer(facts.plain)) return undefined;
    const name = targetName(facts.target);
    return warning(
      `insecure-registries in ${daemon.path} has ${found.map(quoted).join(", ")}: docker takes any certificate from ${name}, and plain HTTP when TLS fails`,
      `on this machine: install -D -m 644 ca.crt /etc/docker/certs.d/${name}/ca.crt, empty the list ("insecure-registries": []; without the key it stays in force), then kill -HUP $(pidof dockerd)`,
    );
  },
};
