import type { Check } from "../check.ts";
import { warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const programName: Check<EndpointFacts> = {
  id: "program-name",
  title: "regctl is this program",
  async examine({ client: { programs } }) {
    const [first] = programs;
    if (first === undefined || first.isOurs) return undefined;
    return warning(
      `regctl in this shell is ${first.path}, another program of the same name: what is written for this one means something else to it`,
      "on this machine: call this one regctl-deploy, or put its folder first in PATH: type -a regctl",
    );
  },
};
