/** Media types of manifests and what they consist of, as the OCI image specification and Docker name them. */

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
/** Withdrawn before OCI 1.1 was final; some registries still store them. */
export const OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
export const SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json";

export const OCI_EMPTY = "application/vnd.oci.empty.v1+json";
const IMAGE_CONFIGS = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

/**
 * What a client must accept to be given what is stored: with less, distribution 2.8 answers 404 for OCI manifests and one
 * platform's manifest for a list.
 */
export const MANIFEST_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_ARTIFACT,
  SCHEMA1_SIGNED,
  SCHEMA1,
];

export const isIndexType = (mediaType: string): boolean => mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
export const isSchema1Type = (mediaType: string): boolean => mediaType === SCHEMA1_SIGNED || mediaType === SCHEMA1;
export const isImageConfigType = (mediaType: string): boolean => IMAGE_CONFIGS.has(mediaType);

/** Layers whose bytes lie elsewhere: a registry stores their descriptor and not them. */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType.includes(".foreign.") || mediaType.includes(".nondistributable.");
}

/** `Application/JSON; charset=utf-8` -> `application/json`. */
export function bareMediaType(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}
