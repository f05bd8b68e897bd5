import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The drivers that write files of their own on this host; without a limit the default one never ends. */
export const logRotation: Check<DeploymentFacts> = {
  id: "log-rotation",
  title: "the registry's log does not fill the disk",
  async examine(facts) {
    const [settings, [container], { isPodman }] = await Promise.all([
      facts.settings(),
      facts.containers(),
      facts.engine(),
    ]);
    // Podman takes the limit, and does not tell it by Docker's API.
    if (settings === undefined || container === undefined || isPodman) return undefined;
    if (settings.logDriver !== "json-file" || (settings.logOptions["max-size"] ?? "") !== "") return undefined;
    return {
      verdict: "warning",
      cause: `the log of ${shownName(container.name)} has no max-size: it grows until the disk is full`,
      fix: `docker rm -f ${container.name} && regctl up makes it with max-size 10m and 3 files`,
    };
  },
};
