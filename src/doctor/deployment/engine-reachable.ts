import { RegctlError } from "../../errors.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const engineReachable: Check<DeploymentFacts> = {
  id: "engine",
  title: "the Docker Engine answers, and this user may use it",
  async examine(facts) {
    try {
      const { isPodman, origin } = await facts.engine();
      if (!isPodman) return undefined;
      return {
        verdict: "warning",
        cause: `what answers (${origin}) is Podman: health checks run by systemd alone there, and after a reboot nobody may start the container`,
        fix: "use a Docker Engine, or have the host run `regctl up` when it starts (a systemd unit, or @reboot in cron)",
      };
    } catch (error) {
      if (!(error instanceof RegctlError) || !error.code.startsWith("engine-")) throw error;
      return { verdict: "broken", cause: error.message, fix: error.hint ?? "systemctl start docker" };
    }
  },
};
