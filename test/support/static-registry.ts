import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Credentials } from "./clients.ts";

export interface StaticRegistry extends AsyncDisposable {
  readonly port: number;
}

const digestOf = (content: Buffer): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** An empty tar archive: a layer without files. */
const LAYER = Buffer.alloc(1024);

/** Its image: one empty layer for this machine's architecture. */
function smallestImage(): { manifest: Buffer; blobs: Map<string, Buffer> } {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const rootfs = { type: "layers", diff_ids: [digestOf(LAYER)] };
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs, history: [{}] }));
  const describe = (mediaType: string, content: Buffer) => ({
    mediaType,
    size: content.length,
    digest: digestOf(content),
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar", LAYER)],
  };
  const blobs = new Map([config, LAYER].map((content) => [digestOf(content), content] as const));
  return { manifest: Buffer.from(JSON.stringify(manifest)), blobs };
}

/**
 * A read-only registry over TLS on all addresses of this host, which has `rig/empty:1` and lets in one user. It is there
 * to try the clients of these tests on something that has nothing to do with regctl.
 */
export async function staticRegistry(
  certificate: { readonly certFile: string; readonly keyFile: string },
  credentials: Credentials,
): Promise<StaticRegistry> {
  const { manifest, blobs } = smallestImage();
  const authorization = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
  const tls = { cert: await readFile(certificate.certFile), key: await readFile(certificate.keyFile) };
  const server = createServer(tls, (request, response) => {
    const answer = (status: number, headers: Record<string, string> = {}, body: Buffer = Buffer.alloc(0)): void => {
      response.writeHead(status, { ...headers, "Content-Length": String(body.length) });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    if (request.headers.authorization !== authorization) {
      answer(401, { "WWW-Authenticate": 'Basic realm="rig"', "Docker-Distribution-Api-Version": "registry/2.0" });
      return;
    }
    const [, kind, reference = ""] = /^\/v2\/rig\/empty\/(manifests|blobs)\/(.+)$/.exec(request.url ?? "") ?? [];
    const blob = blobs.get(reference);
    if (kind === "manifests" && (reference === "1" || reference === digestOf(manifest))) {
      const headers = { "Docker-Content-Digest": digestOf(manifest) };
      answer(200, { ...headers, "Content-Type": "application/vnd.oci.image.manifest.v1+json" }, manifest);
    } else if (kind === "blobs" && blob !== undefined) {
      answer(200, { "Content-Type": "application/octet-stream" }, blob);
    } else if (request.url === "/v2/rig/empty/tags/list") {
      answer(200, { "Content-Type": "application/json" }, Buffer.from('{"name":"rig/empty","tags":["1"]}'));
    } else {
      answer(request.url === "/v2/" ? 200 : 404);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
