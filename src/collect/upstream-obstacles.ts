/** What makes distribution's own collector give up before it deletes anything, and does not name. */
import { setImmediate as breathe } from "node:timers/promises";
import {
  BLOBS,
  blobData,
  layersFolder,
  REPOSITORIES,
  repositoryFolder,
  revisionsFolder,
  type Store,
  tagsFolder,
} from "../storage/layout.ts";
import { parseManifest } from "../storage/manifest.ts";
import { entriesOf, namesIn, walkRepositories } from "../storage/repositories.ts";
import { readLink, readSmallFile } from "../storage/small-file.ts";
import type { Problem } from "./problems.ts";

export interface ObstacleOptions {
  /** Of distribution: 3.x reads more links, and no manifests of schema 1. */
  readonly major: 2 | 3;
  readonly untagged: boolean;
}

/** Nothing was ever pushed: both collectors call that an error, on a file system. */
export function isUnused(store: Store): boolean {
  return entriesOf(`${store.root}/${REPOSITORIES}`).length === 0 || namesIn(`${store.root}/${BLOBS}`).length === 0;
}

const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}$/;

function isSchema1(store: Store, hex: string): boolean {
  const content = readSmallFile(`${store.root}/${blobData(hex)}`);
  if (content === undefined) return false;
  try {
    return parseManifest(content.toString("utf8")).kind === "schema1";
  } catch {
    return false;
  }
}

/** In the order of the repositories; empty when the collector has nothing to stumble over. */
export async function upstreamObstacles(store: Store, options: ObstacleOptions): Promise<Problem[]> {
  const found: Problem[] = [];
  const look = (repository: string, what: string, folder: string): void => {
    const link = readLink(`${store.root}/${folder}`);
    if (link === undefined || DIGEST.test(link)) return;
    const message =
      link === "" ? `a link of ${repository} to ${what} is empty` : `a link of ${repository} is no digest`;
    found.push({ kind: link === "" ? "empty-link" : "foreign-link", repository, path: `${folder}/link`, message });
  };
  for (const { name } of walkRepositories(`${store.root}/${REPOSITORIES}`)) {
    const folder = repositoryFolder(name);
    const revisions = revisionsFolder(folder);
    for (const hex of namesIn(`${store.root}/${revisions}`)) {
      look(name, "a manifest", `${revisions}/${hex}`);
      if (options.major !== 3 || !isSchema1(store, hex)) continue;
      const message = `the manifest sha256:${hex} of ${name} is of schema 1, which distribution 3 cannot read`;
      found.push({ kind: "schema1", repository: name, digest: `sha256:${hex}`, path: blobData(hex), message });
    }
    if (options.major === 3) {
      const layers = layersFolder(folder);
      for (const hex of namesIn(`${store.root}/${layers}`)) look(name, "a layer", `${layers}/${hex}`);
    }
    if (options.untagged) {
      const tags = tagsFolder(folder);
      for (const tag of namesIn(`${store.root}/${tags}`)) look(name, `the tag ${tag}`, `${tags}/${tag}/current`);
    }
    await breathe();
  }
  return found;
}
