import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const staleUploads: Check<DeploymentFacts> = {
  id: "stale-uploads",
  title: "no upload was given up long ago",
  async examine(facts) {
    const { count, isPartial } = await facts.staleUploads();
    if (count === 0) return undefined;
    return {
      verdict: "warning",
      cause: `${isPartial ? "at least " : ""}${count} upload${count === 1 ? "" : "s"} given up more than a week ago take${count === 1 ? "s" : ""} up disk`,
      fix: "regctl gc",
    };
  },
};
