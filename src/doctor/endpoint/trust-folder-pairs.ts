import type { TrustFolder } from "../../probe/client-files.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { ownFolders } from "./trust-folders.ts";

/** `tls.key` without `tls.cert`, and the other way round. */
function singles({ path, files }: TrustFolder): string[] {
  const names = new Set(files.map(({ name }) => name));
  const partners: Readonly<Record<string, string>> = { ".key": ".cert", ".cert": ".key" };
  return [...names].flatMap((name) => {
    const [ending = ""] = /\.(key|cert)$/.exec(name) ?? [];
    const partner = partners[ending];
    return partner === undefined || names.has(`${name.slice(0, -ending.length)}${partner}`) ? [] : [`${path}/${name}`];
  });
}

export const trustFolderPairs: Check<EndpointFacts> = {
  id: "trust-folder-pairs",
  title: "no key or certificate stands alone in this machine's certs.d",
  async examine(facts) {
    const stray = ownFolders(facts, ["docker", "podman"]).flatMap(singles);
    if (stray.length === 0) return undefined;
    return broken(
      `${stray.join(", ")} ${stray.length === 1 ? "stands" : "stand"} alone: docker and podman refuse this registry altogether ("missing client certificate", "missing key")`,
      `on this machine: a server's key does not belong there: rm ${stray.join(" ")}`,
      "a client certificate needs both client.cert and client.key; a CA is called ca.crt",
    );
  },
};
