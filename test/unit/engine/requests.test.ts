import { afterEach, describe, expect, it, vi } from "vitest";
import { connectEngine } from "../../../src/engine/connect.ts";
import type { ContainerSpec } from "../../../src/engine/engine.ts";
import { Secret } from "../../../src/secret.ts";
import { ENGINE_20_10, serveEngine } from "./socket-server.ts";

const SPEC: ContainerSpec = {
  name: "web",
  image: "registry:2",
  environment: { REGISTRY_HTTP_SECRET: "hunter2" },
  labels: { "regctl.test": "yes" },
  mounts: [],
  ports: [],
  readOnlyRoot: true,
  dropCapabilities: [],
  securityOptions: [],
  restart: "no",
  stopTimeoutSeconds: 1,
  init: false,
};

describe("what is sent to the engine", () => {
  afterEach(() => vi.restoreAllMocks());

  it("never has a secret in a request line, nor in what DEBUG prints", async () => {
    // dockerode is loaded here for the first time in this process, with DEBUG on.
    process.env.DEBUG = "*";
    const printed: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => printed.push(String(chunk)) > 0);
    await using server = await serveEngine(ENGINE_20_10, (request, response) => {
      if (request.url?.includes("/images/create")) return void response.end('{"status":"Status: done"}\n');
      response.writeHead(201).end(JSON.stringify({ Id: "0123", Warnings: [] }));
    });
    const signal = new AbortController().signal;
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
      signal,
    });
    expect(process.env.DEBUG).toBe("*");
    delete process.env.DEBUG;

    expect(await engine.containers.create(SPEC, { signal })).toBe("0123");
    expect(await engine.networks.create({ name: "net", labels: { a: "hunter2" } }, { signal })).toBe("0123");
    const credentials = {
      username: "admin",
      password: new Secret("hunter2"),
      isIdentityToken: false,
      serverAddress: "r.example.com",
    };
    await engine.images.pull("r.example.com/team/api", { credentials, signal });
    engine.close();

    const lines = server.received.map(({ method, url }) => `${method} ${url}`);
    expect(lines.slice(1)).toEqual([
      "POST /v1.41/containers/create?name=web",
      "POST /v1.41/networks/create?",
      "POST /v1.41/images/create?fromImage=r.example.com%2Fteam%2Fapi&tag=latest",
    ]);
    const [, container, network, pull] = server.received;
    expect(JSON.parse(container?.body ?? "")).toMatchObject({ Env: ["REGISTRY_HTTP_SECRET=hunter2"] });
    expect(JSON.parse(network?.body ?? "")).toMatchObject({ Name: "net", CheckDuplicate: true });
    const auth = JSON.parse(Buffer.from(String(pull?.headers["x-registry-auth"]), "base64url").toString());
    expect(auth).toEqual({ username: "admin", password: "hunter2", serveraddress: "r.example.com" });
    const encoded = Buffer.from("hunter2").toString("base64");
    expect(
      printed.filter((text) => text.includes("hunter2") || text.includes(encoded) || text.includes("modem")),
    ).toEqual([]);
  });

  it("asks for one tag, or one digest, never for a whole repository", async () => {
    await using server = await serveEngine(ENGINE_20_10, (_request, response) => void response.end("{}\n"));
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
    });
    for (const reference of ["registry", "host:5000/a/b", "host:5000/a:1", "a:1@sha256:0123"])
      await engine.images.pull(reference);
    engine.close();
    const queries = server.received
      .slice(1)
      .map(({ url }) => Object.fromEntries(new URL(url, "http://x").searchParams));
    expect(queries).toEqual([
      { fromImage: "registry", tag: "latest" },
      { fromImage: "host:5000/a/b", tag: "latest" },
      { fromImage: "host:5000/a", tag: "1" },
      { fromImage: "a", tag: "sha256:0123" },
    ]);
  });

  it("sends an identity token in place of a password", async () => {
    await using server = await serveEngine(ENGINE_20_10, (_request, response) => void response.end("{}\n"));
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
    });
    const credentials = {
      username: "<token>",
      password: new Secret("t0ken"),
      isIdentityToken: true,
      serverAddress: "r.example.com",
    };
    await engine.images.pull("r.example.com/a:1", { credentials });
    engine.close();
    const auth = Buffer.from(String(server.received.at(-1)?.headers["x-registry-auth"]), "base64url").toString();
    expect(JSON.parse(auth)).toEqual({ identitytoken: "t0ken", serveraddress: "r.example.com" });
  });

  it("waits for a removal that is under way, and treats a container that vanishes while it is listed as gone", async () => {
    let inspections = 0;
    await using server = await serveEngine(ENGINE_20_10, (request, response) => {
      if (request.method === "DELETE")
        return void response.writeHead(409).end('{"message":"removal of container x is already in progress"}');
      if (request.url?.includes("/containers/json")) return void response.end('[{"Id":"gone"}]');
      if (request.url?.includes("/gone/json") || inspections++ > 1)
        return void response.writeHead(404).end('{"message":"No such container"}');
      response.end(
        JSON.stringify({
          Id: "x",
          Name: "/x",
          Image: "sha256:0",
          State: { Status: "removing", ExitCode: 0 },
          Config: { Image: "a", Labels: null },
          HostConfig: {},
          NetworkSettings: {},
        }),
      );
    });
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
    });
    await engine.containers.remove("x");
    expect(inspections).toBe(3);
    expect(await engine.containers.list({})).toEqual([]);
    engine.close();
  });

  it("reports the engine's death in the middle of a pull", async () => {
    await using server = await serveEngine(ENGINE_20_10, (_request, response) => {
      response.write('{"status":"Pulling fs layer","id":"aaaa"}\n', () => response.destroy());
    });
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
    });
    await expect(engine.images.pull("a:1")).rejects.toMatchObject({ code: "engine-unreachable" });
    engine.close();
  });

  it("interrupts a call that waits for its answer, and a pull that is under way", async () => {
    await using server = await serveEngine(ENGINE_20_10, (request, response) => {
      if (request.url?.includes("/images/create")) response.write('{"status":"Pulling fs layer","id":"aaaa"}\n');
    });
    const engine = await connectEngine({
      environment: { DOCKER_HOST: `unix://${server.socketPath}` },
      homeDirectory: "/x",
    });
    const abort = new AbortController();
    const stopping = expect(engine.containers.stop("x", { signal: abort.signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    const pulling = engine.images.pull("a:1", { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(pulling).rejects.toMatchObject({ code: "interrupted" });
    await stopping;
    engine.close();
  });
});
