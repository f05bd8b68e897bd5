import { shownText } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const SHOWN = 200;

export const containerHealth: Check<DeploymentFacts> = {
  id: "container-health",
  title: "the registry's own health check succeeds",
  async examine(facts) {
    const [container] = await facts.containers();
    if (container?.state !== "running" || container.health !== "unhealthy") return undefined;
    const said = shownText(container.healthOutput.trim()).slice(0, SHOWN);
    return {
      verdict: "broken",
      cause: `the health check of ${container.name} fails${said === "" ? "" : `: ${said}`}`,
      fix: "regctl logs --tail 20 tells why; a storage that cannot be read is the usual reason; then: regctl restart",
    };
  },
};
