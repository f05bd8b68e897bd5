/** What a store holds, worked out the slow and obvious way, as distribution's own collector would see it. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface NaiveManifest {
  /** Digests of everything it names, as upstream's mark sees it. */
  readonly references: readonly string[];
  readonly children: readonly string[];
  readonly subject: string | undefined;
}

export interface NaiveRepository {
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly revisions: ReadonlyMap<string, NaiveManifest>;
}

const v2 = (root: string, ...path: string[]) => join(root, "docker/registry/v2", ...path);
const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const dataOf = (root: string, digest: string) => v2(root, "blobs/sha256", digest.slice(7, 9), digest.slice(7), "data");

export function sizeOf(root: string, digest: string): number {
  return existsSync(dataOf(root, digest)) ? statSync(dataOf(root, digest)).size : 0;
}

function manifestOf(root: string, digest: string): NaiveManifest {
  const json = JSON.parse(readFileSync(dataOf(root, digest), "utf8"));
  const children = (json.manifests ?? []).map((child: { digest: string }) => child.digest);
  const parts = [json.config, ...(json.layers ?? [])].filter(Boolean).map((part: { digest: string }) => part.digest);
  return { references: [...children, ...parts], children, subject: json.subject?.digest };
}

export function naiveRepositories(root: string): NaiveRepository[] {
  const base = v2(root, "repositories");
  const folders = readdirSync(base, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(^|\/)_(manifests|layers|uploads)$/.test(path),
  );
  const names = [...new Set(folders.map((path) => path.slice(0, path.lastIndexOf("/"))))];
  return names.map((name) => {
    const manifests = join(base, name, "_manifests");
    const linked = list(join(manifests, "revisions/sha256")).filter((hex) =>
      existsSync(join(manifests, "revisions/sha256", hex, "link")),
    );
    const tags = list(join(manifests, "tags")).filter((tag) =>
      existsSync(join(manifests, "tags", tag, "current/link")),
    );
    return {
      name,
      tags: new Map(tags.map((tag) => [tag, readFileSync(join(manifests, "tags", tag, "current/link"), "utf8")])),
      revisions: new Map(linked.map((hex) => [`sha256:${hex}`, manifestOf(root, `sha256:${hex}`)])),
    };
  });
}

/** Upstream's mark: every linked manifest and what it names, one level. */
export function neededBlobs(repositories: readonly NaiveRepository[]): Set<string> {
  return new Set(
    repositories.flatMap(({ revisions }) =>
      [...revisions].flatMap(([digest, { references }]) => [digest, ...references]),
    ),
  );
}

/** The repository without some tags and manifests, and without those that were needed through these alone. */
export function without(
  repository: NaiveRepository,
  tags: readonly string[],
  digests: readonly string[],
): NaiveRepository {
  const all = repository.revisions;
  const removed = [...tags.map((tag) => repository.tags.get(tag)), ...digests].filter((digest) => digest !== undefined);
  /** Everything that leads from the set on; what is cut off names nothing and is attached to nothing any more. */
  const grow = (from: readonly string[], isCutOff: (digest: string) => boolean): Set<string> => {
    const set = new Set(from);
    for (let before = -1; before !== set.size; ) {
      before = set.size;
      for (const digest of [...set]) {
        if (!isCutOff(digest)) for (const child of all.get(digest)?.children ?? []) set.add(child);
        for (const [other, { subject }] of all) if (subject === digest && !isCutOff(other)) set.add(other);
      }
    }
    return set;
  };
  const touched = grow(removed, () => false);
  const left = new Map(
    [...repository.tags].filter(([tag, digest]) => !tags.includes(tag) && !digests.includes(digest)),
  );
  const roots = [...all.keys()].filter((digest) => !touched.has(digest) || [...left.values()].includes(digest));
  const reached = grow(roots, (digest) => digests.includes(digest));
  const stays = new Set([...reached].filter((digest) => !digests.includes(digest)));
  return { ...repository, tags: left, revisions: new Map([...all].filter(([digest]) => stays.has(digest))) };
}

/** Digests of every blob that has content. */
export function naiveBlobs(root: string): string[] {
  const blobs = v2(root, "blobs/sha256");
  return list(blobs)
    .flatMap((first) => list(join(blobs, first)))
    .map((hex) => `sha256:${hex}`)
    .filter((digest) => existsSync(dataOf(root, digest)));
}
