import { listEntries } from "../../auth/htpasswd.ts";
import { FILES } from "../../project/paths.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const users: Check<DeploymentFacts> = {
  id: "users",
  title: "there is somebody who can log in",
  async examine(facts) {
    if ((await facts.config()).auth.mode !== "htpasswd") return undefined;
    const text = await facts.htpasswd();
    const fix = "regctl adduser NAME";
    if (text === undefined)
      return { verdict: "broken", cause: `${FILES.htpasswd} is missing: every login is answered with status 400`, fix };
    if (listEntries(text).some(({ cost }) => cost > 0)) return undefined;
    return { verdict: "warning", cause: `${FILES.htpasswd} names no user: nobody can log in`, fix };
  },
};
