import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const interruptedChange: Check<DeploymentFacts> = {
  id: "interrupted-change",
  title: "no change of files waits to be finished",
  async examine(facts) {
    const { isIdle, transaction } = await facts.interruptions();
    if (!isIdle || !transaction) return undefined;
    return {
      verdict: "broken",
      cause: "a command was killed while it changed files: some are new, some are old",
      fix: "regctl up",
    };
  },
  repair: (facts) => facts.mends.finishInterrupted(),
};
