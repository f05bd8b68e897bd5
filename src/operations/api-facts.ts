/**
 * What retention goes by, asked over `/v2/`: what tags point at and when the images were built. When something was pushed, and
 * what has no tag, the API does not tell. What a digest says never changes, so it is remembered: the next time only the
 * tags are asked about.
 */
import { join } from "node:path";
import { RegctlError } from "../errors.ts";
import { readIfExists, replaceFile } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { RegistryApi } from "../registry/api.ts";
import { parseManifest } from "../storage/manifest.ts";

/** What is remembered of a manifest: when it was built (ms since 1970) and what an index lists. */
export interface KnownManifest {
  readonly built: number | undefined;
  readonly children: readonly string[];
}

export type DigestMemory = Map<string, KnownManifest>;

/** Of the latest runs; a digest that no tag led to in the last run is forgotten. */
export async function loadMemory(directory: string): Promise<DigestMemory> {
  const text = await readIfExists(join(directory, FILES.digests)).catch(() => undefined);
  try {
    return new Map(JSON.parse(text ?? "[]") as [string, KnownManifest][]);
  } catch {
    // Only a memory.
    return new Map();
  }
}

export async function saveMemory(directory: string, used: DigestMemory): Promise<void> {
  const content = JSON.stringify([...used]);
  await replaceFile(directory, { path: FILES.digests, content, mode: 0o600 }).catch(() => undefined);
}

export interface ApiTag {
  readonly tag: string;
  readonly digest: string;
  readonly pushed: undefined;
  readonly built: number | undefined;
  readonly children: readonly string[];
}

export interface ApiFacts {
  readonly repository: string;
  readonly tags: readonly ApiTag[];
}

function createdIn(config: Buffer): number | undefined {
  try {
    const { created } = JSON.parse(config.toString("utf8")) as { readonly created?: unknown };
    const time = typeof created === "string" ? Date.parse(created) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  } catch {
    return undefined;
  }
}

const DEEPEST_INDEX = 3;

async function learn(
  api: RegistryApi,
  repository: string,
  reference: string,
  depth: number,
): Promise<KnownManifest & { readonly digest: string }> {
  const { digest, bytes } = await api.manifest(repository, reference);
  const { kind, blobs, children } = parseManifest(bytes.toString("utf8"));
  const [config] = blobs;
  if (kind !== "index") {
    const built = config === undefined ? undefined : createdIn(await api.blob(repository, config));
    return { digest, built, children };
  }
  if (depth >= DEEPEST_INDEX) return { digest, built: undefined, children };
  const parts = await Promise.all(
    children.map((child) => learn(api, repository, child, depth + 1).catch(ignoreMissing)),
  );
  const times = parts.map((part) => part?.built).filter((time) => time !== undefined);
  return { digest, built: times.length === 0 ? undefined : Math.max(...times), children };
}

/** A platform that cannot be read has no date; the index keeps those of the others. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof RegctlError && error.code !== "interrupted") return undefined;
  throw error;
}

/** Asks about the tags of these repositories; `memory` is read, and what was used of it is in `used`. */
export async function factsOverApi(
  api: RegistryApi,
  repositories: readonly string[],
  memory: DigestMemory,
  onProgress: (done: number, of: number) => void,
): Promise<{ readonly facts: readonly ApiFacts[]; readonly used: DigestMemory }> {
  const used: DigestMemory = new Map();
  const lists = await api.map(repositories, async (repository) => ({
    repository,
    tags: (await api.tags(repository)) ?? [],
  }));
  const wanted = lists.flatMap(({ repository, tags }) => tags.map((tag) => ({ repository, tag })));
  let done = 0;
  const found = await api.map(wanted, async ({ repository, tag }) => {
    // Without a memory the manifest's own answer says its digest: one request less.
    const digest = memory.size === 0 ? undefined : (await api.headManifest(repository, tag))?.digest;
    const known = digest === undefined ? undefined : (used.get(digest) ?? memory.get(digest));
    const learned =
      digest !== undefined && known !== undefined
        ? { ...known, digest }
        : await learn(api, repository, digest ?? tag, 0).catch((error: unknown) => {
            if (error instanceof RegctlError && error.code === "not-found") return undefined;
            throw error;
          });
    onProgress(++done, wanted.length);
    if (learned === undefined) return undefined;
    used.set(learned.digest, { built: learned.built, children: learned.children });
    return {
      repository,
      tag,
      digest: learned.digest,
      pushed: undefined,
      built: learned.built,
      children: learned.children,
    };
  });
  const byRepository = new Map<string, ApiTag[]>(repositories.map((name) => [name, []]));
  for (const one of found) if (one !== undefined) byRepository.get(one.repository)?.push(one);
  return { facts: [...byRepository].map(([repository, tags]) => ({ repository, tags })), used };
}
