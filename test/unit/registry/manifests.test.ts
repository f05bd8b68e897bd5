import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { clientOf, rejection, scriptedServer, sendError } from "../../support/scripted-registry.ts";

const sha256 = (data: string | Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const TYPE = "application/vnd.oci.image.manifest.v1+json";
const BODY = '{"schemaVersion":2}';
const OTHER = sha256("another");

describe("manifest", () => {
  it("is asked for in every form there is", async () => {
    await using server = await scriptedServer((_, response) =>
      response.writeHead(200, { "content-type": TYPE }).end(BODY),
    );
    using api = clientOf(server);
    await api.manifest("a", "1");
    expect(server.requests[0]?.headers.accept?.split(", ")).toEqual(
      expect.arrayContaining([
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
      ]),
    );
  });

  it("has the digest of its bytes, whatever the header says", async () => {
    await using server = await scriptedServer((_, response) =>
      response.writeHead(200, { "content-type": `${TYPE}; charset=utf-8`, "docker-content-digest": OTHER }).end(BODY),
    );
    using api = clientOf(server);
    expect(await api.manifest("a", "1")).toEqual({ digest: sha256(BODY), mediaType: TYPE, bytes: Buffer.from(BODY) });
    expect(await api.manifest("a", sha256(BODY))).toMatchObject({ digest: sha256(BODY) });
    const long = `sha512:${createHash("sha512").update(BODY).digest("hex")}`;
    expect(await api.manifest("a", long)).toMatchObject({ digest: long });
    expect(await rejection(api.manifest("a", OTHER))).toMatchObject({
      code: "registry-failed",
      message: expect.stringContaining(sha256(BODY)),
      details: { reason: "corrupt" },
      hint: expect.stringContaining("regctl fsck"),
    });
  });

  it.each([
    ["announced", { "content-length": String(5 * 1024 * 1024) }, 1],
    ["unannounced", {}, 5 * 1024 * 1024],
  ])("is refused above 4 MiB, %s", async (_, headers, sent) => {
    await using server = await scriptedServer((_, response) => {
      response.writeHead(200, { "content-type": TYPE, ...headers });
      // Never ended: only the limit can stop the reading.
      response.write(Buffer.alloc(sent, " "));
    });
    using api = clientOf(server);
    expect(await rejection(api.manifest("a", "1"))).toMatchObject({
      message: expect.stringContaining("4194304"),
      details: { reason: "too-large" },
    });
  });

  it("is taken when it has exactly 4 MiB", async () => {
    const bytes = Buffer.alloc(4 * 1024 * 1024, " ");
    await using server = await scriptedServer((_, response) => response.end(bytes));
    using api = clientOf(server);
    expect((await api.manifest("a", "1")).digest).toBe(sha256(bytes));
  });
});

describe("headManifest", () => {
  it("believes a valid header, reads the manifest when there is none", async () => {
    for (const [told, digest] of [
      [OTHER, OTHER],
      ["sha256:short", sha256(BODY)],
      ["../../../etc/passwd", sha256(BODY)],
      [undefined, sha256(BODY)],
    ] as const) {
      await using server = await scriptedServer((request, response) => {
        response.writeHead(200, {
          "content-type": TYPE,
          "content-length": BODY.length,
          ...(told === undefined ? {} : { "docker-content-digest": told }),
        });
        response.end(request.method === "HEAD" ? undefined : BODY);
      });
      using api = clientOf(server);
      expect(await api.headManifest("a", "1")).toEqual({ digest, mediaType: TYPE, sizeBytes: BODY.length });
    }
  });

  it("is undefined for 404, and refuses another digest than was asked for", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.url.endsWith("/none")) return void response.writeHead(404).end();
      response.writeHead(200, { "content-length": 2, "docker-content-digest": OTHER }).end();
    });
    using api = clientOf(server);
    expect(await api.headManifest("a", "none")).toBeUndefined();
    expect(await rejection(api.headManifest("a", sha256("x")))).toMatchObject({ details: { reason: "corrupt" } });
  });
});

describe("putManifest and deleteManifest", () => {
  it("refuse to store under another digest, and say what the registry has against it", async () => {
    await using server = await scriptedServer((_, response) =>
      sendError(response, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown"),
    );
    using api = clientOf(server);
    expect(await rejection(api.putManifest("a", OTHER, Buffer.from(BODY), TYPE))).toMatchObject({
      code: "input-invalid",
    });
    expect(server.requests).toEqual([]);
    expect(await rejection(api.putManifest("a", "1", Buffer.from(BODY), TYPE))).toMatchObject({
      message: expect.stringContaining("blob unknown (MANIFEST_BLOB_UNKNOWN)"),
      details: { status: 400 },
    });
  });

  it("tell deletion that is switched off from a registry that takes no changes", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.url.includes("/off/"))
        return sendError(response, 405, "UNSUPPORTED", "The operation is unsupported.");
      response.writeHead(405).end("Method not allowed\n");
    });
    using api = clientOf(server);
    expect(await rejection(api.deleteManifest("off", OTHER))).toMatchObject({
      hint: expect.stringContaining("storage.delete.enabled"),
    });
    expect(await rejection(api.deleteManifest("read", OTHER))).toMatchObject({
      hint: expect.stringContaining("readonly"),
    });
  });

  it("take a digest for nothing but a digest", async () => {
    await using server = await scriptedServer((_, response) => response.writeHead(202).end());
    using api = clientOf(server);
    for (const digest of ["latest", "sha256:", `sha256:${"A".repeat(64)}`, `md5:${"a".repeat(32)}`, `${OTHER}/x`]) {
      expect(await rejection(api.deleteManifest("a", digest))).toMatchObject({ code: "input-invalid" });
    }
    expect(server.requests).toEqual([]);
  });
});
