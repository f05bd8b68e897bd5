import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveEndpoint } from "../../../src/engine/endpoint.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const directory = temporaryDirectory();
const home = join(directory.path, "home");
const bare = join(directory.path, "bare");

function addContext(name: string, endpoint: object, tls?: Record<string, string>): void {
  const folder = createHash("sha256").update(name).digest("hex");
  const meta = join(home, ".docker/contexts/meta", folder);
  mkdirSync(meta, { recursive: true });
  writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } }));
  if (tls === undefined) return;
  const material = join(home, ".docker/contexts/tls", folder, "docker");
  mkdirSync(material, { recursive: true });
  for (const [file, text] of Object.entries(tls)) writeFileSync(join(material, file), text);
}

beforeAll(() => {
  mkdirSync(join(home, ".docker"), { recursive: true });
  mkdirSync(bare);
  writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ currentContext: "current" }));
  for (const file of ["ca.pem", "cert.pem", "key.pem"]) writeFileSync(join(home, ".docker", file), `home ${file}`);
  addContext("current", { Host: "unix:///current.sock", SkipTLSVerify: false });
  addContext("other", { Host: "unix:///other.sock" });
  addContext("remote", { Host: "ssh://root@build.example.com:2222" });
  addContext(
    "tls",
    { Host: "tcp://127.0.0.1:2376", SkipTLSVerify: false },
    { "ca.pem": "CA", "cert.pem": "CERT", "key.pem": "KEY" },
  );
  addContext("careless", { Host: "tcp://127.0.0.1:2376", SkipTLSVerify: true });
});
afterAll(() => directory[Symbol.asyncDispose]());

describe("resolveEndpoint", () => {
  it.each<[string, NodeJS.ProcessEnv, string | undefined, object]>([
    [
      "the host given",
      { DOCKER_HOST: "unix:///env.sock" },
      "unix:///given.sock",
      { paths: ["/given.sock"], origin: "--host" },
    ],
    [
      "DOCKER_HOST",
      { DOCKER_HOST: "unix:///env.sock", DOCKER_CONTEXT: "other" },
      undefined,
      { paths: ["/env.sock"], origin: "DOCKER_HOST" },
    ],
    ["DOCKER_CONTEXT", { DOCKER_CONTEXT: "other" }, undefined, { paths: ["/other.sock"], origin: "context other" }],
    ["the current context", {}, undefined, { paths: ["/current.sock"], origin: "context current" }],
    ["an empty DOCKER_HOST as none", { DOCKER_HOST: "", DOCKER_CONTEXT: "" }, undefined, { origin: "context current" }],
    ["the context `default` as none", { DOCKER_CONTEXT: "default" }, undefined, { origin: "default socket" }],
  ])("takes %s", (_title, environment, host, expected) => {
    expect(resolveEndpoint(environment, home, host)).toMatchObject({ kind: "socket", ...expected });
  });

  it("knows docker's usual sockets, the system's first", () => {
    const endpoint = resolveEndpoint({ XDG_RUNTIME_DIR: "/run/user/4242" }, bare);
    expect(endpoint).toMatchObject({ kind: "socket", origin: "default socket" });
    const paths = endpoint.kind === "socket" ? endpoint.paths : [];
    expect(paths[0]).toBe("/var/run/docker.sock");
    expect(paths).toEqual(
      expect.arrayContaining([
        join(bare, ".docker/run/docker.sock"),
        "/run/user/4242/docker.sock",
        join(bare, ".docker/desktop/docker.sock"),
      ]),
    );
  });

  it("reads docker's configuration where DOCKER_CONFIG says", () => {
    expect(resolveEndpoint({ DOCKER_CONFIG: join(home, ".docker") }, bare)).toMatchObject({
      origin: "context current",
    });
  });

  it.each<[string, object]>([
    ["unix://", { kind: "socket", paths: ["/var/run/docker.sock"] }],
    ["tcp://127.0.0.1", { kind: "tcp", host: "127.0.0.1", port: 2375, tls: undefined }],
    ["tcp://127.0.0.1:1234", { kind: "tcp", host: "127.0.0.1", port: 1234 }],
    ["localhost:2375", { kind: "tcp", host: "localhost", port: 2375 }],
    ["tcp://[::1]:2375", { kind: "tcp", host: "::1", port: 2375 }],
    ["ssh://root@build.example.com", { kind: "ssh", destination: "root@build.example.com" }],
    ["ssh://build.example.com:2222", { kind: "ssh", destination: "-p 2222 build.example.com" }],
  ])("understands %s", (address, expected) => {
    expect(resolveEndpoint({ DOCKER_HOST: address }, bare)).toMatchObject(expected);
  });

  it.each([
    "npipe:////./pipe/docker_engine",
    "/var/run/docker.sock",
    "tcp://",
    "tcp://host:99999",
    "fd://",
    "http://127.0.0.1",
  ])("refuses %s", (address) => {
    expect(() => resolveEndpoint({ DOCKER_HOST: address }, bare)).toThrow(
      expect.objectContaining({ code: "engine-unsupported", message: expect.stringContaining(address) }),
    );
  });

  it("does not print a password in an address it refuses", () => {
    expect(() => resolveEndpoint({ DOCKER_HOST: "foo://user:hunter2@host" }, bare)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });

  it.each(["1", "true", "0", "no"])("verifies the engine when DOCKER_TLS_VERIFY is %j, as docker does", (value) => {
    const environment = { DOCKER_HOST: "tcp://127.0.0.1", DOCKER_TLS_VERIFY: value };
    expect(resolveEndpoint(environment, home)).toMatchObject({
      port: 2376,
      tls: { ca: "home ca.pem", cert: "home cert.pem", key: "home key.pem", verify: true },
    });
  });

  it("takes the TLS files of DOCKER_CERT_PATH, and none at all when TLS is off", () => {
    const certs = join(directory.path, "certs");
    mkdirSync(certs);
    writeFileSync(join(certs, "ca.pem"), "other CA");
    const environment = { DOCKER_HOST: "tcp://127.0.0.1", DOCKER_CERT_PATH: certs };
    expect(resolveEndpoint({ ...environment, DOCKER_TLS_VERIFY: "1" }, home)).toMatchObject({
      tls: { ca: "other CA", cert: undefined, key: undefined },
    });
    expect(resolveEndpoint({ ...environment, DOCKER_TLS_VERIFY: "" }, home)).toMatchObject({
      port: 2375,
      tls: undefined,
    });
    expect(resolveEndpoint({ ...environment, DOCKER_TLS: "1" }, home)).toMatchObject({ tls: { verify: false } });
  });

  it("takes the TLS files of a context, not those of the environment", () => {
    const environment = { DOCKER_TLS_VERIFY: "1" };
    expect(resolveEndpoint({ ...environment, DOCKER_CONTEXT: "tls" }, home)).toMatchObject({
      tls: { ca: "CA", cert: "CERT", key: "KEY", verify: true },
    });
    expect(resolveEndpoint({ DOCKER_CONTEXT: "careless" }, home)).toMatchObject({
      tls: { ca: undefined, verify: false },
    });
  });

  it("says which context does not exist", () => {
    expect(() => resolveEndpoint({ DOCKER_CONTEXT: "absent" }, home)).toThrow(
      expect.objectContaining({ code: "engine-unreachable", message: "there is no docker context absent" }),
    );
  });

  it("refuses a broken config.json instead of using another engine", () => {
    const broken = join(directory.path, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "config.json"), '{"auths":{"x":{"auth":"aHVudGVyMg=="}},');
    const resolve = () => resolveEndpoint({ DOCKER_CONFIG: broken }, bare);
    expect(resolve).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.stringContaining(broken) }),
    );
    expect(resolve).toThrow(expect.objectContaining({ message: expect.not.stringContaining("aHVudGVyMg") }));
    expect(resolveEndpoint({ DOCKER_CONFIG: broken, DOCKER_HOST: "unix:///x" }, bare)).toMatchObject({ paths: ["/x"] });
  });
});
