/**
 * What a collection may take from a store, worked out the plain way from nothing but its files: one pass over everything,
 * sets of digests, no regard for speed. Independent of the program.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const V2 = "docker/registry/v2";
const HEX = /^[0-9a-f]{64}$/;

export interface Collectable {
  /** Digests. */
  readonly blobs: ReadonlySet<string>;
  /** `repository@digest`. */
  readonly manifests: ReadonlySet<string>;
}

interface Manifest {
  readonly references: readonly string[];
  readonly children: readonly string[];
  readonly subject: string | undefined;
}

function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function linkIn(folder: string): string | undefined {
  return existsSync(join(folder, "link")) ? readFileSync(join(folder, "link"), "utf8") : undefined;
}

/** Digests of every blob with content. */
export function blobsOf(root: string): Set<string> {
  const found = new Set<string>();
  for (const first of names(join(root, V2, "blobs/sha256")))
    for (const hex of names(join(root, V2, "blobs/sha256", first)))
      if (existsSync(join(root, V2, "blobs/sha256", first, hex, "data"))) found.add(`sha256:${hex}`);
  return found;
}

function repositoriesOf(root: string): string[] {
  const base = join(root, V2, "repositories");
  return names(base).length === 0
    ? []
    : readdirSync(base, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith("/_manifests"))
        .map((path) => path.slice(0, -"/_manifests".length));
}

function readManifest(root: string, digest: string): Manifest | undefined {
  const hex = digest.slice("sha256:".length);
  const path = join(root, V2, "blobs/sha256", hex.slice(0, 2), hex, "data");
  if (!existsSync(path)) return undefined;
  const { config, layers = [], manifests = [], subject } = JSON.parse(readFileSync(path, "utf8"));
  const digests = (list: readonly { digest: string }[]) => list.map((one) => one.digest);
  return {
    references: [...digests(config === undefined ? [] : [config]), ...digests(layers), ...digests(manifests)],
    children: digests(manifests),
    subject: subject?.digest,
  };
}

/** Revisions of one repository that its tags need; all of them when it never had a tag. */
function neededOf(folder: string, revisions: ReadonlyMap<string, Manifest | undefined>): Set<string> {
  const tags = join(folder, "_manifests/tags");
  if (!existsSync(tags)) return new Set(revisions.keys());
  const needed = new Set(names(tags).flatMap((tag) => linkIn(join(tags, tag, "current")) ?? []));
  // What cannot be read is no leftover.
  for (const [digest, manifest] of revisions) if (manifest === undefined) needed.add(digest);
  for (let before = -1; before !== needed.size; ) {
    before = needed.size;
    for (const [digest, manifest] of revisions) {
      if (needed.has(digest)) for (const child of manifest?.children ?? []) needed.add(child);
      if (manifest?.subject !== undefined && needed.has(manifest.subject)) needed.add(digest);
    }
  }
  return needed;
}

/** Nothing is young, nothing is in the trash. */
export function collectable(root: string, isUntagged: boolean): Collectable {
  const marked = new Set<string>();
  const manifests = new Set<string>();
  for (const repository of repositoriesOf(root)) {
    const folder = join(root, V2, "repositories", repository);
    const parent = join(folder, "_manifests/revisions/sha256");
    const linked = names(parent).filter((hex) => HEX.test(hex) && linkIn(join(parent, hex)) !== undefined);
    const revisions = new Map(linked.map((hex) => [`sha256:${hex}`, readManifest(root, `sha256:${hex}`)]));
    const needed = isUntagged ? neededOf(folder, revisions) : new Set(revisions.keys());
    for (const [digest, manifest] of revisions) {
      if (!needed.has(digest)) {
        manifests.add(`${repository}@${digest}`);
        continue;
      }
      marked.add(digest);
      for (const reference of manifest?.references ?? []) marked.add(reference);
    }
  }
  return { blobs: new Set([...blobsOf(root)].filter((digest) => !marked.has(digest))), manifests };
}
