import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Keys distribution does not know it ignores without a word; those of 2.x that 3.x dropped as well. */
export const configuration: Check<DeploymentFacts> = {
  id: "configuration",
  title: "regctl.yaml is valid, and has no key the registry ignores",
  async examine(facts) {
    const issues = await facts.configurationIssues();
    const [first] = issues;
    if (first === undefined) return undefined;
    const at = first.line === undefined ? "" : ` line ${first.line}`;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
    return {
      verdict: "broken",
      cause: `regctl.yaml${at}: ${first.path} ${first.message}${more}`,
      fix: first.hint ?? "regctl config validate lists every problem; correct them, then: regctl up",
    };
  },
};
