import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { authorityFiles, isPublic, ownFolders } from "./trust-folders.ts";

export const containerdHosts: Check<EndpointFacts> = {
  id: "containerd-hosts",
  title: "containerd's hosts.toml names the CA",
  async examine(facts) {
    const folder = ownFolders(facts, ["containerd"]).find(({ hostsToml }) => hostsToml !== undefined);
    if (folder === undefined || isPublic(facts) || facts.target.scheme === "http") return undefined;
    const settings = (folder.hostsToml ?? "").replace(/^\s*#.*$/gm, "");
    if (/^\s*(?:ca|skip_verify)\s*=/m.test(settings)) return undefined;
    const [file] = authorityFiles(folder);
    const beside = file === undefined ? "" : `, and ${file} beside it counts for nothing then`;
    return broken(
      `${folder.path}/hosts.toml names no CA${beside}: containerd and Kubernetes say "certificate signed by unknown authority"`,
      `on this machine, below [host."…"] in it: ca = "${folder.path}/${file ?? "ca.crt"}"; no restart is needed`,
    );
  },
};
