/** What a registry shows of a store, whether that is whole, and what is in its trash, as values two moments can be compared by. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const V2 = "docker/registry/v2";

export interface StoreState {
  /** `repository@digest` and `repository:tag digest`, sorted. */
  readonly images: readonly string[];
  /** Hexadecimal digests of blobs with content, sorted. */
  readonly blobs: readonly string[];
  /** Entries of the trash by kind, state and contents, sorted. */
  readonly trash: readonly string[];
}

function paths(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
}

export function storeState(root: string): StoreState {
  const images: string[] = [];
  for (const path of paths(join(root, V2, "repositories"))) {
    const revision = /^(.+)\/_manifests\/revisions\/sha256\/([0-9a-f]{64})\/link$/.exec(path);
    if (revision !== null) images.push(`${revision[1]}@sha256:${revision[2]}`);
    const tag = /^(.+)\/_manifests\/tags\/([^/]+)\/current\/link$/.exec(path);
    if (tag !== null) images.push(`${tag[1]}:${tag[2]} ${readFileSync(join(root, V2, "repositories", path), "utf8")}`);
  }
  const blobs = paths(join(root, V2, "blobs/sha256")).flatMap(
    (path) => /^..\/([0-9a-f]{64})\/data$/.exec(path)?.[1] ?? [],
  );
  const trash = paths(join(root, "regctl-trash")).flatMap((path) => {
    if (!/^[^/]+\/entry\.json$/.test(path)) return [];
    const { kind, state, removed } = JSON.parse(readFileSync(join(root, "regctl-trash", path), "utf8"));
    return [JSON.stringify([kind, state, removed])];
  });
  return { images: images.sort(), blobs: blobs.sort(), trash: trash.sort() };
}

/** What is missing below the manifests of a store, in words: blobs, layers that are not linked, children of indexes. */
export function brokenImages(root: string): string[] {
  const broken: string[] = [];
  const hashes = new Map<string, string | undefined>();
  const content = (digest: string): Buffer | undefined => {
    const hex = digest.slice("sha256:".length);
    const path = join(root, V2, "blobs/sha256", hex.slice(0, 2), hex, "data");
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  const isWhole = (digest: string): boolean => {
    if (!hashes.has(digest)) {
      const data = content(digest);
      hashes.set(digest, data === undefined ? undefined : createHash("sha256").update(data).digest("hex"));
    }
    return `sha256:${hashes.get(digest)}` === digest;
  };
  for (const image of storeState(root).images) {
    const [repository, digest] = image.split("@") as [string, string | undefined];
    const folder = join(root, V2, "repositories", repository.replace(/:[^/]*$/, ""));
    const hasLink = (place: string, to: string) =>
      existsSync(join(folder, place, to.replace("sha256:", "sha256/"), "link"));
    if (digest === undefined) {
      const target = image.split(" ").at(-1) as string;
      if (!hasLink("_manifests/revisions", target)) broken.push(`${image}: no such manifest`);
      continue;
    }
    if (!isWhole(digest)) {
      broken.push(`${image}: its content`);
      continue;
    }
    const { config, layers = [], manifests = [] } = JSON.parse(String(content(digest)));
    for (const { digest: blob } of [...(config === undefined ? [] : [config]), ...layers])
      if (!hasLink("_layers", blob) || !isWhole(blob)) broken.push(`${image}: ${blob}`);
    for (const { digest: child } of manifests)
      if (!hasLink("_manifests/revisions", child)) broken.push(`${image}: child ${child}`);
  }
  return broken;
}
