import { isIP } from "node:net";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const LOOPBACK = /^(127\.|::1$)/;

/** Clients go where the name leads; docker takes any name that leads to 127.0.0.0/8 for insecure and checks nothing. */
export const nameResolution: Check<DeploymentFacts> = {
  id: "name-resolution",
  title: "the registry's name leads to this host",
  async examine(facts) {
    const [{ domain, bind }, names] = await Promise.all([facts.config(), facts.names()]);
    const found = names.find(({ name }) => name === domain);
    if (
      found === undefined ||
      found.inHostsFile.length > 0 ||
      isIP(domain) !== 0 ||
      domain === "localhost" ||
      domain.endsWith(".localhost")
    )
      return undefined;
    const { addresses } = found;
    if (addresses.length === 0)
      return {
        verdict: "warning",
        cause: `${domain} does not resolve on this host: clients that ask the same name server do not find the registry either`,
        fix: `add ${domain} to DNS, or to /etc/hosts of every client`,
      };
    if (addresses.every((address) => LOOPBACK.test(address)) && !LOOPBACK.test(bind))
      return {
        verdict: "warning",
        cause: `${domain} resolves to ${addresses.join(", ")} only: clients on other hosts ask themselves, and docker checks no certificate for such a name`,
        fix: `point ${domain} to an address of this host in DNS`,
      };
    const { addresses: own } = await facts.network();
    const ours = new Set(own);
    if (addresses.some((address) => ours.has(address))) return undefined;
    return {
      verdict: "warning",
      cause: `${domain} resolves to ${addresses.join(", ")}, which is no address of this host: clients reach it only if that forwards port to port`,
      fix: `point ${domain} to this host in DNS; is that a router or load balancer that forwards, try it: regctl doctor --from-client ${domain}`,
    };
  },
};
