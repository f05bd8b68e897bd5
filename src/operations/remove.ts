/** `rm-repo`, `rm-tag`, `rm-image`: what is meant, what it would free, and moving it to the trash. */
import { purgeEntry } from "../collect/recover.ts";
import {
  hasRepository,
  imageRemoval,
  type Removal,
  repositoryNames,
  repositoryRemoval,
  tagRemoval,
  tagsOf,
  tagTarget,
} from "../collect/removal.ts";
import { moveToTrash } from "../collect/remove.ts";
import type { Removed } from "../collect/trash-entry.ts";
import { hostAndPort } from "../config/config.ts";
import { nearestKey } from "../config/distribution/nearest-key.ts";
import { RegctlError } from "../errors.ts";
import { type ImageName, parseImageName } from "../registry/image-name.ts";
import { parseGlob } from "../retention/glob.ts";
import { hexOf, type Store } from "../storage/layout.ts";
import { freedBytes } from "./freed-bytes.ts";
import type { OperationPorts } from "./ports.ts";
import { cacheFlush } from "./serving.ts";
import { changeStore, locateStore, readStore, requireLocal, type StoreFlags, type StoreTarget } from "./store.ts";
import { unknownRepository } from "./unknown-repository.ts";

export type RemovalKind = "rm-repo" | "rm-tag" | "rm-image";

export interface RemovalRequest extends StoreFlags {
  readonly kind: RemovalKind;
  readonly names: readonly string[];
  readonly keepMs: number;
  /** Removed for good at once. */
  readonly purge: boolean;
  /** What it frees is worked out as well. */
  readonly weigh: boolean;
}

export interface RemovalPreview {
  readonly removed: readonly Removed[];
  /** undefined = not worked out. */
  readonly reclaimable: number | undefined;
}

export interface RemovalResult extends RemovalPreview {
  /** undefined when it was purged. */
  readonly trashId: string | undefined;
  readonly expires: string | undefined;
}

const GLOB = /[*?[\]{}]/;

function matchingRepositories(store: Store, names: readonly string[], host: string | undefined): string[] {
  const found = new Set<string>();
  for (const text of names) {
    if (!GLOB.test(text)) {
      const { repository, tag, digest } = parseImageName(text, host);
      if (tag !== undefined || digest !== undefined)
        throw new RegctlError("input-invalid", `${JSON.stringify(text)} names an image, not a repository`, {
          hint: tag === undefined ? `regctl rm-image ${text}` : `regctl rm-tag ${text}`,
        });
      if (!hasRepository(store, repository)) throw unknownRepository(repository, repositoryNames(store));
      found.add(repository);
      continue;
    }
    const matches = parseGlob(text, "repository");
    const matched = repositoryNames(store).filter(matches);
    if (matched.length === 0)
      throw new RegctlError("not-found", `no repository matches ${JSON.stringify(text)}`, {
        hint: "`regctl repos` lists them",
      });
    for (const name of matched) found.add(name);
  }
  return [...found];
}

function requireKnown(store: Store, repository: string): void {
  if (!hasRepository(store, repository)) throw unknownRepository(repository, repositoryNames(store));
}

function matchingTags(store: Store, names: readonly string[], host: string | undefined) {
  const found = new Map<string, { readonly repository: string; readonly tag: string }>();
  for (const text of names) {
    const colon = text.lastIndexOf(":");
    const hasTag = colon > text.lastIndexOf("/");
    const glob = hasTag && GLOB.test(text.slice(colon + 1)) ? text.slice(colon + 1) : undefined;
    const { repository, tag, digest } = parseImageName(glob === undefined ? text : text.slice(0, colon), host);
    requireKnown(store, repository);
    const tags = tagsOf(store, repository);
    if (digest !== undefined)
      throw new RegctlError("input-invalid", `${JSON.stringify(text)} names a digest, not a tag`, {
        hint: `regctl rm-image ${repository}@${digest} removes the manifest with all its tags`,
      });
    if (glob === undefined && tag === undefined)
      throw new RegctlError("input-invalid", `${JSON.stringify(text)} names no tag`, {
        hint: `regctl rm-tag ${repository}:${tags[0] ?? "TAG"}, or the whole repository: regctl rm-repo ${repository}`,
      });
    const matched = tags.filter(glob === undefined ? (each) => each === tag : parseGlob(glob, "tag"));
    if (matched.length === 0) {
      const near = nearestKey(tag ?? "", tags);
      throw new RegctlError("not-found", `${repository} has no tag ${tag ?? glob}`, {
        hint: near === undefined ? `regctl tags ${repository} lists them` : `is it ${repository}:${near}?`,
      });
    }
    for (const each of matched) found.set(`${repository}:${each}`, { repository, tag: each });
  }
  return [...found.values()];
}

/** The digest an image name means: its own, or what its tag points at now. */
function digestOfName(store: Store, { repository, tag, digest }: ImageName): string {
  requireKnown(store, repository);
  const hex = digest === undefined ? tagTarget(store, repository, tag ?? "latest") : hexOf(digest);
  if (hex !== undefined) return hex;
  throw new RegctlError("not-found", `${repository} has no ${digest ?? `tag ${tag ?? "latest"}`}`, {
    hint: `regctl tags ${repository} lists its tags and digests`,
  });
}

function plan(store: Store, { kind, names }: RemovalRequest, host: string | undefined): Removal {
  if (kind === "rm-repo") return repositoryRemoval(matchingRepositories(store, names, host));
  if (kind === "rm-tag") return tagRemoval(store, matchingTags(store, names, host));
  const removals = names.map((text) => {
    const name = parseImageName(text, host);
    return imageRemoval(store, name.repository, digestOfName(store, name));
  });
  const distinct = new Map(removals.flatMap(({ removed }) => removed).map((one) => [JSON.stringify(one), one]));
  return { kind, removed: [...distinct.values()], paths: [...new Set(removals.flatMap(({ paths }) => paths))] };
}

function hostOf({ deployment }: StoreTarget): string | undefined {
  return deployment === undefined ? undefined : hostAndPort(deployment.config);
}

const OTHER_DRIVERS = "delete it over the registry's API (skopeo delete), then run `regctl gc --engine upstream`";

/** What a removal would take and free; nothing is changed. */
export async function previewRemoval(ports: OperationPorts, request: RemovalRequest): Promise<RemovalPreview> {
  const target = await locateStore(ports, request);
  const data = requireLocal(target, request.kind, OTHER_DRIVERS);
  return readStore(ports, data, async (open) => {
    const { removed } = plan(open.store, request, hostOf(target));
    return { removed, reclaimable: request.weigh ? await freedBytes(open, removed) : undefined };
  });
}

/** Moves it to the trash; out of the catalog at once. */
export async function remove(ports: OperationPorts, request: RemovalRequest): Promise<RemovalResult> {
  const target = await locateStore(ports, request);
  const data = requireLocal(target, request.kind, OTHER_DRIVERS);
  // Tags are not cached.
  const flushCaches = request.kind === "rm-tag" ? undefined : await cacheFlush(ports, target.deployment);
  return changeStore(ports, { ...target, data }, `${request.kind} ${request.names.join(" ")}`, async (open) => {
    const removal = plan(open.store, request, hostOf(target));
    const bytes = request.weigh ? await freedBytes(open, removal.removed) : undefined;
    const keepMs = request.purge ? 0 : request.keepMs;
    const entry = moveToTrash(open.store, removal, { now: ports.now(), keepMs, bytes, signal: ports.signal });
    if (flushCaches !== undefined) await open.regain(flushCaches);
    if (request.purge) await purgeEntry(open.store, entry, open.removeTree);
    return {
      removed: entry.removed,
      reclaimable: bytes,
      trashId: request.purge ? undefined : entry.id,
      expires: request.purge ? undefined : entry.expires,
    };
  });
}
