/** Manifests over the API: get, head, put, delete. */
import { RegctlError } from "../errors.ts";
import { digestOf, hasDigest } from "./digest.ts";
import { failure } from "./errors.ts";
import { bareMediaType, isSchema1Type, MANIFEST_TYPES } from "./media-types.ts";
import { isDigest } from "./reference.ts";
import { schema1Payload } from "./schema1.ts";
import type { RegistrySession } from "./session.ts";

export interface StoredManifest {
  /** Of the bytes, never of a header. */
  readonly digest: string;
  /** As the registry says; "" when it says nothing of use. */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface ManifestHead {
  /** As the registry says; it is verified when the manifest is read. */
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** distribution's own limit (registry/handlers/manifests.go), and the specification's. */
export const MAXIMUM_MANIFEST_BYTES = 4 * 1024 * 1024;
const ACCEPT = MANIFEST_TYPES.join(", ");

/** `team/api:1.4`, `team/api@sha256:…`. */
export function joinReference(repository: string, reference: string): string {
  return `${repository}${isDigest(reference) ? "@" : ":"}${reference}`;
}

const request = (session: RegistrySession, verb: string, repository: string, reference: string, action: string) => ({
  purpose: `${verb} ${session.host}/${joinReference(repository, reference)}`,
  path: `${repository}/manifests/${reference}`,
  scope: `repository:${repository}:${action}`,
});

/** Reads a manifest and verifies it. Rejects with `not-found` when there is none, reason `corrupt` when it is another one. */
export async function getManifest(
  session: RegistrySession,
  repository: string,
  reference: string,
): Promise<StoredManifest> {
  const asked = request(session, "read", repository, reference, "pull");
  const { body: bytes, headers } = await session.send({
    ...asked,
    method: "GET",
    accepts: [200],
    headers: { accept: ACCEPT },
    maximumBytes: MAXIMUM_MANIFEST_BYTES,
  });
  const mediaType = bareMediaType(headers["content-type"]);
  const covered = coveredBytes(bytes, mediaType);
  if (!isDigest(reference)) return { digest: digestOf(covered), mediaType, bytes };
  if (!hasDigest(covered, reference)) {
    const why = `what ${session.host} sent has the digest ${digestOf(covered)}`;
    throw failure(session.deed(asked.purpose), "corrupt", why, { hint: "look for what is damaged: `regctl fsck`" });
  }
  return { digest: reference, mediaType, bytes };
}

/** What is known without reading it; undefined when there is none. Reads it when the registry tells no digest. */
export async function headManifest(
  session: RegistrySession,
  repository: string,
  reference: string,
  { isKept = false }: ManifestCallOptions = {},
): Promise<ManifestHead | undefined> {
  const asked = request(session, "look up", repository, reference, "pull");
  const { status, headers } = await session.send({
    ...asked,
    isKept,
    method: "HEAD",
    accepts: [200, 404],
    headers: { accept: ACCEPT },
  });
  if (status === 404) return undefined;
  const told = String(headers["docker-content-digest"] ?? "");
  const sizeBytes = Number(headers["content-length"] ?? Number.NaN);
  if (!isDigest(told) || !Number.isSafeInteger(sizeBytes)) {
    const { digest, mediaType, bytes } = await getManifest(session, repository, reference);
    return { digest, mediaType, sizeBytes: bytes.length };
  }
  if (isDigest(reference) && told !== reference) {
    throw failure(session.deed(asked.purpose), "corrupt", `${session.host} says its digest is ${told}`, {
      hint: "look for what is damaged: `regctl fsck`",
    });
  }
  return { digest: told, mediaType: bareMediaType(headers["content-type"]), sizeBytes };
}

/** What the digest is of. */
function coveredBytes(bytes: Buffer, mediaType: string): Buffer {
  return isSchema1Type(mediaType) ? schema1Payload(bytes) : bytes;
}

export interface ManifestCallOptions {
  /** Not interrupted by the session's signal. */
  readonly isKept?: boolean;
}

/** Stores a manifest under a tag or its own digest; resolves to its digest. */
export async function putManifest(
  session: RegistrySession,
  repository: string,
  reference: string,
  { bytes, mediaType }: { readonly bytes: Buffer; readonly mediaType: string },
  { isKept = false }: ManifestCallOptions = {},
): Promise<string> {
  const asked = request(session, "store", repository, reference, "pull,push");
  const covered = coveredBytes(bytes, mediaType);
  if (isDigest(reference) && !hasDigest(covered, reference)) {
    throw new RegctlError("input-invalid", `cannot ${asked.purpose}: its digest is ${digestOf(covered)}`, {
      hint: "name it by its own digest or a tag",
    });
  }
  await session.send({
    ...asked,
    isKept,
    method: "PUT",
    accepts: [201],
    headers: { "content-type": mediaType },
    body: bytes,
  });
  return isDigest(reference) ? reference : digestOf(covered);
}

/**
 * Deletes a manifest and every tag on it (distribution specification, "Deleting Manifests"); false when there was none.
 * Rejects with reason `unsupported` when the registry does not delete.
 */
export async function deleteManifest(
  session: RegistrySession,
  repository: string,
  digest: string,
  { isKept = false }: ManifestCallOptions = {},
): Promise<boolean> {
  const asked = request(session, "delete", repository, digest, "delete");
  const { status } = await session.send({ ...asked, isKept, method: "DELETE", accepts: [200, 202, 404] });
  return status !== 404;
}
