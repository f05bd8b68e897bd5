import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** regclient's tool of the same name is a client of registries with other commands. */
export const otherRegctl: Check<DeploymentFacts> = {
  id: "other-regctl",
  title: "`regctl` in the PATH is this program",
  async examine(facts) {
    const path = await facts.otherRegctl();
    if (path === undefined) return undefined;
    return {
      verdict: "warning",
      cause: `\`regctl\` in the PATH is another program, ${shownName(path)} (regclient's has the same name): scripts and timers may call that one`,
      fix: "call this one by its other name, regctl-deploy, or put its folder first in PATH",
    };
  },
};
