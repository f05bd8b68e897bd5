import { getEventListeners } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRegistryApi } from "../../../src/registry/api.ts";
import { Secret } from "../../../src/secret.ts";
import { freePort } from "../../contract/free-port.ts";
import { eventually } from "../../support/eventually.ts";
import { type OpensslAuthority, opensslAuthority } from "../../support/openssl-authority.ts";
import {
  clientOf,
  rejection,
  scriptedServer,
  sendError,
  sendJson,
  type TlsFiles,
} from "../../support/scripted-registry.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../support/temporary-directory.ts";

let folder: TemporaryDirectory;
let authority: OpensslAuthority;
let named: TlsFiles;
let numbered: TlsFiles;

beforeAll(async () => {
  folder = temporaryDirectory();
  authority = await opensslAuthority(folder.path);
  const issue = async (name: string): Promise<TlsFiles> => {
    const { keyFile, certFile } = await authority.issue([name]);
    return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
  };
  named = await issue("DNS:registry.test");
  numbered = await issue("IP:127.0.0.1");
});

afterAll(() => folder[Symbol.asyncDispose]());

describe("TLS", () => {
  it("trusts the given authority alone, for the name in the URL wherever it is connected to", async () => {
    await using server = await scriptedServer((_, response) => sendJson(response, { tags: ["1"] }), named);
    const url = server.url.replace("127.0.0.1", "registry.test");
    using trusting = clientOf({ url }, { address: "127.0.0.1", authority: authority.caPem });
    expect(await trusting.tags("a")).toEqual(["1"]);
    expect(server.requests[0]?.headers.host).toBe(new URL(url).host);

    using distrusting = clientOf({ url }, { address: "127.0.0.1" });
    expect(await rejection(distrusting.tags("a"))).toMatchObject({
      message: expect.stringContaining("authority that is not trusted"),
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
      details: { reason: "tls" },
    });
    using misnaming = clientOf(server, { authority: authority.caPem });
    expect(await rejection(misnaming.tags("a"))).toMatchObject({
      message: expect.stringContaining("for other names"),
      hint: expect.stringContaining("regctl certs issue 127.0.0.1"),
    });
  });

  it("tells a plain registry that was named with https, and the reverse", async () => {
    await using plain = await scriptedServer((_, response) => sendJson(response, { tags: [] }));
    using secure = clientOf({ url: `https://${plain.host}` });
    expect(await rejection(secure.tags("a"))).toMatchObject({
      message: expect.stringContaining("answers without TLS"),
      hint: expect.stringContaining(`http://${plain.host}`),
      details: { reason: "scheme" },
    });
    // Go's server answers this in plain text.
    await using go = await scriptedServer((_, response) =>
      response.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n"),
    );
    using insecure = clientOf(go);
    expect(await rejection(insecure.tags("a"))).toMatchObject({
      hint: expect.stringContaining(`https://${go.host}`),
      details: { reason: "scheme" },
    });
    // Others send a TLS alert.
    const alert = createServer((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])));
    const port = await freePort();
    await new Promise<void>((resolve) => alert.listen(port, "127.0.0.1", resolve));
    using alarmed = clientOf({ url: `http://127.0.0.1:${port}` });
    expect(await rejection(alarmed.tags("a"))).toMatchObject({ details: { reason: "scheme" } });
    alert.close();
  });

  it("points out a redirect to https", async () => {
    await using proxy = await scriptedServer((request, response) =>
      response.writeHead(301, { location: `https://${request.headers.host}${request.url}` }).end(),
    );
    using api = clientOf(proxy);
    expect(await rejection(api.tags("a"))).toMatchObject({
      hint: `name the registry as https://${proxy.host}`,
      details: { reason: "scheme" },
    });
  });

  it("does not send the password to a token service without TLS", async () => {
    await using tokens = await scriptedServer((_, response) => sendJson(response, { token: "t" }));
    await using server = await scriptedServer((_, response) => {
      response.writeHead(401, { "www-authenticate": `Bearer realm="${tokens.url}/token"` }).end();
    }, numbered);
    const credentials = { username: "alice", password: new Secret("corr3ct-horse") };
    using api = clientOf(server, { authority: authority.caPem, credentials });
    expect(await rejection(api.tags("a"))).toMatchObject({
      message: expect.stringContaining("not HTTPS"),
      details: { reason: "scheme" },
    });
    expect(tokens.requests).toEqual([]);
  });

  it("works by address, with what was issued for the address", async () => {
    await using server = await scriptedServer((_, response) => sendJson(response, { tags: ["1"] }), numbered);
    using api = clientOf(server, { authority: authority.caPem });
    expect(await api.tags("a")).toEqual(["1"]);
  });
});

describe("a connection", () => {
  it("that is refused or leads nowhere is an error at once, with what to try", async () => {
    const port = await freePort();
    using refused = clientOf({ url: `http://127.0.0.1:${port}` });
    expect(await rejection(refused.tags("a"))).toMatchObject({
      code: "registry-failed",
      message: `cannot list the tags of 127.0.0.1:${port}/a: nothing listens at 127.0.0.1:${port}`,
      hint: expect.stringContaining("regctl up"),
    });
    expect(refused.waits).toEqual([]);
    using nameless = clientOf({ url: "https://registry.invalid:5000" });
    expect(await rejection(nameless.tags("a"))).toMatchObject({
      message: expect.stringContaining("registry.invalid has no address"),
      hint: expect.stringContaining("getent hosts registry.invalid"),
    });
  });

  it("that breaks off is tried again, a registry that restarts too", async () => {
    await using server = await scriptedServer((_, response, index) => {
      if (index === 1 || index === 2) return void response.destroy();
      sendJson(response, { tags: [String(index)] });
    });
    using api = clientOf(server);
    expect(await api.tags("a")).toEqual(["0"]);
    expect(await api.tags("a")).toEqual(["3"]);
    expect(api.waits).toHaveLength(2);
  });

  it("that ends before the promised length is never a whole answer", async () => {
    await using server = await scriptedServer((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("x".repeat(40), () => response.destroy());
    });
    using api = clientOf(server);
    expect(await rejection(api.manifest("a", "1"))).toMatchObject({
      message: expect.stringContaining("broke off after 40 of 100 bytes"),
      details: { reason: "truncated" },
      hint: expect.stringContaining("regctl restart"),
    });
    expect(server.requests).toHaveLength(4);
  });

  it("that is silent, before or within the answer, ends after the time allowed", async () => {
    for (const start of ["", '{"tags":']) {
      await using server = await scriptedServer((_, response) => {
        if (start !== "") response.write(start);
      });
      using api = clientOf(server, { timeoutMs: 100 });
      expect(await rejection(api.tags("a"))).toMatchObject({
        message: expect.stringContaining("silent for 0.1 seconds"),
        details: { reason: "timeout" },
      });
      expect(server.requests).toHaveLength(1);
    }
  });

  it("is used again, and no more are made than allowed", async () => {
    const sockets = new Set<string>();
    await using server = await scriptedServer((_, response) => {
      sockets.add(String(response.socket?.remotePort));
      sendJson(response, { tags: [] });
    });
    using api = clientOf(server, { concurrency: 3 });
    await api.map(Array.from({ length: 30 }), () => api.tags("a"));
    expect(server.requests).toHaveLength(30);
    expect(sockets.size).toBe(3);
  });
});

describe("an abort", () => {
  it("ends requests, answers, waits and what has not begun, and leaves no listener", async () => {
    await using silent = await scriptedServer((request, response) => {
      if (request.url.includes("/drip/")) response.write("{");
    });
    await using busy = await scriptedServer((_, response) => response.writeHead(503, { "retry-after": "25" }).end());
    for (const [server, repository] of [
      [silent, "quiet"],
      [silent, "drip"],
      [busy, "busy"],
    ] as const) {
      const controller = new AbortController();
      const api = createRegistryApi({ url: server.url, signal: controller.signal, timeoutMs: 5_000 });
      const before = server.requests.length;
      const failed = rejection(api.tags(repository));
      await eventually(() => server.requests.length > before);
      controller.abort();
      expect(await failed).toMatchObject({ code: "interrupted" });
      expect(await rejection(api.tags(repository))).toMatchObject({ code: "interrupted" });
      expect(server.requests.length).toBe(before + 1);
      await eventually(() => getEventListeners(controller.signal, "abort").length === 0);
      api.close();
    }
  });

  it("leaves no listener behind when nothing was aborted", async () => {
    await using server = await scriptedServer((_, response) => sendJson(response, { tags: [] }));
    const { signal } = new AbortController();
    using api = clientOf(server, { signal });
    await api.map(Array.from({ length: 50 }), () => api.tags("a"));
    await eventually(() => getEventListeners(signal, "abort").length === 0);
    expect(server.requests).toHaveLength(50);
  });
});

describe("tries again", () => {
  it.each([500, 502, 503, 504])("after %i, three times at most", async (status) => {
    await using server = await scriptedServer((_, response, index) => {
      if (index < 2) return sendError(response, status, "UNKNOWN");
      sendJson(response, { tags: ["1"] });
    });
    using api = clientOf(server);
    expect(await api.tags("a")).toEqual(["1"]);
    await using broken = await scriptedServer((_, response) =>
      sendError(response, status, "UNAVAILABLE", "disk on fire"),
    );
    using hopeless = clientOf(broken);
    expect(await rejection(hopeless.tags("a"))).toMatchObject({
      message: expect.stringContaining(`${status}: disk on fire (UNAVAILABLE)`),
      hint: expect.stringContaining("regctl logs"),
      details: { reason: "server", status },
    });
    expect(broken.requests).toHaveLength(4);
    expect(hopeless.waits).toEqual([200, 800, 2_000]);
  });

  it("after as long as a 429 asks for, but not after longer than is bearable", async () => {
    await using server = await scriptedServer((request, response, index) => {
      const patience = request.url.includes("/long/") ? "3600" : "7";
      if (index > 0 && patience === "7") return sendJson(response, { tags: ["1"] });
      response.writeHead(429, { "retry-after": patience }).end();
    });
    using api = clientOf(server);
    expect(await api.tags("short")).toEqual(["1"]);
    expect(api.waits).toEqual([7_000]);
    expect(await rejection(api.tags("long"))).toMatchObject({
      details: { reason: "rate-limit", status: 429 },
      hint: "try again in 3600 seconds",
    });
    expect(server.requests).toHaveLength(3);
  });

  it("not after what will not change, and not what may not be done twice", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.method === "HEAD") return void response.writeHead(404).end();
      sendError(response, request.method === "POST" ? 500 : 400, "UNKNOWN");
    });
    using api = clientOf(server);
    await rejection(api.tags("a"));
    expect(server.requests).toHaveLength(1);
    await rejection(api.pushBlob("a", Buffer.from("{}")));
    expect(server.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
    expect(api.waits).toEqual([]);
  });
});

describe("an address", () => {
  it.each([
    "registry.example.com:5000",
    "ftp://registry.example.com",
    "https://user:secret-word@registry.example.com",
    "https://registry.example.com/v2",
    "https://registry.example.com/?x=1",
    "",
  ])("%s is refused", async (url) => {
    let error: unknown;
    try {
      createRegistryApi({ url });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "input-invalid", hint: expect.any(String) });
    expect((error as Error).message).not.toContain("secret-word");
  });
});
