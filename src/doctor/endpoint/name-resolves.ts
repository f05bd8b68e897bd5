import type { Check } from "../check.ts";
import { broken, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const nameResolves: Check<EndpointFacts> = {
  id: "name-resolves",
  title: "the registry's name has an address",
  async examine({ target: { host }, resolution: { addresses, code }, isOwn }) {
    if (addresses.length > 0) return undefined;
    const isSilent = code === "EAI_AGAIN" || code === "ETIMEDOUT";
    const why = isSilent ? "no DNS server answers for it" : `no DNS server and no /etc/hosts has it`;
    const cause = `the name ${host} is not known here: ${why} (${code})`;
    const fix = [
      ...(isSilent ? ["see that this machine's DNS works: getent hosts deb.debian.org; cat /etc/resolv.conf"] : []),
      `give ${host} an A or AAAA record with the registry's address`,
      `or on every client: echo "ADDRESS ${host}" >> /etc/hosts`,
    ];
    // Its clients may well know a name that its own host does not.
    return isOwn ? warning(cause, ...fix) : broken(cause, ...fix);
  },
};
