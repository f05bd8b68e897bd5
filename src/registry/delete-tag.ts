/** Deleting one tag and nothing else, on registries that know how and on those that do not. */
import { randomBytes } from "node:crypto";
import { messageOf, RegctlError } from "../errors.ts";
import { pushBlob } from "./blobs.ts";
import { digestOf } from "./digest.ts";
import { failureReason } from "./errors.ts";
import { deleteManifest, getManifest, headManifest, putManifest, type StoredManifest } from "./manifests.ts";
import { OCI_EMPTY, OCI_MANIFEST } from "./media-types.ts";
import { spokenErrors } from "./refusals.ts";
import type { RegistrySession } from "./session.ts";

const KEPT = { isKept: true };

/** Marks a manifest that stands in for a tag's own while the tag is deleted; its value is the digest the tag had. */
export const PLACEHOLDER_ANNOTATION = "io.github.regctl.placeholder-for";

/**
 * Deletes the tag; its manifest and the other tags on it stay. False when there was no such tag. Rejects with reason
 * `unsupported` when the registry does not delete at all, with the tag untouched.
 *
 * distribution 3 and the specification delete by tag. 2.8 (400 DIGEST_INVALID) only deletes by digest, and every tag with
 * it: the tag is first moved to a manifest of its own, which is then deleted.
 */
export async function deleteTag(session: RegistrySession, repository: string, tag: string): Promise<boolean> {
  const answer = await session.send({
    purpose: `delete the tag ${session.host}/${repository}:${tag}`,
    method: "DELETE",
    path: `${repository}/manifests/${tag}`,
    scope: `repository:${repository}:delete`,
    accepts: [200, 202, 400, 404, 405],
  });
  if (answer.status === 404 && spokenErrors(answer).length > 0) return false;
  if (answer.status < 300) return true;
  await ensureDeletes(session, repository);
  return deleteThroughPlaceholder(session, repository, tag);
}

/** Deletes a digest nobody has: were that refused, a placeholder would stay in the tag's place. */
async function ensureDeletes(session: RegistrySession, repository: string): Promise<void> {
  await deleteManifest(session, repository, digestOf(randomBytes(32)));
}

async function deleteThroughPlaceholder(session: RegistrySession, repository: string, tag: string): Promise<boolean> {
  let original: StoredManifest;
  try {
    original = await getManifest(session, repository, tag);
  } catch (error) {
    if (failureReason(error) === "not-found") return false;
    throw error;
  }
  const bytes = placeholderFor(original.digest, await emptyConfig(session, repository));
  // From here to the deletion an interruption would leave the placeholder in the tag's place.
  try {
    const digest = await putManifest(session, repository, tag, { bytes, mediaType: OCI_MANIFEST }, KEPT);
    await deleteManifest(session, repository, digest, KEPT);
    return true;
  } catch (cause) {
    if (await isGoneOrPutBack(session, repository, tag, { original, placeholder: digestOf(bytes), cause })) return true;
    throw cause;
  }
}

/** True when the tag is gone in spite of the failure; else it is on its own manifest again, or on a newer one. */
async function isGoneOrPutBack(
  session: RegistrySession,
  repository: string,
  tag: string,
  failed: { readonly original: StoredManifest; readonly placeholder: string; readonly cause: unknown },
): Promise<boolean> {
  const { original, placeholder, cause } = failed;
  try {
    const now = await headManifest(session, repository, tag, KEPT);
    if (now === undefined) return true;
    if (now.digest === placeholder) await putManifest(session, repository, tag, original, KEPT);
    return false;
  } catch (error) {
    const name = `${session.host}/${repository}`;
    const why = `${messageOf(cause)}; putting it back failed too: ${messageOf(error)}`;
    throw new RegctlError("registry-failed", `the tag ${name}:${tag} may be on a placeholder: ${why}`, {
      hint: `put it back: \`skopeo copy --all docker://${name}@${original.digest} docker://${name}:${tag}\``,
      details: { registry: session.host, repository, tag, digest: original.digest },
      cause,
    });
  }
}

/** The one configuration every placeholder of a repository shares. */
async function emptyConfig(session: RegistrySession, repository: string) {
  const bytes = Buffer.from("{}");
  return { mediaType: OCI_EMPTY, digest: await pushBlob(session, repository, bytes), size: bytes.length };
}

/** Unlike any other manifest, so that no other tag can be on its digest. */
function placeholderFor(digest: string, config: object): Buffer {
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: "application/vnd.regctl.placeholder.v1",
    config,
    layers: [],
    annotations: { [PLACEHOLDER_ANNOTATION]: digest, "io.github.regctl.nonce": randomBytes(16).toString("hex") },
  };
  return Buffer.from(JSON.stringify(manifest));
}
