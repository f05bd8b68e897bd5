import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect as connectSocket, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectEngine, connectToEndpoint } from "../../../src/engine/connect.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { ENGINE_20_10, serve, serveEngine } from "./socket-server.ts";

const homeDirectory = "/nonexistent";

function connect(host: string, environment: NodeJS.ProcessEnv = {}) {
  return connectEngine({ environment: { ...environment, DOCKER_HOST: host }, homeDirectory });
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("connectEngine", () => {
  it("tells which engine answers, and speaks its API from then on", async () => {
    await using server = await serveEngine(ENGINE_20_10, (_request, response) => response.end("[]"));
    const engine = await connect(`unix://${server.socketPath}`);
    expect(engine.info).toEqual({
      endpoint: `unix://${server.socketPath}`,
      origin: "DOCKER_HOST",
      version: "20.10.24+dfsg1",
      apiVersion: "1.41",
      architecture: "amd64",
      isPodman: false,
    });
    await engine.networks.list({});
    expect(server.received.at(-1)?.url).toMatch(/^\/v1\.41\/networks\?/);
    engine.close();
  });

  it.each([
    ["20.10", "1.41", "1.12", "1.41"],
    ["29, which has dropped the old API", "1.52", "1.44", "1.51"],
    ["28", "1.51", "1.24", "1.51"],
  ])("agrees with Engine %s", async (Version, ApiVersion, MinAPIVersion, expected) => {
    await using server = await serveEngine({ version: { Version, ApiVersion, MinAPIVersion, Arch: "arm64" } });
    const engine = await connect(`unix://${server.socketPath}`);
    expect(engine.info).toMatchObject({ apiVersion: expected, architecture: "arm64" });
    engine.close();
  });

  it.each([
    [
      "too old",
      { Version: "1.12.6", ApiVersion: "1.24", MinAPIVersion: "1.12" },
      /1\.12\.6 is too old.* API 1\.24.*1\.41/,
    ],
    ["just too old", { Version: "19.03.15", ApiVersion: "1.40", MinAPIVersion: "1.12" }, /too old/],
    ["too new", { Version: "40.0.0", ApiVersion: "1.99", MinAPIVersion: "1.90" }, /too new.* API 1\.90/],
    ["no engine", { message: "hello" }, /not a Docker Engine/],
  ])("refuses what is %s", async (_title, version, message) => {
    await using server = await serveEngine({ version });
    await expect(connect(`unix://${server.socketPath}`)).rejects.toMatchObject({
      code: "engine-unsupported",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it.each([
    ["a page", 200, "<html>It works!</html>"],
    ["a page that is not there", 404, "<html>Not found</html>"],
    ["a broken proxy", 502, "Bad Gateway"],
    ["nothing", 200, ""],
  ])("refuses a server that answers with %s", async (_title, status, body) => {
    await using server = await serve((_request, response) => response.writeHead(status).end(body));
    await expect(connect(`unix://${server.socketPath}`)).rejects.toMatchObject({
      code: "engine-unsupported",
      message: expect.stringContaining(server.socketPath),
    });
  });

  it("recognises Podman", async () => {
    const version = {
      Version: "4.3.1",
      ApiVersion: "1.41",
      MinAPIVersion: "1.24",
      Arch: "amd64",
      Components: [{ Name: "Podman Engine" }],
    };
    await using server = await serveEngine({ version });
    const engine = await connect(`unix://${server.socketPath}`);
    expect(engine.info.isPodman).toBe(true);
    engine.close();
  });

  it("distinguishes a missing socket, a dead one and a forbidden one", async () => {
    await using directory = temporaryDirectory();
    await expect(connect(`unix://${directory.path}/absent.sock`)).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("the socket does not exist"),
      hint: expect.stringContaining("DOCKER_HOST"),
    });
    writeFileSync(join(directory.path, "dead.sock"), "");
    await expect(connect(`unix://${directory.path}/dead.sock`)).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("connection refused"),
    });
  });

  it("tells a user who may not use the socket how to be allowed to", async () => {
    await using server = await serveEngine(ENGINE_20_10);
    const asUser = process.getuid?.() === 0;
    chmodSync(server.socketPath, 0);
    if (asUser) process.seteuid?.(65_534);
    try {
      await expect(connect(`unix://${server.socketPath}`)).rejects.toMatchObject({
        code: "engine-denied",
        exitCode: 4,
        hint: expect.stringContaining("usermod -aG docker"),
      });
    } finally {
      if (asUser) process.seteuid?.(0);
    }
  });

  it("takes the first socket that answers, and reports each that does not", async () => {
    await using server = await serveEngine(ENGINE_20_10);
    await using directory = temporaryDirectory();
    const absent = join(directory.path, "absent.sock");
    const dead = join(directory.path, "dead.sock");
    writeFileSync(dead, "");
    const origin = "default socket";
    const engine = await connectToEndpoint({ kind: "socket", origin, paths: [absent, dead, server.socketPath] });
    expect(engine.info.endpoint).toBe(`unix://${server.socketPath}`);
    engine.close();
    await expect(connectToEndpoint({ kind: "socket", origin, paths: [absent, dead] })).rejects.toMatchObject({
      code: "engine-unreachable",
      message: `cannot connect to the Docker Engine at unix://${dead}: connection refused`,
      hint: expect.not.stringContaining(origin),
      issues: [
        { path: `unix://${absent}`, message: "the socket does not exist" },
        { path: `unix://${dead}`, message: "connection refused" },
      ],
    });
  });

  it("gives up on a server that never answers, and when it is told to", async () => {
    await using server = await serve(() => undefined);
    const environment = { DOCKER_HOST: `unix://${server.socketPath}` };
    await expect(connectEngine({ environment, homeDirectory, probeTimeoutMs: 100 })).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("no answer in time"),
    });
    const abort = new AbortController();
    const connecting = connectEngine({ environment, homeDirectory, signal: abort.signal });
    abort.abort();
    await expect(connecting).rejects.toMatchObject({ code: "interrupted" });
  });

  it.each([
    ["ssh://root@build.example.com", "ssh root@build.example.com regctl"],
    ["tcp://192.0.2.1:2375", "ssh 192.0.2.1 regctl"],
    ["tcp://[2001:db8::1]:2375", "ssh 2001:db8::1 regctl"],
  ])("refuses %s, an engine on another host, with the way", async (host, hint) => {
    await expect(connect(host)).rejects.toMatchObject({
      code: "engine-unsupported",
      message: expect.stringContaining("on another host"),
      hint: expect.stringContaining(hint),
    });
  });

  it("says that a host name does not resolve", async () => {
    await expect(connect("tcp://engine.invalid:2375")).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("does not resolve"),
    });
  });

  it("uses an engine of this host, on a port or a socket, whatever dockerode would read from the environment", async () => {
    await using server = await serveEngine(ENGINE_20_10);
    const bridge = createTcpServer((socket) => {
      const upstream = connectSocket(server.socketPath);
      socket.pipe(upstream).pipe(socket);
      socket.on("error", () => upstream.destroy());
      upstream.on("error", () => socket.destroy());
    });
    const port = await listening(bridge);
    const before = { ...process.env };
    Object.assign(process.env, {
      DOCKER_HOST: "tcp://192.0.2.7:1",
      DOCKER_CLIENT_TIMEOUT: "1",
      DOCKER_PATH_PREFIX: "/wrong",
    });
    try {
      const engine = await connect(`tcp://127.0.0.1:${port}`);
      expect(engine.info.endpoint).toBe(`tcp://127.0.0.1:${port}`);
      engine.close();
      (await connect(`unix://${server.socketPath}`)).close();
    } finally {
      process.env = before;
      bridge.close();
    }
  });

  it("says that the port is closed, or wants TLS", async () => {
    const closed = createTcpServer();
    const port = await listening(closed);
    closed.close();
    await once(closed, "close");
    await expect(connect(`tcp://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining(`tcp://127.0.0.1:${port}: connection refused`),
    });

    const tlsOnly = createHttpServer((_request, response) => {
      response.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n"); // as Go's server
    });
    const tlsPort = await listening(tlsOnly);
    await expect(connect(`tcp://127.0.0.1:${tlsPort}`)).rejects.toMatchObject({
      hint: expect.stringContaining("DOCKER_TLS_VERIFY"),
    });
    tlsOnly.close();
  });

  it("speaks TLS with the certificates of DOCKER_CERT_PATH, and refuses an engine they do not prove", async () => {
    await using directory = temporaryDirectory();
    const file = (name: string) => join(directory.path, name);
    const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
    const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=engine",
      ...names,
      "-keyout",
      file("key.pem"),
      "-out",
      file("cert.pem"),
    );
    writeFileSync(file("ca.pem"), readFileSync(file("cert.pem")));
    const material = {
      key: readFileSync(file("key.pem")),
      cert: readFileSync(file("cert.pem")),
      ca: readFileSync(file("ca.pem")),
    };
    const server = createHttpsServer(
      { ...material, requestCert: true, rejectUnauthorized: true },
      (_request, response) => {
        response.end(JSON.stringify(ENGINE_20_10.version));
      },
    );
    const port = await listening(server);
    const environment = { DOCKER_TLS_VERIFY: "true", DOCKER_CERT_PATH: directory.path };
    const engine = await connect(`tcp://127.0.0.1:${port}`, environment);
    expect(engine.info.version).toBe("20.10.24+dfsg1");
    engine.close();

    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=other",
      ...names,
      "-keyout",
      file("x.pem"),
      "-out",
      file("ca.pem"),
    );
    await expect(connect(`tcp://127.0.0.1:${port}`, environment)).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("TLS: "),
      hint: expect.stringContaining("DOCKER_CERT_PATH"),
    });
    server.close();
  });
});
