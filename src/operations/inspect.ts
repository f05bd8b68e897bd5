/** `inspect`: everything that is known of one image. */
import { attachmentTags, type Purpose, parseAttachmentTag } from "../registry/attachments.ts";
import type { IndexChild } from "../registry/describe.ts";
import { parseImageName } from "../registry/image-name.ts";
import { isForeignLayerType } from "../registry/media-types.ts";
import { formatPlatform } from "../registry/platform.ts";
import type { AccessFlags } from "./choose-access.ts";
import { factsReader, type ImageFacts, type ReadFacts, sumOf } from "./image-facts.ts";
import { type FoundManifest, type ImageSource, withImageSource } from "./image-source.ts";
import type { OperationPorts } from "./ports.ts";
import { unknownImage, unknownRepository } from "./unknown-repository.ts";

export interface InspectRequest extends AccessFlags {
  /** `team/app`, `team/app:1.4`, `team/app@sha256:…`; without either, its tag `latest`. */
  readonly image: string;
}

/** Something attached to the image. */
export interface Referrer {
  readonly digest: string;
  readonly purpose: Purpose | undefined;
  readonly artifactType: string | undefined;
  /** By its own `subject`, by the index under the tag `sha256-…`, or by a tag of cosign's. */
  readonly by: "subject" | "referrers tag" | "tag";
  readonly tag: string | undefined;
}

export interface MissingPart {
  readonly digest: string;
  readonly what: "configuration" | "layer" | "manifest";
  readonly why: string;
}

export interface InspectedChild {
  readonly child: IndexChild;
  /** `linux/arm64/v8`. */
  readonly platform: string | undefined;
  readonly facts: ImageFacts | undefined;
}

export interface Inspected {
  readonly source: ImageSource["origin"];
  readonly repository: string;
  /** The one that was asked for. */
  readonly tag: string | undefined;
  readonly found: FoundManifest;
  /** undefined = its manifest cannot be read: `problem` says why. */
  readonly facts: ImageFacts | undefined;
  readonly problem: string | undefined;
  readonly sizeBytes: number | undefined;
  /** Every tag on its digest. */
  readonly tags: readonly string[];
  readonly children: readonly InspectedChild[];
  /** Indexes of the repository that list it. */
  readonly parents: readonly string[];
  readonly referrers: readonly Referrer[];
  readonly missing: readonly MissingPart[];
}

interface Around {
  readonly parents: readonly string[];
  readonly referrers: readonly Referrer[];
}

/** Manifests of the repository that are about it. Over the API only those that tags lead to are known. */
async function lookAround(
  source: ImageSource,
  repository: string,
  digest: string,
  tags: readonly string[],
  readFacts: ReadFacts,
): Promise<Around> {
  const parents: string[] = [];
  const referrers = new Map<string, Referrer>();
  const note = (referrer: Referrer) => {
    if (!referrers.has(referrer.digest)) referrers.set(referrer.digest, referrer);
  };
  for (const other of (await source.revisions(repository)) ?? []) {
    if (other === digest) continue;
    const found = await source.find(repository, other);
    const facts = found === undefined ? undefined : await readFacts(repository, found);
    if (facts === undefined || typeof facts === "string") continue;
    const { manifest } = facts;
    if (manifest.children.some((child) => child.digest === digest)) parents.push(other);
    if (manifest.subject?.digest !== digest) continue;
    const { purpose, artifactType } = manifest;
    note({ digest: other, purpose, artifactType, by: "subject", tag: undefined });
  }
  for (const tag of attachmentTags(digest)) {
    if (!tags.includes(tag)) continue;
    const found = await source.find(repository, tag);
    const facts = found === undefined ? undefined : await readFacts(repository, found);
    if (found === undefined || facts === undefined || typeof facts === "string") continue;
    const kind = parseAttachmentTag(tag)?.kind;
    if (kind === "referrers" || kind === undefined) {
      for (const child of facts.manifest.children) {
        const { purpose, artifactType } = child;
        note({ digest: child.digest, purpose, artifactType, by: "referrers tag", tag });
      }
    } else note({ digest: found.digest, purpose: kind, artifactType: facts.manifest.artifactType, by: "tag", tag });
  }
  return { parents, referrers: [...referrers.values()] };
}

async function missingParts(
  source: ImageSource,
  repository: string,
  { manifest }: ImageFacts,
  inner: readonly InspectedChild[],
): Promise<MissingPart[]> {
  const asked = new Map<string, MissingPart["what"]>();
  for (const { digest } of manifest.children) asked.set(digest, "manifest");
  for (const one of [manifest, ...inner.map(({ facts }) => facts?.manifest)]) {
    if (one?.config !== undefined) asked.set(one.config.digest, "configuration");
    for (const { digest, mediaType } of one?.layers ?? []) {
      if (!isForeignLayerType(mediaType)) asked.set(digest, "layer");
    }
  }
  const answers = await source.map([...asked], async ([digest, what]) => {
    const why = await source.missing(repository, digest, what === "manifest" ? "manifest" : "blob");
    return why === undefined ? undefined : { digest, what, why };
  });
  return answers.filter((answer) => answer !== undefined);
}

async function childrenOf(
  source: ImageSource,
  repository: string,
  { manifest }: ImageFacts,
  readFacts: ReadFacts,
): Promise<InspectedChild[]> {
  return source.map(manifest.children, async (child) => {
    const found = await source.find(repository, child.digest);
    const facts = found === undefined ? undefined : await readFacts(repository, found);
    const platform = child.platform === undefined ? undefined : formatPlatform(child.platform);
    return { child, platform, facts: typeof facts === "string" ? undefined : facts };
  });
}

interface Asked {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly names: readonly string[];
  readonly found: FoundManifest;
}

async function findImage(source: ImageSource, image: string): Promise<Asked> {
  const { repository, tag, digest } = parseImageName(image, source.host);
  const reference = digest ?? tag ?? "latest";
  const names = await source.tags(repository);
  if (names === undefined) throw unknownRepository(repository, await source.repositories());
  const found = await source.find(repository, reference);
  if (found === undefined) throw unknownImage(repository, reference, names);
  return { repository, tag: digest === undefined ? reference : undefined, names, found };
}

/** The manifest as it is stored. */
export async function rawManifest(ports: OperationPorts, request: InspectRequest): Promise<FoundManifest> {
  return withImageSource(ports, request, async (source) => (await findImage(source, request.image)).found);
}

export async function inspectImage(ports: OperationPorts, request: InspectRequest): Promise<Inspected> {
  return withImageSource(ports, request, async (source) => {
    const { repository, tag, names, found } = await findImage(source, request.image);
    const { digest } = found;
    const readFacts = factsReader(source);
    const read = await readFacts(repository, found);
    const facts = typeof read === "string" ? undefined : read;
    const targets = await source.map(names, async (name) => [name, await source.target(repository, name)] as const);
    const children = facts === undefined ? [] : await childrenOf(source, repository, facts, readFacts);
    const isNamed = digest !== "";
    return {
      source: source.origin,
      repository,
      tag,
      found,
      facts,
      problem: found.problem ?? (typeof read === "string" ? read : undefined),
      sizeBytes: facts === undefined ? undefined : sumOf(facts.blobs),
      tags: isNamed ? targets.filter(([, target]) => target === digest).map(([name]) => name) : [],
      children,
      ...(isNamed ? await lookAround(source, repository, digest, names, readFacts) : { parents: [], referrers: [] }),
      missing: facts === undefined ? [] : await missingParts(source, repository, facts, children),
    };
  });
}
