import { CONTAINER_PATHS, foreignStorageDriver } from "../../config/registry-config.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const storageMount: Check<DeploymentFacts> = {
  id: "storage-mount",
  title: "the images are kept outside of the container, where data: says",
  async examine(facts) {
    const config = await facts.config();
    const [settings, [container]] = await Promise.all([facts.settings(), facts.containers()]);
    if (settings === undefined || container === undefined || foreignStorageDriver(config) !== undefined)
      return undefined;
    const mount = settings.mounts.find(({ target }) => target === CONTAINER_PATHS.data);
    if (mount?.kind === "bind" && mount.source === config.data) return undefined;
    const copy = `docker cp ${container.name}:${CONTAINER_PATHS.data}/. ${config.data}/`;
    const after = "then: regctl down && regctl up";
    if (mount === undefined)
      return {
        verdict: "broken",
        cause: `the images are inside the container ${container.name}: they go with it`,
        fix: `before anything else: ${copy}; ${after}`,
      };
    if (mount.kind === "volume" && /^[0-9a-f]{64}$/.test(mount.name))
      return {
        verdict: "broken",
        cause: `the images are in a volume without a name, which goes with the container ${container.name}`,
        fix: `before anything else: ${copy}; ${after}`,
      };
    const where = mount.kind === "volume" ? `the volume ${shownName(mount.name)}` : shownName(mount.source);
    return {
      verdict: "warning",
      cause: `the images are in ${where}, and data: says ${config.data}`,
      fix: `set data: in regctl.yaml to where they are, or copy them: ${copy}; ${after}`,
    };
  },
};
