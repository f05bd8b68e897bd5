/** This machine's folders of trust for one registry. */
import type { TrustFolder, TrustPair } from "../../probe/client-files.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";

export type TrustClient = TrustFolder["client"];

/** Those for exactly the name in image references, the only ones these clients look at. */
export function ownFolders(
  { client, target }: Pick<EndpointFacts, "client" | "target">,
  clients: readonly TrustClient[],
): TrustFolder[] {
  return client.folders.filter((folder) => clients.includes(folder.client) && folder.name === targetName(target));
}

/** Client certificates this machine's docker and podman have for it. */
export function ownPairs(facts: Pick<EndpointFacts, "client" | "target">): TrustPair[] {
  return ownFolders(facts, ["docker", "podman"]).flatMap(({ pairs }) => pairs);
}

/** CA certificates docker and podman take from it: `*.crt`, PEM. */
export function authorityFiles({ files }: TrustFolder): string[] {
  return files.filter(({ name, pem }) => name.endsWith(".crt") && isPem(pem)).map(({ name }) => name);
}

export function isPem(text: string | undefined): boolean {
  return text?.includes("-----BEGIN ") ?? false;
}

/** Whether the system's own authorities are enough, so that folders play no part. */
export function isPublic({ chain }: EndpointFacts): boolean {
  return chain !== undefined && chain.distrust === undefined && chain.given.length === 0;
}
