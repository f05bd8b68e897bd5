/** What repositories weigh, as far as the API tells: what tags lead to, by the sizes that manifests state. */
import { messageOf, RegctlError } from "../errors.ts";
import type { RegistryApi } from "../registry/api.ts";
import { describeManifest, type ManifestDescription } from "../registry/describe.ts";
import { isForeignLayerType } from "../registry/media-types.ts";
import { shownName } from "../shown-name.ts";
import type { Repositories } from "./repositories.ts";

interface Known {
  readonly bytes: number;
  /** The repository that needs it; undefined = several do. */
  owner: string | undefined;
}

/** A failure that concerns one image and no other; anything else ends the work. */
function isOfOneImage(error: unknown): error is RegctlError {
  if (!(error instanceof RegctlError)) return false;
  return error.code === "not-found" || error.details?.reason === "corrupt" || error.details?.reason === "too-large";
}

interface Parts {
  readonly blobs: ReadonlyMap<string, number>;
  readonly children: readonly string[];
}

function partsOf(digest: string, bytes: Buffer, manifest: ManifestDescription): Parts {
  const stored = [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers].filter(
    ({ mediaType }) => !isForeignLayerType(mediaType),
  );
  return {
    blobs: new Map([[digest, bytes.length], ...stored.map((one) => [one.digest, one.sizeBytes ?? 0] as const)]),
    children: manifest.children.map((child) => child.digest),
  };
}

/** Every repository is read, as what only one needs depends on all; `matches` says of which to give the weight. */
export async function weighRegistry(
  api: RegistryApi,
  names: readonly string[],
  matches: (name: string) => boolean,
): Promise<Omit<Repositories, "source">> {
  const blobs = new Map<string, Known>();
  const problems: string[] = [];
  /** What a digest says is the same in every repository. */
  const remembered = new Map<string, Parts>();

  const read = async (repository: string, reference: string): Promise<[string, Parts]> => {
    const known = remembered.get(reference);
    if (known !== undefined) return [reference, known];
    const { digest, bytes, mediaType } = await api.manifest(repository, reference);
    const parts = remembered.get(digest) ?? partsOf(digest, bytes, describeManifest(bytes, mediaType));
    remembered.set(digest, parts);
    return [digest, parts];
  };

  const weigh = async (repository: string) => {
    const tags = (await api.tags(repository)) ?? [];
    const own = new Map<string, number>();
    const followed = new Set<string>();
    const follow = async (reference: string): Promise<void> => {
      try {
        const [digest, parts] = await read(repository, reference);
        if (followed.has(digest)) return;
        followed.add(digest);
        for (const [blob, bytes] of parts.blobs) own.set(blob, bytes);
        for (const child of parts.children) if (!followed.has(child)) await follow(child);
      } catch (error) {
        if (!isOfOneImage(error)) throw error;
        problems.push(`${shownName(repository)} is not weighed as a whole: ${messageOf(error)}`);
      }
    };
    await api.map(tags, follow);
    for (const [digest, bytes] of own) {
      const known = blobs.get(digest);
      if (known === undefined) blobs.set(digest, { bytes, owner: repository });
      else if (known.owner !== repository) known.owner = undefined;
    }
    return { tags: tags.length, sizeBytes: [...own.values()].reduce((sum, bytes) => sum + bytes, 0) };
  };

  const weights = await api.map(names, weigh);
  const exclusive = new Map<string, number>();
  let neededBytes = 0;
  for (const { bytes, owner } of blobs.values()) {
    neededBytes += bytes;
    if (owner !== undefined) exclusive.set(owner, (exclusive.get(owner) ?? 0) + bytes);
  }
  return {
    repositories: names.map((name, at) => {
      const weight = weights[at];
      if (weight === undefined || !matches(name)) return { name, weight: undefined };
      return { name, weight: { ...weight, exclusiveBytes: exclusive.get(name) ?? 0, pushedMs: undefined } };
    }),
    neededBytes,
    problems,
  };
}
