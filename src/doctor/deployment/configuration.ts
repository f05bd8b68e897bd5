import { RegctlError } from "../../errors.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Keys distribution does not know it ignores without a word; those of 2.x that 3.x dropped as well. */
export const configuration: Check<DeploymentFacts> = {
  id: "configuration",
  title: "regctl.yaml is valid, and has no key the registry ignores",
  async examine(facts) {
    try {
      await facts.config();
      return undefined;
    } catch (error) {
      if (!(error instanceof RegctlError) || error.code !== "config-invalid") throw error;
      const [first] = error.issues;
      const at = first?.line === undefined ? "" : ` (line ${first.line})`;
      const more = error.issues.length > 1 ? ` and ${error.issues.length - 1} more` : "";
      return {
        verdict: "broken",
        cause: first === undefined ? error.message : `regctl.yaml${at}: ${first.path} ${first.message}${more}`,
        fix: first?.hint ?? "regctl config validate lists every problem; correct them, then: regctl up",
      };
    }
  },
};
