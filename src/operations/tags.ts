/** `tags`: what each tag of a repository points at. */
import { type AttachmentTag, parseAttachmentTag } from "../registry/attachments.ts";
import type { ManifestDescription } from "../registry/describe.ts";
import type { AccessFlags } from "./choose-access.ts";
import { factsReader, sumOf } from "./image-facts.ts";
import { type ImageSource, withImageSource } from "./image-source.ts";
import type { OperationPorts } from "./ports.ts";
import { repositoryOf } from "./repository-patterns.ts";
import { unknownRepository } from "./unknown-repository.ts";

export type TagOrder = "name" | "size" | "pushed";

export interface TagsRequest extends AccessFlags {
  readonly repository: string;
  readonly order: TagOrder;
}

export interface ListedTag {
  readonly tag: string;
  /** undefined = it does not say; see `problem`. */
  readonly digest: string | undefined;
  /** undefined = its manifest cannot be read. */
  readonly kind: ManifestDescription["kind"] | undefined;
  readonly mediaType: string | undefined;
  /** Content of its manifest, configuration and layers, an index's of all platforms; each blob once. */
  readonly sizeBytes: number | undefined;
  readonly platforms: readonly string[];
  /** When it was pushed, in ms since 1970; undefined over the API. */
  readonly pushedMs: number | undefined;
  /** RFC 3339 in UTC: when the image was built. */
  readonly created: string | undefined;
  /** Other tags of the repository on the same digest. */
  readonly siblings: readonly string[];
  /** What a tag such as `sha256-….sig` is attached to. */
  readonly attached: AttachmentTag | undefined;
  readonly problem: string | undefined;
}

export interface ListedTags {
  readonly source: ImageSource["origin"];
  readonly repository: string;
  readonly tags: readonly ListedTag[];
}

async function listOne(
  source: ImageSource,
  repository: string,
  tag: string,
  readFacts: ReturnType<typeof factsReader>,
): Promise<ListedTag | undefined> {
  const found = await source.find(repository, tag);
  // Over the API: deleted since the list was made.
  if (found === undefined) return undefined;
  const facts = await readFacts(repository, found);
  const known = typeof facts === "string" ? undefined : facts;
  return {
    tag,
    digest: found.digest === "" ? undefined : found.digest,
    kind: known?.manifest.kind,
    mediaType: known?.manifest.mediaType,
    sizeBytes: known === undefined ? undefined : sumOf(known.blobs),
    platforms: known?.platforms ?? [],
    pushedMs: found.pushedMs,
    created: known?.created,
    siblings: [],
    attached: parseAttachmentTag(tag),
    problem: found.problem ?? (typeof facts === "string" ? facts : undefined),
  };
}

function withSiblings(tags: readonly ListedTag[]): ListedTag[] {
  const byDigest = new Map<string, string[]>();
  for (const { tag, digest } of tags) {
    if (digest === undefined) continue;
    const same = byDigest.get(digest);
    if (same === undefined) byDigest.set(digest, [tag]);
    else same.push(tag);
  }
  return tags.map((one) => ({
    ...one,
    siblings: (one.digest === undefined ? [] : (byDigest.get(one.digest) ?? [])).filter((tag) => tag !== one.tag),
  }));
}

function sorted(tags: readonly ListedTag[], order: TagOrder): readonly ListedTag[] {
  if (order === "name") return tags;
  const key = ({ sizeBytes = -1, pushedMs = -1 }: ListedTag) => (order === "size" ? sizeBytes : pushedMs);
  return [...tags].sort((a, b) => key(b) - key(a));
}

export async function listTags(ports: OperationPorts, request: TagsRequest): Promise<ListedTags> {
  return withImageSource(ports, request, async (source) => {
    const repository = repositoryOf(request.repository, source.host);
    const names = await source.tags(repository);
    if (names === undefined) throw unknownRepository(repository, await source.repositories());
    const readFacts = factsReader(source);
    const listed = await source.map(names, (tag) => listOne(source, repository, tag, readFacts));
    const tags = withSiblings(listed.filter((one) => one !== undefined));
    return { source: source.origin, repository, tags: sorted(tags, request.order) };
  });
}
