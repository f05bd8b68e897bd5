import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const LOOPBACK = /^(127\.|::1$)/;

/** A line in /etc/hosts wins over DNS, on this host only: it hides what everybody else sees. */
export const hostsFile: Check<DeploymentFacts> = {
  id: "hosts-file",
  title: "/etc/hosts sends the registry's names here",
  async examine(facts) {
    const [names, { addresses: own }, { bind }] = await Promise.all([facts.names(), facts.network(), facts.config()]);
    const ours = new Set(own);
    for (const { name, inHostsFile } of names) {
      if (name === "localhost" || inHostsFile.length === 0) continue;
      const strange = inHostsFile.find((address) => !ours.has(address) && !LOOPBACK.test(address));
      if (strange !== undefined)
        return {
          verdict: "warning",
          cause: `/etc/hosts says ${name} is ${strange}, which is no address of this host: right only where something there passes requests on to it`,
          fix: `correct or remove the line of ${name} in /etc/hosts`,
        };
      if (inHostsFile.every((address) => LOOPBACK.test(address)) && !LOOPBACK.test(bind))
        return {
          verdict: "warning",
          cause: `/etc/hosts says ${name} is ${inHostsFile.join(", ")}: this host's docker then checks no certificate for it, so that it works here proves nothing`,
          fix: `give ${name} an address of this host in /etc/hosts, or remove the line and use DNS`,
        };
    }
    return undefined;
  },
};
