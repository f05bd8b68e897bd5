import type { ObservedContainer } from "../../engine/engine.ts";
import { shownText } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** More often since it was made is worth a word even while it runs. */
const MANY_RESTARTS = 5;
const RECENT_MS = 3_600_000;

/** What the registry and the kernel mean by it; as PID 1 Go ends with 2 on a signal it does not handle. */
function meaning({ exitCode, outOfMemory, error }: ObservedContainer): string {
  if (outOfMemory || exitCode === 137)
    return outOfMemory
      ? "the kernel killed it: out of memory"
      : "it was killed (SIGKILL), by hand or for want of memory";
  if (exitCode === 2) return "it panicked, or somebody sent it SIGHUP, which kills a registry instead of reloading it";
  if (exitCode === 129) return "somebody sent it SIGHUP, which kills a registry instead of reloading it";
  if (exitCode === 143) return "it was ended by SIGTERM";
  if (error !== "") return shownText(error);
  return exitCode === 1 ? "its configuration, certificate or port is refused" : "";
}

function seen(container: ObservedContainer): string {
  const why = meaning(container);
  return `(exit code ${container.exitCode}${why === "" ? "" : `: ${why}`})`;
}

export const containerRuns: Check<DeploymentFacts> = {
  id: "container",
  title: "the registry's container runs, and stays up",
  async examine(facts) {
    const [container] = await facts.containers();
    if (container === undefined)
      return { verdict: "broken", cause: "there is no container of this deployment", fix: "regctl up" };
    const { name, state, restartCount, startedAt } = container;
    if (state === "restarting")
      return {
        verdict: "broken",
        cause: `${name} keeps restarting ${seen(container)}`,
        fix: "regctl logs --tail 20 tells why; mend it, then: regctl up",
      };
    if (state === "paused")
      return { verdict: "broken", cause: `${name} is paused: nobody is answered`, fix: `docker unpause ${name}` };
    if (state !== "running")
      return { verdict: "broken", cause: `${name} is ${state} ${seen(container)}`, fix: "regctl up" };
    const isRecent = facts.now.getTime() - Date.parse(startedAt) < RECENT_MS;
    if (restartCount < MANY_RESTARTS || !isRecent) return undefined;
    return {
      verdict: "warning",
      // Why it ended is not told of a container that runs.
      cause: `${name} was restarted ${restartCount} times, the last time at ${startedAt}`,
      fix: "regctl logs tells what it said before; when it says nothing of it, dmesg tells whether the kernel killed it for want of memory",
    };
  },
  repair: (facts) => facts.mends.up(),
};
