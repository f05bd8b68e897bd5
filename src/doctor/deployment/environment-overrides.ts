import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const SHOWN = 3;

/** They are parsed as YAML and win over config.yml; a wrong one makes the registry panic, or is silently ignored. */
export const environmentOverrides: Check<DeploymentFacts> = {
  id: "environment-overrides",
  title: "no REGISTRY_* variable overrides config.yml",
  async examine(facts) {
    const [container] = await facts.containers();
    const names = (container?.environment ?? []).filter((name) => name.startsWith("REGISTRY_"));
    if (names.length === 0 || container === undefined) return undefined;
    const shown = names.slice(0, SHOWN).map(shownName).join(", ");
    return {
      verdict: "warning",
      cause: `${container.name} has ${shown}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ""} set, which override config.yml in ways nobody sees there`,
      fix: `set the same under registry: in regctl.yaml, then: docker rm -f ${container.name} && regctl up`,
    };
  },
};
