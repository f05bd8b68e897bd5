/** What a manifest is, for display: bytes in, value out. */
import { RegctlError } from "../errors.ts";
import { type Purpose, purposeOf } from "./attachments.ts";
import {
  asObject,
  type Descriptor,
  type JsonObject,
  listIn,
  readDescriptor,
  readDescriptors,
  textIn,
  textsIn,
} from "./descriptor.ts";
import {
  bareMediaType,
  isForeignLayerType,
  isImageConfigType,
  isIndexType,
  isSchema1Type,
  MANIFEST_TYPES,
  OCI_ARTIFACT,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from "./media-types.ts";
import { type Platform, readPlatform } from "./platform.ts";
import { isDigest } from "./reference.ts";

export interface IndexChild extends Descriptor {
  readonly platform: Platform | undefined;
  /** The sibling BuildKit attached it to, when it is an attestation. */
  readonly attests: string | undefined;
  readonly purpose: Purpose | undefined;
}

export interface ManifestDescription {
  /** `artifact` = an image manifest or artifact manifest of something that does not run. */
  readonly kind: "image" | "index" | "artifact" | "schema1";
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly config: Descriptor | undefined;
  /** Layers from the bottom up, or an artifact's blobs. */
  readonly layers: readonly Descriptor[];
  /** Manifests of an index. */
  readonly children: readonly IndexChild[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of what it is attached for; undefined for what runs. */
  readonly purpose: Purpose | undefined;
  /** Only schema1 says it itself. */
  readonly platform: Platform | undefined;
  /** Its own bytes, configuration and layers that a registry stores, each once; of an index its own bytes alone. */
  readonly sizeBytes: number;
}

/**
 * Describes a manifest; the media type is what the registry or its own `mediaType` says, else what it looks like. Throws
 * `registry-failed`, reason `corrupt`, when it is no manifest: it is never taken for one that refers to nothing.
 */
export function describeManifest(bytes: Uint8Array, contentType = ""): ManifestDescription {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
    const object = foldNames(asObject(value));
    const mediaType = mediaTypeOf(object, bareMediaType(contentType));
    if (isIndexType(mediaType)) return describeIndex(object, mediaType, bytes.length);
    if (isSchema1Type(mediaType)) return describeSchema1(object, mediaType, bytes.length);
    return describeImage(object, mediaType, bytes.length);
  } catch (error) {
    throw new RegctlError("registry-failed", `this is no manifest: ${(error as Error).message}`, {
      hint: "look for what is damaged: `regctl fsck`",
      details: { reason: "corrupt" },
      cause: error,
    });
  }
}

const NAMES = ["mediaType", "artifactType", "config", "layers", "blobs", "manifests", "subject", "annotations"];
const NAME_BY_FOLD = new Map(
  [...NAMES, "fsLayers", "signatures", "architecture"].map((name) => [name.toLowerCase(), name]),
);

/** Go, in which registries and most clients are written, does not tell `Layers` from `layers`; of several the last counts. */
function foldNames(object: JsonObject): JsonObject {
  const entries = Object.entries(object).map(([key, value]): [string, unknown] => [
    NAME_BY_FOLD.get(key.toUpperCase().toLowerCase()) ?? key,
    value,
  ]);
  return Object.fromEntries(entries);
}

/** A type it names itself counts most: registries send what the pusher said, `text/plain` from some mirrors. */
function mediaTypeOf(object: JsonObject, told: string): string {
  const own = textIn(object, "mediaType");
  for (const type of [own, told]) if (type !== undefined && MANIFEST_TYPES.includes(type)) return type;
  if (Array.isArray(object.manifests)) return OCI_INDEX;
  if (Array.isArray(object.fsLayers)) return Array.isArray(object.signatures) ? SCHEMA1_SIGNED : SCHEMA1;
  if (object.config !== undefined) return OCI_MANIFEST;
  throw new Error("it has neither manifests nor a configuration");
}

const EMPTY = {
  artifactType: undefined,
  config: undefined,
  layers: [],
  children: [],
  subject: undefined,
  annotations: {},
  purpose: undefined,
  platform: undefined,
} as const;

function describeIndex(object: JsonObject, mediaType: string, ownBytes: number): ManifestDescription {
  if (!Array.isArray(object.manifests)) throw new Error("manifests is no list");
  return {
    ...EMPTY,
    kind: "index",
    mediaType,
    artifactType: textIn(object, "artifactType"),
    children: object.manifests.map((value: unknown, position) => readChild(value, `manifests[${position}]`)),
    subject: subjectOf(object),
    annotations: textsIn(object.annotations),
    sizeBytes: ownBytes,
  };
}

function readChild(value: unknown, where: string): IndexChild {
  const descriptor = readDescriptor(value, where);
  const isAttestation = textIn(descriptor.annotations, "vnd.docker.reference.type") === "attestation-manifest";
  const attested = textIn(descriptor.annotations, "vnd.docker.reference.digest");
  return {
    ...descriptor,
    platform: readPlatform(asObject(value).platform),
    attests: isAttestation && attested !== undefined && isDigest(attested) ? attested : undefined,
    purpose: isAttestation ? "attestation" : purposeOf([descriptor]),
  };
}

function describeImage(object: JsonObject, mediaType: string, ownBytes: number): ManifestDescription {
  const isArtifactManifest = mediaType === OCI_ARTIFACT;
  const config = isArtifactManifest ? undefined : readDescriptor(object.config, "config");
  const layers = isArtifactManifest ? readDescriptors(object.blobs, "blobs") : readDescriptors(object.layers, "layers");
  const configType = config?.mediaType ?? "";
  const artifactType =
    textIn(object, "artifactType") ??
    (isImageConfigType(configType) || configType === OCI_EMPTY ? undefined : configType || undefined);
  const annotations = textsIn(object.annotations);
  const purpose = purposeOf([{ mediaType: configType, artifactType, annotations }, ...layers]);
  const isArtifact =
    isArtifactManifest || artifactType !== undefined || purpose !== undefined || configType === OCI_EMPTY;
  return {
    ...EMPTY,
    kind: isArtifact ? "artifact" : "image",
    mediaType,
    artifactType,
    config,
    layers,
    subject: subjectOf(object),
    annotations,
    purpose: isArtifact ? (purpose ?? "other") : undefined,
    sizeBytes: ownBytes + storedBytes([...(config === undefined ? [] : [config]), ...layers]),
  };
}

/** Layers are listed from the top down, and their sizes are not told. */
function describeSchema1(object: JsonObject, mediaType: string, ownBytes: number): ManifestDescription {
  const layers = listIn(object.fsLayers, "fsLayers").map((value, position): Descriptor => {
    const digest = textIn(asObject(value), "blobSum");
    if (digest === undefined || !isDigest(digest)) throw new Error(`fsLayers[${position}] has no valid blobSum`);
    return { mediaType: "", digest, sizeBytes: undefined, artifactType: undefined, annotations: {} };
  });
  if (layers.length === 0) throw new Error("fsLayers is empty");
  return {
    ...EMPTY,
    kind: "schema1",
    mediaType,
    layers: layers.reverse(),
    platform: readPlatform({ os: "linux", architecture: object.architecture }),
    sizeBytes: ownBytes,
  };
}

function subjectOf(object: JsonObject): Descriptor | undefined {
  return object.subject === undefined || object.subject === null
    ? undefined
    : readDescriptor(object.subject, "subject");
}

/** Bytes that blobs take in a registry's storage: each digest once, foreign layers not at all. */
export function storedBytes(descriptors: Iterable<Descriptor>): number {
  const sizes = new Map<string, number>();
  for (const { digest, sizeBytes, mediaType } of descriptors) {
    if (!isForeignLayerType(mediaType)) sizes.set(digest, sizeBytes ?? 0);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
