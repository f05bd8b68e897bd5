import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const restartPolicy: Check<DeploymentFacts> = {
  id: "restart-policy",
  title: "the registry comes up again after a reboot",
  async examine(facts) {
    const [settings, [container]] = await Promise.all([facts.settings(), facts.containers()]);
    if (settings === undefined || container === undefined) return undefined;
    if (settings.restart === "unless-stopped" || settings.restart === "always") return undefined;
    const { keepsContainersAlive } = await facts.engineDetails();
    const engine = keepsContainersAlive ? "" : ", and not even a restart of the engine (live-restore is off)";
    return {
      verdict: "warning",
      cause: `${container.name} has the restart policy ${settings.restart}: it does not survive a reboot${engine}`,
      fix: `docker update --restart unless-stopped ${container.name}`,
    };
  },
};
