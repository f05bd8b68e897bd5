import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { clientOf, rejection, scriptedServer, sendError } from "../../support/scripted-registry.ts";

const sha256 = (data: string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const CONFIG = '{"os":"linux"}';
const DIGEST = sha256(CONFIG);
const credentials = { username: "alice", password: new Secret("corr3ct-horse") };

describe("blob", () => {
  it("is read from the storage the registry sends us to, which never sees the password", async () => {
    await using storage = await scriptedServer((_, response) => response.end(CONFIG));
    await using server = await scriptedServer((request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      }
      if (request.url.endsWith("?moved=1")) {
        return void response.writeHead(307, { location: `${storage.url}/bucket?X-Signature=s1gned` }).end();
      }
      response.writeHead(307, { location: `${request.url}?moved=1` }).end();
    });
    using api = clientOf(server, { credentials });
    expect(String(await api.blob("a", DIGEST))).toBe(CONFIG);
    expect(storage.requests).toHaveLength(1);
    expect(storage.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(server.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  it("gets the password back with the registry when a storage sends us there again", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      }
      if (request.url === "/home") return void response.end(CONFIG);
      response.writeHead(302, { location: storage.url }).end();
    });
    await using storage = await scriptedServer((_, response) =>
      response.writeHead(302, { location: `${server.url}/home` }).end(),
    );
    using api = clientOf(server, { credentials });
    expect(String(await api.blob("a", DIGEST))).toBe(CONFIG);
    expect(storage.requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it("is refused when it is another one, too large, or not all there", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.url.includes(sha256("short"))) {
        response.writeHead(200, { "content-length": "5" });
        return void response.write("sho", () => response.destroy());
      }
      response.end(CONFIG);
    });
    using api = clientOf(server);
    expect(await rejection(api.blob("a", sha256("other")))).toMatchObject({ details: { reason: "corrupt" } });
    expect(await rejection(api.blob("a", DIGEST, { maximumBytes: CONFIG.length - 1 }))).toMatchObject({
      details: { reason: "too-large" },
    });
    expect(String(await api.blob("a", DIGEST, { maximumBytes: CONFIG.length }))).toBe(CONFIG);
    expect(await rejection(api.blob("a", sha256("short")))).toMatchObject({ details: { reason: "truncated" } });
  });

  it("reports a storage that refuses, without the signed part of its address and without taking its word", async () => {
    for (const status of [401, 403, 404]) {
      await using storage = await scriptedServer((_, response) =>
        sendError(response, status, "BLOB_UNKNOWN", "s1gned"),
      );
      await using server = await scriptedServer((_, response) =>
        response.writeHead(307, { location: `${storage.url}/bucket/key?X-Signature=s1gned` }).end(),
      );
      using api = clientOf(server, { credentials });
      const error = await rejection(api.blob("a", DIGEST));
      expect(error).toMatchObject({
        code: "registry-failed",
        message: expect.stringContaining(`the storage at ${storage.host} answered ${status}`),
        details: { reason: "server", status },
      });
      expect(inspect(error, { depth: 10 })).not.toContain("s1gned");
      expect(server.requests).toHaveLength(1);
    }
  });

  it.each(["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:pass@127.0.0.1/", "http://["])(
    "is not read from %s",
    async (location) => {
      await using server = await scriptedServer((_, response) => response.writeHead(307, { location }).end());
      using api = clientOf(server);
      expect(await rejection(api.blob("a", DIGEST))).toMatchObject({ details: { reason: "redirect" } });
    },
  );

  it("is not looked for in circles", async () => {
    await using server = await scriptedServer((request, response) =>
      response.writeHead(307, { location: `${request.url}&x` }).end(),
    );
    using api = clientOf(server);
    expect(await rejection(api.blob("a", DIGEST))).toMatchObject({ details: { reason: "redirect" } });
    expect(server.requests).toHaveLength(6);
  });
});

describe("a redirect of anything but a blob", () => {
  it("to another host is an error: what comes from there cannot be verified", async () => {
    await using other = await scriptedServer((_, response) => response.end("{}"));
    await using server = await scriptedServer((_, response) => response.writeHead(302, { location: other.url }).end());
    using api = clientOf(server, { credentials });
    for (const call of [
      api.manifest("a", "1"),
      api.tags("a"),
      api.headManifest("a", "1"),
      api.deleteManifest("a", DIGEST),
    ]) {
      expect(await rejection(call)).toMatchObject({ details: { reason: "redirect" } });
    }
    expect(other.requests).toEqual([]);
  });
});

describe("pushBlob", () => {
  it("uploads where the registry says, with the scheme and path it is reached under", async () => {
    for (const location of [
      "/behind/v2/a/blobs/uploads/1?_state=x%3D",
      "/v2/a/blobs/uploads/1?_state=x%3D",
      "https://HOST/v2/a/blobs/uploads/1?_state=x%3D",
    ]) {
      await using server = await scriptedServer((request, response) => {
        const status = { HEAD: 404, POST: 202, PUT: 201 }[request.method] ?? 500;
        response.writeHead(status, { location: location.replace("HOST", request.headers.host ?? "") }).end();
      });
      using api = clientOf(server, { prefix: "/behind/" });
      expect(await api.pushBlob("a", Buffer.from(CONFIG))).toBe(DIGEST);
      const put = server.requests.at(-1);
      expect(put).toMatchObject({ method: "PUT", body: CONFIG });
      const { pathname, searchParams } = new URL(put?.url ?? "", server.url);
      expect(pathname).toBe("/behind/v2/a/blobs/uploads/1");
      expect(Object.fromEntries(searchParams)).toEqual({ _state: "x=", digest: DIGEST });
    }
  });

  it("sends nothing that is stored already, and nothing to another host", async () => {
    await using other = await scriptedServer((_, response) => response.writeHead(201).end());
    await using server = await scriptedServer((request, response) => {
      if (request.url.startsWith("/v2/has/")) return void response.writeHead(200).end();
      const location = other.url.replace("127.0.0.1", "localhost");
      response.writeHead(request.method === "HEAD" ? 404 : 202, { location }).end();
    });
    using api = clientOf(server);
    expect(await api.pushBlob("has", Buffer.from(CONFIG))).toBe(DIGEST);
    expect(server.requests).toHaveLength(1);
    expect(await rejection(api.pushBlob("hasnt", Buffer.from(CONFIG)))).toMatchObject({
      hint: expect.stringContaining("registry.http.host"),
      details: { reason: "redirect" },
    });
    expect(other.requests).toEqual([]);
  });
});
