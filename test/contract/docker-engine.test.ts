/** What only a real engine can show. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectEngine } from "../../src/engine/connect.ts";
import type { ContainerSpec, Engine, PullProgress } from "../../src/engine/engine.ts";
import { Secret } from "../../src/secret.ts";
import { BUSYBOX_IMAGE, ensureBusyboxImage } from "../support/busybox-image.ts";
import { writeTar } from "../support/tar.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { collect } from "./engine-contract.ts";
import { freePort } from "./free-port.ts";
import { type RegistryProcess, startRegistry } from "./registry-process.ts";

const run = promisify(execFile);
const prefix = `regctl-docker-${process.pid}`;
const labels = { "regctl.test": prefix };

const SPEC: ContainerSpec = {
  name: prefix,
  image: BUSYBOX_IMAGE,
  command: ["tail", "-f", "/dev/null"],
  environment: {},
  labels,
  mounts: [],
  ports: [],
  readOnlyRoot: false,
  dropCapabilities: [],
  securityOptions: [],
  restart: "no",
  stopTimeoutSeconds: 1,
  init: true,
};

let engine: Engine;
beforeAll(async () => {
  engine = await connectEngine({ environment: process.env, homeDirectory: homedir() });
  await ensureBusyboxImage(engine);
});
afterAll(async () => {
  for (const { id } of await engine.containers.list(labels)) await engine.containers.remove(id, { force: true });
  for (const { id } of await engine.networks.list(labels)) await engine.networks.remove(id);
  engine.close();
});

const LAYER_BYTES = 2_000_000;

/** An image of two layers that no engine has yet. */
function newImage(): { id: string; archive: Buffer } {
  const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");
  const layers = ["one", "two"].map((name) => writeTar([[name, randomBytes(LAYER_BYTES)]]));
  const config = Buffer.from(
    JSON.stringify({
      architecture: engine.info.architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    }),
  );
  const names = layers.map((_layer, index) => `layer-${index}.tar`);
  const manifest = Buffer.from(JSON.stringify([{ Config: "config.json", Layers: names }]));
  const files = layers.map((layer, index) => [`layer-${index}.tar`, layer] as const);
  return {
    id: `sha256:${sha256(config)}`,
    archive: writeTar([["manifest.json", manifest], ["config.json", config], ...files]),
  };
}

/** What docker's own client says of an object. */
async function inspect(name: string) {
  return JSON.parse((await run("docker", ["inspect", name])).stdout)[0];
}

describe("containers", () => {
  it("are made as asked for, as docker's own client sees them", async () => {
    await using directory = temporaryDirectory();
    const network = await engine.networks.create({ name: `${prefix}-net`, labels });
    const hostPort = await freePort();
    const id = await engine.containers.create({
      ...SPEC,
      name: `${prefix}-full`,
      user: "1000:1001",
      environment: { A: "b=c" },
      mounts: [{ source: directory.path, target: "/data", readOnly: true }],
      ports: [{ hostAddress: "127.0.0.1", hostPort, containerPort: 5000 }],
      network: { name: `${prefix}-net`, aliases: ["registry"] },
      readOnlyRoot: true,
      dropCapabilities: ["ALL"],
      securityOptions: ["no-new-privileges:true"],
      restart: "unless-stopped",
      stopTimeoutSeconds: 45,
      healthCheck: { command: ["true"], intervalSeconds: 30, timeoutSeconds: 2.5, retries: 3, startPeriodSeconds: 4 },
      logRotation: { maxSize: "10m", maxFiles: 3 },
    });
    await engine.containers.start(id);
    const seen = await inspect(id);
    expect(seen.Config).toMatchObject({
      User: "1000:1001",
      Env: expect.arrayContaining(["A=b=c", "PATH=/bin"]),
      Cmd: SPEC.command,
      StopTimeout: 45,
      Healthcheck: { Test: ["CMD", "true"], Interval: 30e9, Timeout: 2.5e9, StartPeriod: 4e9, Retries: 3 },
    });
    expect(seen.HostConfig).toMatchObject({
      Binds: null,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      RestartPolicy: { Name: "unless-stopped" },
      Init: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    });
    expect(seen.Mounts).toMatchObject([{ Type: "bind", Source: directory.path, Destination: "/data", RW: false }]);
    expect(Object.keys(seen.NetworkSettings.Networks)).toEqual([`${prefix}-net`]);
    expect(seen.NetworkSettings.Networks[`${prefix}-net`]).toMatchObject({
      NetworkID: network,
      Aliases: expect.arrayContaining(["registry"]),
    });
    await engine.containers.remove(id, { force: true });
  });

  it("that cannot get a port say so when the holder is no container", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const ports = [{ hostAddress: "127.0.0.1", hostPort: port, containerPort: 5000 }];
    const id = await engine.containers.create({ ...SPEC, name: `${prefix}-outside`, ports });
    await expect(engine.containers.start(id)).rejects.toMatchObject({
      code: "conflict",
      message: `cannot start container ${prefix}-outside: port ${port} is in use by another process of this host`,
      hint: expect.stringContaining(`:${port}`),
    });
    await engine.containers.remove(id);
    server.close();
  });

  it("are listed twenty at a time under one signal without a warning", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on("warning", listen);
    const many = { ...labels, many: "yes" };
    for (let index = 0; index < 20; index += 1) {
      await engine.containers.create({ ...SPEC, name: `${prefix}-many-${index}`, labels: many });
    }
    const signal = new AbortController().signal;
    expect(await engine.containers.list(many, { signal })).toHaveLength(20);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  it("write more than a log keeps, and a slow reader misses nothing", async () => {
    const lines = 400_000;
    const command = ["sh", "-c", `yes 0123456789012345678901234567890123456789 | head -n ${lines}; echo end`];
    const id = await engine.containers.create({ ...SPEC, name: `${prefix}-much`, command, keepsLogs: false });
    const output = await engine.containers.attach(id);
    await engine.containers.start(id);
    let seen = 0;
    let last = "";
    for await (const { data } of output) {
      if (seen % 50_000 === 0) await new Promise((resolve) => setTimeout(resolve, 200));
      const text = data.toString();
      seen += text.split("\n").length - 1;
      last = text;
    }
    expect(seen).toBe(lines + 1);
    expect(last).toMatch(/end\n$/);
    expect(await engine.containers.wait(id)).toBe(0);
    await engine.containers.remove(id);
  });

  it("with a terminal have their output read too", async () => {
    await run("docker", [
      "run",
      "--name",
      `${prefix}-tty`,
      "--label",
      `regctl.test=${prefix}`,
      "-t",
      BUSYBOX_IMAGE,
      "echo",
      "hello",
    ]);
    const lines = await collect(engine.containers.logs(`${prefix}-tty`, { follow: false }));
    expect(Buffer.concat(lines.map(({ data }) => data)).toString()).toBe("hello\r\n");
  });
});

describe("pulls", () => {
  const password = "correct horse";
  let registry: RegistryProcess;
  let reference: string;
  let image: ReturnType<typeof newImage>;

  beforeAll(async () => {
    registry = await startRegistry("puller", password);
    image = newImage();
    await registry.push("team/busybox", image.archive);
    reference = `${registry.host}/team/busybox:1`;
  });
  afterAll(async () => {
    await run("docker", ["rmi", reference]);
    await registry?.[Symbol.asyncDispose]();
  });

  const credentials = (secret: string) => ({
    username: "puller",
    password: new Secret(secret),
    isIdentityToken: false,
    serverAddress: registry.host,
  });

  it("fail without credentials, with wrong ones, and without such a tag, each for its reason", async () => {
    const reasonOf = (name: string, secret?: string) =>
      engine.images.pull(name, { credentials: secret === undefined ? undefined : credentials(secret) }).then(
        () => "pulled",
        (error: { details?: { reason?: string } }) => error.details?.reason,
      );
    expect(await reasonOf(reference)).toBe("unauthorized");
    expect(await reasonOf(reference, "wrong")).toBe("unauthorized");
    expect(await reasonOf(`${registry.host}/team/busybox:2`, password)).toBe("not-found");
    expect(await engine.images.inspect(reference)).toBeUndefined();
  });

  it("report their progress by bytes and end with the image", async () => {
    const seen: PullProgress[] = [];
    await engine.images.pull(reference, {
      credentials: credentials(password),
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toMatchObject({ layersDone: 2, layersTotal: 2 });
    expect(seen.at(-1)?.bytesDone).toBeGreaterThan(2 * LAYER_BYTES);
    expect(seen.every(({ bytesDone, bytesTotal }) => bytesDone <= bytesTotal)).toBe(true);
    expect(await engine.images.inspect(reference)).toMatchObject({
      id: image.id,
      repoDigests: [expect.stringMatching(`^${registry.host}/team/busybox@sha256:`)],
    });
  });

  it("leave a container on the image it was made of, under its name and digest, when the tag goes to another one", async () => {
    const pulled = await engine.images.inspect(reference);
    const container = await engine.containers.create({ ...SPEC, name: `${prefix}-moved`, image: reference });
    await run("docker", ["tag", BUSYBOX_IMAGE, reference]);
    const uses = await engine.images.inUse();
    expect(uses.find(({ by }) => by === `container ${prefix}-moved`)).toEqual({
      by: `container ${prefix}-moved`,
      image: reference,
      repoDigests: pulled?.repoDigests,
    });
    await engine.containers.remove(container);
    await run("docker", ["tag", image.id, reference]);
  });
});
