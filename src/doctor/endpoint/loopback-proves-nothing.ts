import { isLoopback } from "../../probe/address.ts";
import type { Check } from "../check.ts";
import { unknown } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const loopbackProvesNothing: Check<EndpointFacts> = {
  id: "loopback-proves-nothing",
  title: "the name is not this machine's own",
  async examine({ target: { scheme, host }, resolution: { addresses } }) {
    if (scheme === "http" || addresses.length === 0 || !addresses.every(isLoopback)) return undefined;
    return unknown(
      `${host} is this machine itself (${addresses.join(", ")}): docker takes any certificate there, so what works here may fail everywhere else`,
      "ask from another machine, by the name others use: regctl doctor --from-client HOST:PORT --ca ca.crt",
    );
  },
};
