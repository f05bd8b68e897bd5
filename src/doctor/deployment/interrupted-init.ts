import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const interruptedInit: Check<DeploymentFacts> = {
  id: "interrupted-init",
  title: "init ran to its end",
  async examine(facts) {
    const { isIdle, init } = await facts.interruptions();
    if (!isIdle || !init) return undefined;
    return {
      verdict: "broken",
      cause: "init was interrupted before it showed a password: nobody knows one",
      fix: `run the same \`regctl init\` again; or: regctl up && regctl adduser NAME`,
    };
  },
};
