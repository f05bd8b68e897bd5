import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Every command that works on the storage finishes or takes back what it finds. */
export const interruptedRemoval: Check<DeploymentFacts> = {
  id: "interrupted-removal",
  title: "no removal or collection was killed half-way",
  async examine(facts) {
    const [entries, { isIdle }] = await Promise.all([facts.trash(), facts.interruptions()]);
    const left = entries.find(({ state }) => state !== "kept");
    if (left === undefined || !isIdle) return undefined;
    const what = left.state === "open" ? "is taken back" : "is finished";
    return {
      verdict: "warning",
      cause: `${left.kind} ${shownName(left.id)} was killed half-way (${shownName(left.state)}); it ${what} by the next command that works on the storage`,
      fix: "regctl gc",
    };
  },
};
