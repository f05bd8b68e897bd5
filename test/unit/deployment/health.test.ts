import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import {
  containerProblem,
  publishedAddress,
  servingProblem,
  waitUntilServing,
} from "../../../src/deployment/health.ts";
import type { ObservedContainer } from "../../../src/engine/engine.ts";
import { RegctlError } from "../../../src/errors.ts";
import { Secret } from "../../../src/secret.ts";
import { FakeEngine } from "../../support/fake-engine.ts";
import { opensslAuthority } from "../../support/openssl-authority.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const open: { close(): unknown; closeAllConnections(): void }[] = [];
const folder = temporaryDirectory();
afterAll(async () => {
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
  await folder[Symbol.asyncDispose]();
});

function config(text: string): Config {
  const parsed = parseConfig({ text, directory: "/srv/acme", defaultUser: { uid: 1, gid: 1 } });
  if (parsed.config === undefined) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

async function listening<T extends Server>(server: T): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers like this over plain HTTP; the headers it was asked with are kept. */
async function plain(status: number, isRegistry = true) {
  const seen: (string | undefined)[] = [];
  const port = await listening(
    createServer((request, response) => {
      seen.push(request.headers.authorization);
      if (isRegistry) response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
      response.writeHead(status).end();
    }),
  );
  return { seen, port, config: config(`bind: 127.0.0.1\nport: ${port}\ntls: { mode: none }\n`) };
}

const admin = { username: "admin", password: new Secret("pä:ss") };

describe("whether a registry serves", () => {
  it.each<[number, boolean, boolean, RegExp | undefined]>([
    [200, true, false, undefined],
    [401, true, false, undefined],
    [200, true, true, undefined],
    [401, true, true, /\/v2\/ answers 401$/],
    [503, true, false, /\/v2\/ answers 503$/],
    [200, false, false, /answered by something that is not a registry \(status 200\)$/],
    [404, false, true, /answered by something that is not a registry \(status 404\)$/],
  ])("status %i, a registry: %s, with credentials: %s", async (status, isRegistry, withCredentials, expected) => {
    const { config: subject, port, seen } = await plain(status, isRegistry);
    const check = { config: subject, authorityPem: undefined, ...(withCredentials ? { credentials: admin } : {}) };
    const problem = await servingProblem(check);
    if (expected === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(expected);
    if (problem !== undefined) expect(problem).toContain(`http://localhost:${port}/v2/`);
    expect(seen).toEqual([withCredentials ? `Basic ${Buffer.from("admin:pä:ss").toString("base64")}` : undefined]);
  });

  it("nobody listens", async () => {
    const { config: subject } = await plain(200);
    const closed = open.pop();
    await new Promise((resolve) => resolve(closed?.close()));
    expect(await servingProblem({ config: subject, authorityPem: undefined })).toMatch(/\/v2\/: .*ECONNREFUSED/);
  });

  it("does not swallow an interruption", async () => {
    const { config: subject } = await plain(200);
    const signal = AbortSignal.abort(new RegctlError("interrupted", "interrupted"));
    await expect(servingProblem({ config: subject, authorityPem: undefined }, signal)).rejects.toThrow();
  });

  it.each<[string, string, string, RegExp | undefined]>([
    ["the name", "registry.test", "DNS:registry.test", undefined],
    ["an address that is not loopback", "10.20.30.40", "IP:10.20.30.40", undefined],
    ["an IPv6 address", "2001:db8::1", "IP:2001:db8::1", undefined],
    ["another name", "registry.test", "DNS:other.test", /altnames/],
    ["the address it is asked at, not the one clients use", "10.20.30.40", "IP:127.0.0.1", /altnames/],
  ])("checks the certificate for what clients call it: %s", async (_, domain, san, expected) => {
    const authority = await opensslAuthority(folder.path);
    const { certFile, keyFile } = await authority.issue([san]);
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    const port = await listening(
      createTlsServer({ cert, key }, (_request, response) => {
        response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
        response.end();
      }) as unknown as Server,
    );
    const subject = config(`domain: "${domain}"\nport: ${port}\n`);
    const problem = await servingProblem({ config: subject, authorityPem: authority.caPem });
    if (expected === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(expected);
    expect(await servingProblem({ config: subject, authorityPem: undefined })).toMatch(/certificate/);
  });

  it.each([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
    ["127.0.0.1", "127.0.0.1"],
    ["192.0.2.7", "192.0.2.7"],
  ])("asks at the published address: %s is reached at %s", (bind, address) => {
    expect(publishedAddress(bind)).toBe(address);
  });
});

describe("a container that will not come up any more", () => {
  const running: ObservedContainer = {
    ...{ id: "1", name: "acme-registry-1", image: "registry:2", imageId: "sha256:a", labels: {}, state: "running" },
    environment: [],
    ...{ health: "starting", healthOutput: "", exitCode: 0, error: "", outOfMemory: false, restartCount: 0 },
    ...{ startedAt: "", ports: [], networks: [], mounts: [] },
  };

  it.each<[Partial<ObservedContainer> | undefined, string | undefined]>([
    [{}, undefined],
    [{ health: "unhealthy" }, undefined],
    [undefined, "the container is gone"],
    [{ state: "exited", exitCode: 1 }, "it is exited (exit code 1)"],
    [{ state: "exited", exitCode: 137, outOfMemory: true }, "it is exited (exit code 137, out of memory)"],
    [{ state: "created", exitCode: 128, error: "port in use" }, "it is created (exit code 128, port in use)"],
    [{ state: "restarting", exitCode: 2 }, "it keeps restarting (exit code 2)"],
    [{ restartCount: 1, exitCode: 2 }, undefined],
    [{ state: "paused" }, "it is paused (exit code 0)"],
  ])("%o: %s", (change, problem) => {
    expect(containerProblem(change === undefined ? undefined : { ...running, ...change })).toBe(problem);
  });
});

describe("waitUntilServing", () => {
  async function container() {
    const engine = new FakeEngine({ images: ["registry:2"] });
    const id = await engine.containers.create({
      ...{ name: "acme-registry-1", image: "registry:2", environment: {}, labels: {}, mounts: [], ports: [] },
      ...{ readOnlyRoot: true, dropCapabilities: [], securityOptions: [], restart: "no", stopTimeoutSeconds: 1 },
      init: false,
    });
    await engine.containers.start(id);
    return { engine, id };
  }

  it("waits for the answer", async () => {
    const { engine, id } = await container();
    let answers = 0;
    const port = await listening(
      createServer((_request, response) => {
        answers += 1;
        response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
        response.writeHead(answers < 4 ? 503 : 200).end();
      }),
    );
    const subject = config(`bind: 127.0.0.1\nport: ${port}\ntls: { mode: none }\n`);
    const { signal } = new AbortController();
    await waitUntilServing(engine, id, { config: subject, authorityPem: undefined }, { timeoutMs: 10_000, signal });
    expect(answers).toBe(4);
  });

  it("gives up at once on a dead container, with its last words", async () => {
    const { engine, id } = await container();
    for (let line = 1; line <= 7; line += 1) engine.writeLog(id, "stderr", `line ${line}\n`);
    engine.exit(id, 1);
    const { config: subject } = await plain(503);
    const { signal } = new AbortController();
    const waiting = waitUntilServing(
      engine,
      id,
      { config: subject, authorityPem: undefined },
      { timeoutMs: 60_000, signal },
    );
    await expect(waiting).rejects.toMatchObject({
      code: "registry-failed",
      message: "the registry does not serve: it is exited (exit code 1)\nline 3\nline 4\nline 5\nline 6\nline 7",
      hint: expect.stringContaining("regctl logs"),
    });
  });

  it("gives up when its time is over, with what answers instead", async () => {
    const { engine, id } = await container();
    const { config: subject, port } = await plain(503);
    const { signal } = new AbortController();
    const waiting = waitUntilServing(
      engine,
      id,
      { config: subject, authorityPem: undefined },
      { timeoutMs: 250, signal },
    );
    await expect(waiting).rejects.toMatchObject({
      code: "registry-failed",
      message: `the registry does not serve: http://localhost:${port}/v2/ answers 503`,
    });
  });

  it("stops with the signal", async () => {
    const { engine, id } = await container();
    const { config: subject } = await plain(503);
    const controller = new AbortController();
    const check = { config: subject, authorityPem: undefined };
    const waiting = waitUntilServing(engine, id, check, { timeoutMs: 60_000, signal: controller.signal });
    controller.abort(new RegctlError("interrupted", "interrupted"));
    await expect(waiting).rejects.toThrow();
  });
});
