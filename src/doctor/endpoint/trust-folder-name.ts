import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";
import { authorityFiles, isPublic, ownFolders } from "./trust-folders.ts";

export const trustFolderName: Check<EndpointFacts> = {
  id: "trust-folder-name",
  title: "this machine's certs.d is named as the registry is, port included",
  async examine(facts) {
    const { client, target } = facts;
    const name = targetName(target);
    const clients = ["docker", "podman"] as const;
    const own = ownFolders(facts, clients).flatMap(authorityFiles);
    const other = client.folders.filter(
      (folder) => folder.client !== "containerd" && folder.name !== name && authorityFiles(folder).length > 0,
    );
    const [first] = other;
    if (target.scheme === "http" || first === undefined || own.length > 0 || isPublic(facts)) return undefined;
    const wanted = `${first.path.slice(0, first.path.lastIndexOf("/"))}/${name}`;
    return broken(
      `the CA is in ${other.map(({ path }) => path).join(", ")}, where nobody looks: for images named ${name}/… clients read ${wanted}`,
      `on this machine: mkdir -p ${wanted} && cp ${first.path}/*.crt ${wanted}/`,
    );
  },
};
