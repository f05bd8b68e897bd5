import { checkHtpasswd } from "../../auth/htpasswd.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** One line without a colon, and the registry refuses the whole file. */
export const htpasswdLines: Check<DeploymentFacts> = {
  id: "htpasswd-lines",
  title: "every line of auth/htpasswd is one the registry takes",
  async examine(facts) {
    if ((await facts.config()).auth.mode !== "htpasswd") return undefined;
    const issues = checkHtpasswd((await facts.htpasswd()) ?? "");
    const [first] = issues;
    if (first === undefined) return undefined;
    const more = issues.length === 1 ? "" : ` (and ${issues.length - 1} more)`;
    const cause = `${first.path} line ${first.line}: ${first.message}${more}`;
    return { verdict: "broken", cause, fix: first.hint ?? "correct the line" };
  },
};
