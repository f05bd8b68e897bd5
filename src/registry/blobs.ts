/** Blobs over the API, the small ones that are read and written whole: configurations, not layers. */
import { digestOf, hasDigest } from "./digest.ts";
import { failure, protocolFailure } from "./errors.ts";
import type { RegistrySession } from "./session.ts";

/** Reads a blob, from the storage the registry redirects to if it does, and verifies it. */
export async function getBlob(
  session: RegistrySession,
  repository: string,
  digest: string,
  maximumBytes: number,
): Promise<Buffer> {
  const purpose = `read the blob ${session.host}/${repository}@${digest}`;
  const { body } = await session.send({
    purpose,
    method: "GET",
    path: `${repository}/blobs/${digest}`,
    scope: `repository:${repository}:pull`,
    accepts: [200],
    maximumBytes,
    mayLeave: true,
  });
  if (!hasDigest(body, digest)) {
    const why = `what was sent has the digest ${digestOf(body)}`;
    throw failure(session.deed(purpose), "corrupt", why, { hint: "look for what is damaged: `regctl fsck`" });
  }
  return body;
}

/** Stores a blob unless the repository has it; resolves to its digest. */
export async function pushBlob(session: RegistrySession, repository: string, bytes: Buffer): Promise<string> {
  const digest = digestOf(bytes);
  const common = {
    purpose: `store a blob in ${session.host}/${repository}`,
    scope: `repository:${repository}:pull,push`,
  };
  const path = `${repository}/blobs/${digest}`;
  const known = await session.send({ ...common, method: "HEAD", path, accepts: [200, 404], mayLeave: true });
  if (known.status === 200) return digest;
  const begun = await session.send({
    ...common,
    method: "POST",
    path: `${repository}/blobs/uploads/`,
    accepts: [202],
    body: Buffer.alloc(0),
  });
  const upload = uploadAddress(session, common.purpose, begun.headers.location);
  upload.searchParams.set("digest", digest);
  await session.send({
    ...common,
    method: "PUT",
    path: upload,
    accepts: [201],
    isIdempotent: false,
    headers: { "content-type": "application/octet-stream" },
    body: bytes,
  });
  return digest;
}

/**
 * Where an upload goes on. Behind a proxy that does not tell it, the registry names the wrong scheme, or leaves out the
 * path it is reached under; both are put right. Another host is not followed: the authorization goes along.
 */
function uploadAddress(session: RegistrySession, purpose: string, location: string | undefined): URL {
  const { root } = session;
  const url = location !== undefined && URL.canParse(location, root.href) ? new URL(location, root) : undefined;
  if (url === undefined) {
    throw protocolFailure(session.deed(purpose), `${session.host} does not say where to upload`);
  }
  if (url.hostname !== root.hostname) {
    throw failure(session.deed(purpose), "redirect", `${session.host} wants uploads to go to ${url.host}`, {
      hint: `set registry.http.host to ${root.origin} in regctl.yaml, then run \`regctl up\``,
    });
  }
  const path = url.pathname.startsWith(root.pathname) ? url.pathname : url.pathname.replace(/^\/v2\//, root.pathname);
  return new URL(`${path}${url.search}`, root);
}
