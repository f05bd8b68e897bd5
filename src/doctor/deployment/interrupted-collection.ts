import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const interruptedCollection: Check<DeploymentFacts> = {
  id: "interrupted-collection",
  title: "no garbage collection left the registry read-only",
  async examine(facts) {
    const { isIdle, readOnlySince } = await facts.interruptions();
    if (!isIdle || readOnlySince === undefined) return undefined;
    const since = readOnlySince === "" ? "" : ` since ${readOnlySince}`;
    return {
      verdict: "broken",
      cause: `pushes are refused for a garbage collection${since} that was killed`,
      fix: "regctl up",
    };
  },
  repair: (facts) => facts.mends.finishInterrupted(),
};
