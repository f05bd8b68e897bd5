import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const port: Check<DeploymentFacts> = {
  id: "port",
  title: "the port is this deployment's alone",
  async examine(facts) {
    const [{ port: wanted, bind }, holders] = await Promise.all([facts.config(), facts.portHolders()]);
    const [holder] = holders;
    if (holder === undefined) return undefined;
    const [container] = await facts.containers();
    return {
      verdict: container?.state === "running" ? "warning" : "broken",
      cause: `${shownName(holder)} has ${bind}:${wanted} as well: only one of them can run`,
      fix: "set another port: in one regctl.yaml, then: regctl up",
    };
  },
};
