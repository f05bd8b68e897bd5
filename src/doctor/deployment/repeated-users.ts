import { repeatedNames } from "../../auth/htpasswd.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const SHOWN = 3;

/** The last one wins, so a password somebody believes in may be one that is never looked at. */
export const repeatedUsers: Check<DeploymentFacts> = {
  id: "repeated-users",
  title: "no user is in auth/htpasswd twice",
  async examine(facts) {
    if ((await facts.config()).auth.mode !== "htpasswd") return undefined;
    const repeated = repeatedNames((await facts.htpasswd()) ?? "");
    if (repeated.length === 0) return undefined;
    const names = repeated.slice(0, SHOWN).map(shownName).join(", ");
    return {
      verdict: "warning",
      cause: `${names}${repeated.length > SHOWN ? ` and ${repeated.length - SHOWN} more` : ""} more than once in auth/htpasswd: only the last line of a name counts`,
      fix: `regctl doctor --fix (or delete the earlier lines by hand)`,
    };
  },
  repair: (facts) => facts.mends.removeRepeatedUsers(),
};
