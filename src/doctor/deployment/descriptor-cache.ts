import { foreignStorageDriver } from "../../config/registry-config.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { registrySetting } from "../registry-settings.ts";

/** After a collection the cache answers for blobs that are gone: pulls are cut short, pushes accepted whose layers are gone. */
export const descriptorCache: Check<DeploymentFacts> = {
  id: "descriptor-cache",
  title: "no cache answers for blobs that are gone",
  async examine(facts) {
    const config = await facts.config();
    const cache =
      registrySetting(config, "storage.cache.blobdescriptor") ?? registrySetting(config, "storage.cache.layerinfo");
    const isProxy = registrySetting(config, "proxy.remoteurl") !== undefined;
    // On object storage a stat is a request over the network, and the cache earns its keep.
    if (cache === undefined || (foreignStorageDriver(config) !== undefined && !isProxy)) return undefined;
    const why = isProxy
      ? "a pull-through cache that drops an old blob then serves it cut short"
      : "after a garbage collection by other means than `regctl gc`, pulls are cut short and pushes accepted whose layers are gone";
    return {
      verdict: "warning",
      cause: `storage.cache.blobdescriptor is ${shownName(String(cache))}: ${why}`,
      fix: "remove registry.storage.cache from regctl.yaml, then: regctl up",
    };
  },
};
