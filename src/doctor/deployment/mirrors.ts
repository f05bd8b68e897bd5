import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const mirrors: Check<DeploymentFacts> = {
  id: "mirrors",
  title: "the engine's registry mirrors answer",
  async examine(facts) {
    const silent = await facts.silentMirrors();
    if (silent.length === 0) return undefined;
    return {
      verdict: "warning",
      cause: `registry-mirrors of this host's engine names ${silent.map(shownName).join(", ")}, which take${silent.length === 1 ? "s" : ""} no connection: each pull from Docker Hub waits for it first`,
      // Without the key a reload leaves the old list in force.
      fix: 'remove it from registry-mirrors in daemon.json, and leave "registry-mirrors": [] when it was the only one; then: systemctl reload docker',
    };
  },
};
