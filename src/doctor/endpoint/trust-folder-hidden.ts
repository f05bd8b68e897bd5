import { rmdir } from "node:fs/promises";
import type { TrustFolder } from "../../probe/client-files.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { authorityFiles, ownFolders } from "./trust-folders.ts";

/** podman and containerd read docker's folder only where they have none of their own, be it empty. */
function hiding(facts: EndpointFacts): TrustFolder[] {
  const docker = ownFolders(facts, ["docker"]).flatMap(authorityFiles);
  const empty = ownFolders(facts, ["podman", "containerd"]).filter(
    ({ files, isUnreadable }) => files.length === 0 && isUnreadable !== true,
  );
  return docker.length === 0 ? [] : empty;
}

export const trustFolderHidden: Check<EndpointFacts> = {
  id: "trust-folder-hidden",
  title: "no empty folder hides docker's certs.d",
  async examine(facts) {
    const empty = hiding(facts);
    if (empty.length === 0) return undefined;
    const paths = empty.map(({ path }) => path);
    const clients = [...new Set(empty.map(({ client }) => client))].join(" and ");
    return broken(
      `${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} empty and hides the CA in docker's certs.d from ${clients}`,
      `on this machine: rmdir ${paths.join(" ")}`,
    );
  },
  async repair(facts) {
    const paths = hiding(facts).map(({ path }) => path);
    // rmdir takes nothing but an empty folder.
    for (const path of paths) await rmdir(path);
    return `removed the empty ${paths.join(", ")}`;
  },
};
