/** Which images of a registry the containers and services of an engine need. */
import type { ImageUse } from "../engine/engine.ts";
import { parseReference, type Reference } from "../registry/reference.ts";
import type { InUse } from "./policy.ts";

/** Ports a client leaves out. */
const STANDARD_PORT = /:(443|80)$/;

function hostKey(host: string): string {
  return host.toLowerCase().replace(STANDARD_PORT, "");
}

function referenceOf(image: string): Reference | undefined {
  try {
    return parseReference(image);
  } catch {
    // An image id: what it is known by is in the digests.
    return undefined;
  }
}

/**
 * `hosts` are the names clients reach the registry by (`localhost:5000`, `registry.example.com`). In use is the tag something was
 * made of, since it is pulled again when it is made anew, and the digest it runs. A digest is the same image under any host, so
 * an unknown name for the registry protects by it all the same.
 */
export function imagesInUse(uses: readonly ImageUse[], hosts: readonly string[]): InUse {
  const ours = new Set(hosts.map(hostKey));
  const users = new Map<string, string>();
  const add = (key: string, by: string): void => {
    if (!users.has(key)) users.set(key, by);
  };
  for (const { by, image, repoDigests } of uses) {
    for (const text of [image, ...repoDigests]) {
      const reference = referenceOf(text);
      if (reference === undefined) continue;
      const { domain, repository, tag, digest } = reference;
      if (digest !== undefined) add(`${repository}@${digest}`, by);
      if (tag !== undefined && ours.has(hostKey(domain))) add(`${repository}:${tag}`, by);
    }
  }
  return (repository, tag, digest) =>
    (tag === undefined ? undefined : users.get(`${repository}:${tag}`)) ?? users.get(`${repository}@${digest}`);
}
