import { messageOf } from "../../errors.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** Why a daemon.json is refused; undefined = it is not. An empty one is. */
function problem(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "it is no JSON object";
  } catch (error) {
    return messageOf(error).slice(0, 120);
  }
}

/** The running engine read it long ago; the next start fails, and with it every container. */
export const daemonConfiguration: Check<DeploymentFacts> = {
  id: "daemon-configuration",
  title: "the engine's daemon.json lets it start again",
  async examine(facts) {
    const { path, text } = await facts.daemonConfiguration();
    const why = text === undefined || text.trim() === "" ? undefined : problem(text);
    if (why === undefined) return undefined;
    return {
      verdict: "broken",
      cause: `${path} is not valid (${why}): the engine does not start with it the next time`,
      fix: `correct it, then check it: dockerd --validate --config-file ${path} (or: python3 -m json.tool ${path})`,
    };
  },
};
