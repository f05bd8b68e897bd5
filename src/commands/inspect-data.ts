/** The JSON of `inspect`. */
import type { ImageFacts } from "../operations/image-facts.ts";
import type { Inspected, InspectedChild } from "../operations/inspect.ts";
import type { Descriptor } from "../registry/descriptor.ts";

const descriptorData = ({ digest, mediaType, sizeBytes, annotations }: Descriptor) => ({
  digest,
  mediaType,
  sizeBytes: sizeBytes ?? null,
  annotations,
});

function configData({ config }: ImageFacts) {
  if (config === undefined) return null;
  return {
    author: config.author ?? null,
    labels: config.labels,
    env: config.environment,
    entrypoint: config.entrypoint,
    cmd: config.command,
    user: config.user ?? null,
    workingDir: config.workingDirectory ?? null,
    exposedPorts: config.exposedPorts,
    volumes: config.volumes,
    stopSignal: config.stopSignal ?? null,
    history: config.history.map(({ createdBy, isEmptyLayer }) => ({ createdBy, emptyLayer: isEmptyLayer })),
  };
}

/** What an image and each image of an index have in common. */
function factsData(facts: ImageFacts | undefined) {
  if (facts === undefined) {
    return {
      kind: null,
      artifactType: null,
      purpose: null,
      created: null,
      config: null,
      configDigest: null,
      layers: [],
      annotations: {},
      subject: null,
    };
  }
  const { manifest, created } = facts;
  return {
    kind: manifest.kind,
    artifactType: manifest.artifactType ?? null,
    purpose: manifest.purpose ?? null,
    created: created ?? null,
    config: configData(facts),
    configDigest: manifest.config?.digest ?? null,
    layers: manifest.layers.map(descriptorData),
    annotations: manifest.annotations,
    subject: manifest.subject?.digest ?? null,
  };
}

function childData({ child, facts }: InspectedChild) {
  return {
    ...factsData(facts),
    digest: child.digest,
    mediaType: child.mediaType,
    platform: child.platform ?? null,
    attests: child.attests ?? null,
    purpose: child.purpose ?? facts?.manifest.purpose ?? null,
  };
}

export function imageData(inspected: Inspected) {
  const { found, facts } = inspected;
  return {
    source: inspected.source,
    repository: inspected.repository,
    tag: inspected.tag ?? null,
    digest: found.digest === "" ? null : found.digest,
    mediaType: facts?.manifest.mediaType ?? null,
    sizeBytes: inspected.sizeBytes ?? null,
    platforms: facts?.platforms ?? [],
    pushed: found.pushedMs === undefined ? null : new Date(found.pushedMs).toISOString(),
    tags: inspected.tags,
    ...factsData(facts),
    manifests: inspected.children.map(childData),
    parents: inspected.parents,
    referrers: inspected.referrers.map(({ digest, purpose, artifactType, by, tag }) => ({
      digest,
      purpose: purpose ?? null,
      artifactType: artifactType ?? null,
      by,
      tag: tag ?? null,
    })),
    missing: inspected.missing,
    problem: inspected.problem ?? null,
  };
}
