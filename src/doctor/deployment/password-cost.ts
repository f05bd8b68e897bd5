import { listEntries } from "../../auth/htpasswd.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Measured: a request costs 48 ms of CPU at 10 and 213 ms at 12, and doubles with each step; a push makes dozens. */
const SLOW_COST = 12;
const MS_AT_TEN = 50;
const SHOWN = 3;

export const passwordCost: Check<DeploymentFacts> = {
  id: "password-cost",
  title: "checking a password does not slow down each request",
  async examine(facts) {
    const { auth } = await facts.config();
    if (auth.mode !== "htpasswd") return undefined;
    const slow = listEntries((await facts.htpasswd()) ?? "").filter(
      ({ cost }) => cost >= SLOW_COST && cost > auth.bcryptCost,
    );
    const worst = slow.sort((a, b) => b.cost - a.cost)[0];
    if (worst === undefined) return undefined;
    const names = slow
      .slice(0, SHOWN)
      .map(({ name }) => shownName(name))
      .join(", ");
    const ms = MS_AT_TEN * 2 ** (worst.cost - 10);
    return {
      verdict: "warning",
      cause: `each request of ${names}${slow.length > SHOWN ? ` and ${slow.length - SHOWN} more` : ""} costs about ${ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`} of CPU: bcrypt cost ${worst.cost}`,
      fix: `regctl passwd ${shownName(worst.name)} (regctl hashes with cost ${auth.bcryptCost}, auth.bcryptCost in regctl.yaml)`,
    };
  },
};
