import { isLoopback } from "../../probe/address.ts";
import type { Check } from "../check.ts";
import { warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const addressesAnswer: Check<EndpointFacts> = {
  id: "addresses-answer",
  title: "every address of the name answers",
  async examine({ target: { host, port }, dials }) {
    // A registry published on 127.0.0.1 alone is right, and every client tries the other one next.
    const dead = dials.filter(({ outcome, address }) => outcome !== "open" && !isLoopback(address));
    if (dead.length === 0 || dead.length === dials.length) return undefined;
    const names = dead.map(({ address, outcome }) => `${address} (${outcome})`).join(", ");
    const isIpv6 = dead.every(({ address }) => address.includes(":"));
    return warning(
      `${host} has ${dials.length} addresses and port ${port} does not answer at ${names}: clients that try it first wait or fail`,
      `remove the ${isIpv6 ? "AAAA" : "DNS"} record of ${dead.map(({ address }) => address).join(", ")}, or publish the registry there too (bind in regctl.yaml)`,
    );
  },
};
