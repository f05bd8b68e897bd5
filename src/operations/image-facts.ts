/** What an image is, from its manifest, the manifests of its platforms and its configuration. */
import { messageOf, RegctlError } from "../errors.ts";
import { describeManifest, type ManifestDescription } from "../registry/describe.ts";
import { type ConfigDescription, describeConfig } from "../registry/describe-config.ts";
import type { Descriptor } from "../registry/descriptor.ts";
import { isForeignLayerType, isImageConfigType } from "../registry/media-types.ts";
import { formatPlatform } from "../registry/platform.ts";
import type { FoundManifest, ImageSource } from "./image-source.ts";

export interface ImageFacts {
  readonly manifest: ManifestDescription;
  readonly config: ConfigDescription | undefined;
  /** `linux/amd64`; of an index, those of its manifests in their order. */
  readonly platforms: readonly string[];
  /** RFC 3339 in UTC: when it was built; of an index, its newest. */
  readonly created: string | undefined;
  /** Bytes of the blobs a registry stores for it, each once, by digest. */
  readonly blobs: ReadonlyMap<string, number>;
}

export type ReadFacts = (repository: string, found: FoundManifest) => Promise<ImageFacts | string>;

function storedBlobs(digest: string, bytes: number, parts: readonly Descriptor[]): Map<string, number> {
  const stored = parts.filter(({ mediaType }) => !isForeignLayerType(mediaType));
  return new Map([[digest, bytes], ...stored.map((part) => [part.digest, part.sizeBytes ?? 0] as const)]);
}

function newest(times: readonly (string | undefined)[]): string | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.reduce<string | undefined>(
    (latest, time) => (latest === undefined || Date.parse(time) > Date.parse(latest) ? time : latest),
    undefined,
  );
}

/** How deep indexes of indexes are followed; nobody nests more than one. */
const DEEPEST = 4;

/**
 * A reader that remembers what a digest says for as long as it is used. Resolves to a sentence for a manifest that cannot be
 * read. Parts of an image that are missing leave their facts out.
 */
export function factsReader(source: ImageSource): ReadFacts {
  const remembered = new Map<string, Promise<ImageFacts | string>>();

  const readConfig = async (repository: string, descriptor: Descriptor | undefined) => {
    if (descriptor === undefined || !isImageConfigType(descriptor.mediaType)) return undefined;
    const bytes = await source.blob(repository, descriptor.digest);
    try {
      return bytes === undefined ? undefined : describeConfig(bytes);
    } catch (error) {
      if (error instanceof RegctlError) return undefined;
      throw error;
    }
  };

  const readIndex = async (repository: string, digest: string, manifest: ManifestDescription, depth: number) => {
    const blobs = new Map([[digest, manifest.sizeBytes]]);
    const facts = await source.map(manifest.children, async (child) => {
      const found = depth < DEEPEST ? await source.find(repository, child.digest) : undefined;
      return found?.bytes === undefined ? undefined : read(repository, found, depth + 1);
    });
    const platforms: string[] = [];
    const times: (string | undefined)[] = [];
    for (const [at, child] of manifest.children.entries()) {
      blobs.set(child.digest, child.sizeBytes ?? 0);
      const known = facts[at];
      const inner = known === undefined || typeof known === "string" ? undefined : known;
      for (const [blob, bytes] of inner?.blobs ?? []) blobs.set(blob, bytes);
      if (child.platform !== undefined) platforms.push(formatPlatform(child.platform));
      else if (child.purpose === undefined) platforms.push(...(inner?.platforms ?? []));
      times.push(inner?.created);
    }
    return { manifest, config: undefined, platforms: [...new Set(platforms)], created: newest(times), blobs };
  };

  const readFresh = async (repository: string, { digest, bytes, mediaType }: FoundManifest, depth: number) => {
    let manifest: ManifestDescription;
    try {
      manifest = describeManifest(bytes as Buffer, mediaType);
    } catch (error) {
      if (!(error instanceof RegctlError)) throw error;
      return messageOf(error);
    }
    if (manifest.kind === "index") return readIndex(repository, digest, manifest, depth);
    const config = await readConfig(repository, manifest.config);
    const platform = config?.platform ?? manifest.platform;
    const parts = [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers];
    return {
      manifest,
      config,
      platforms: platform === undefined ? [] : [formatPlatform(platform)],
      created: config?.created === undefined ? undefined : new Date(config.created).toISOString(),
      blobs: storedBlobs(digest, (bytes as Buffer).length, parts),
    };
  };

  const read = (repository: string, found: FoundManifest, depth: number): Promise<ImageFacts | string> => {
    const known = remembered.get(found.digest);
    if (known !== undefined) return known;
    const fresh = readFresh(repository, found, depth);
    remembered.set(found.digest, fresh);
    return fresh;
  };

  return async (repository, found) =>
    found.bytes === undefined ? (found.problem ?? "it cannot be read") : read(repository, found, 0);
}

export function sumOf(blobs: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const bytes of blobs.values()) sum += bytes;
  return sum;
}
