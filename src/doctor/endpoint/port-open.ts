import type { Dial } from "../../probe/address.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

function reason({ address, outcome, code }: Dial): string {
  if (outcome === "refused") return `${address} refuses the connection: nothing listens there`;
  if (outcome === "silent") return `${address} is silent: a firewall drops the packets, or no machine has the address`;
  return `${address} cannot be reached (${code})`;
}

export const portOpen: Check<EndpointFacts> = {
  id: "port-open",
  title: "the registry's port is open",
  async examine({ target: { host, port }, dials }) {
    if (dials.length === 0 || dials.some(({ outcome }) => outcome === "open")) return undefined;
    const isRefused = dials.every(({ outcome }) => outcome === "refused");
    return broken(
      `port ${port} of ${host} is closed to this machine: ${dials.map(reason).join("; ")}`,
      isRefused
        ? "on the registry's host: `regctl status`, then `regctl up`; what listens there: ss -ltnp"
        : `open TCP port ${port} in the firewalls between: ufw allow ${port}/tcp, or the cloud's security group`,
      `on this machine: see that ${port} is the port in the image's name; without one clients use 443`,
    );
  },
};
