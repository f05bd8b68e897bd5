import type { TrustFolder } from "../../probe/client-files.ts";
import type { Check, Diagnosis } from "../check.ts";
import { loadPair } from "../client-pair.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { wantsClientCertificate } from "./client-certificate.ts";
import { ownFolders, ownPairs } from "./trust-folders.ts";

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

/** Clients load every pair before they know whether a registry asks for one; where it does, that is told with the refusal. */
function unloadable(facts: EndpointFacts): Diagnosis | undefined {
  if (wantsClientCertificate(facts)) return undefined;
  const reasons = ownPairs(facts).flatMap((pair) => {
    // What we may not read, a daemon of root's may.
    if (pair.certificatePem === undefined || pair.keyPem === undefined) return [];
    const loaded = loadPair(pair);
    return typeof loaded === "string" ? [{ ...pair, why: loaded }] : [];
  });
  if (reasons.length === 0) return undefined;
  return broken(
    `clients cannot load ${reasons.map(({ certificatePath, why }) => `${certificatePath} (${why})`).join("; ")}: docker and podman refuse this registry altogether`,
    `on this machine, since the registry asks for none: rm ${reasons.map((one) => `${one.certificatePath} ${one.keyPath}`).join(" ")}`,
  );
}

export const trustFolderPairs: Check<EndpointFacts> = {
  id: "trust-folder-pairs",
  title: "no key or certificate stands alone in this machine's certs.d, and every pair can be loaded",
  async examine(facts) {
    const stray = ownFolders(facts, ["docker", "podman"]).flatMap(singles);
    if (stray.length === 0) return unloadable(facts);
    return broken(
      `${stray.join(", ")} ${stray.length === 1 ? "stands" : "stand"} alone: docker and podman refuse this registry altogether ("missing client certificate", "missing key")`,
      `on this machine: a server's key does not belong there: rm ${stray.join(" ")}`,
      "a client certificate needs both client.cert and client.key; a CA is called ca.crt",
    );
  },
};
