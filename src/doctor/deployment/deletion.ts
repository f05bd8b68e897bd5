import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { registrySetting } from "../registry-settings.ts";

export const deletion: Check<DeploymentFacts> = {
  id: "deletion",
  title: "clients may delete",
  async examine(facts) {
    if (registrySetting(await facts.config(), "storage.delete.enabled") === true) return undefined;
    return {
      verdict: "warning",
      cause: "storage.delete.enabled is off: the registry answers each deletion by a client with status 405",
      fix: "remove registry.storage.delete from regctl.yaml, then: regctl up",
    };
  },
};
