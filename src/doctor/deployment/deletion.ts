import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { registrySetting } from "../registry-settings.ts";

export const deletion: Check<DeploymentFacts> = {
  id: "deletion",
  title: "clients and caches may delete",
  async examine(facts) {
    const config = await facts.config();
    const enabled = registrySetting(config, "storage.delete.enabled");
    if (enabled === true) return undefined;
    const isProxy = registrySetting(config, "proxy.remoteurl") !== undefined;
    return {
      verdict: isProxy ? "broken" : "warning",
      cause: isProxy
        ? "a pull-through cache may not delete (storage.delete.enabled is off): what it caches stays for ever, until the disk is full"
        : "storage.delete.enabled is off: the registry answers each deletion by a client with status 405",
      fix: "remove registry.storage.delete from regctl.yaml, then: regctl up",
    };
  },
};
