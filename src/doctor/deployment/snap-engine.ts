import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const SNAP = "/var/snap/docker/";

/** It is confined: it sees the home folders and its own, nothing else. */
export const snapEngine: Check<DeploymentFacts> = {
  id: "snap-engine",
  title: "the engine sees the host's files where they are",
  async examine(facts) {
    const { rootFolder } = await facts.engineDetails();
    if (!rootFolder.startsWith(SNAP)) return undefined;
    return {
      verdict: "warning",
      cause: `the engine is the snap package (${rootFolder}): it reads certificates of registries from ${SNAP}current/etc/docker/certs.d instead of /etc/docker/certs.d, and sees folders below /home only`,
      fix: "snap remove docker, and install docker.io or docker-ce; or keep everything below /home, and the CA in the snap's certs.d",
    };
  },
};
