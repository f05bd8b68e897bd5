/** Getting the registry's image where there is no Docker Hub: from packages, across an air gap, from a registry of one's own. */
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Transform } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { hostAddress } from "../support/addresses.ts";
import { skopeoCopy } from "../support/clients.ts";
import {
  answer,
  deployed,
  keep,
  onlyContainer,
  place,
  quickFlags,
  registryImage,
  writtenError,
} from "../support/e2e-deployment.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { pty } from "../support/pty.ts";
import { regctl } from "../support/regctl.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { wireProxy } from "../support/wire-proxy.ts";

interface OwnImage extends AsyncDisposable {
  readonly reference: string;
  readonly id: string;
}

/** The registry's image under a name and with an id that nothing else on this engine has. */
async function ownImage(): Promise<OwnImage> {
  const reference = `regctl-test/carried:2-${randomBytes(4).toString("hex")}`;
  const { stdout } = await mustRun("docker", ["create", await registryImage()]);
  await mustRun("docker", ["commit", "--change", `LABEL regctl.test=${reference}`, stdout.trim(), reference]);
  await mustRun("docker", ["rm", stdout.trim()]);
  return {
    reference,
    id: await idOf(reference),
    async [Symbol.asyncDispose]() {
      await runProgram("docker", ["image", "rm", "--force", reference]);
    },
  };
}

/** "" when the engine does not have it. */
async function idOf(reference: string): Promise<string> {
  const { stdout } = await runProgram("docker", ["image", "inspect", "--format", "{{.Id}}", reference]);
  return stdout.trim();
}

/** `quickFlags` with another image. */
async function flagsWith(image: string): Promise<string[]> {
  const quick = await quickFlags();
  return quick.map((flag, index) => (quick[index - 1] === "--image" ? image : flag));
}

describe("from packages", () => {
  it("images build makes the same image again, which init --offline takes when it is told of none", async () => {
    const before = await idOf(await registryImage());
    const built = await regctl(["images", "build", "--json"], { timeoutMs: 300_000 });
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(built.stdout)).toMatchObject({ data: { image: await registryImage() } });
    expect(await idOf(await registryImage())).toBe(before);

    await using one = await place();
    const { stdout } = await one.init(["--offline", "--bcrypt-cost", "5", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ data: { image: await registryImage() } });
    expect(await answer(one)).toBe(200);
  });
});

describe("across an air gap", () => {
  it("save, copy, load and init --offline end with the same image, and nothing is fetched", async () => {
    await using image = await ownImage();
    await using here = temporaryDirectory();
    await using there = temporaryDirectory();
    const saved = await regctl(["images", "save", image.reference, "--output", "registry.tar", "--json"], {
      cwd: here.path,
    });
    expect(saved, saved.stderr).toMatchObject({ exitCode: 0 });
    // Whoever carries the files can check them without regctl.
    await mustRun("sha256sum", ["--check", "--strict", "registry.tar.sha256"], { cwd: here.path });
    for (const file of ["registry.tar", "registry.tar.sha256"])
      await copyFile(join(here.path, file), join(there.path, file));
    await mustRun("docker", ["image", "rm", image.reference]);
    expect(await idOf(image.reference)).toBe("");

    await using one = await place();
    const missing = await one.regctl([...one.initArgs, ...(await flagsWith(image.reference)), "--json"], {
      input: "x",
    });
    expect(missing.exitCode).toBe(1);
    expect(writtenError(missing.stderr)).toMatchObject({
      code: "image-unavailable",
      hint: expect.stringContaining("images load"),
    });

    const loaded = await regctl(["images", "load", "registry.tar", "-q"], { cwd: there.path });
    expect(loaded, loaded.stderr).toMatchObject({ exitCode: 0, stdout: `${image.reference}\n` });
    expect(await idOf(image.reference)).toBe(image.id);

    await using proxy = await wireProxy();
    await one.init(await flagsWith(image.reference), { env: { DOCKER_HOST: proxy.endpoint } });
    expect((await onlyContainer(one)).Image).toBe(image.id);
    expect(await answer(one)).toBe(200);
    expect(proxy.requests().filter(({ line }) => /\/(images\/create|distribution)/.test(line))).toEqual([]);
    const listed = await regctl(["images", "list", "--json"]);
    expect(JSON.parse(listed.stdout).data.images).toContainEqual(
      expect.objectContaining({ reference: image.reference, id: image.id, usedBy: [one.name] }),
    );
  });

  it("an archive that changed on the way, or lost its checksum, is refused and not loaded", async () => {
    await using image = await ownImage();
    await using folder = temporaryDirectory();
    const file = join(folder.path, "registry.tar");
    expect((await regctl(["images", "save", image.reference, "-o", file])).exitCode).toBe(0);
    expect((await regctl(["images", "save", image.reference, "-o", file])).exitCode).toBe(5);
    await mustRun("docker", ["image", "rm", image.reference]);

    const content = await readFile(file);
    const middle = content.length >> 1;
    await writeFile(
      file,
      Buffer.concat([
        content.subarray(0, middle),
        Buffer.from([(content[middle] ?? 0) ^ 1]),
        content.subarray(middle + 1),
      ]),
    );
    const changed = await regctl(["images", "load", file, "--json"]);
    expect(changed.exitCode).toBe(2);
    expect(writtenError(changed.stderr).message).toContain("is not what was saved");

    await writeFile(file, content.subarray(0, middle));
    expect((await regctl(["images", "load", file])).exitCode).toBe(2);
    await mustRun("rm", [`${file}.sha256`]);
    await writeFile(file, content);
    const unchecked = await regctl(["images", "load", file, "--json"]);
    expect(unchecked.exitCode).toBe(2);
    expect(writtenError(unchecked.stderr).hint).toContain("docker load");
    expect(await idOf(image.reference)).toBe("");
  });
});

describe("from a registry of one's own", () => {
  let source: Scenario;
  /** Not on loopback: there an engine tries HTTP as well, and tells of that instead of the missing password. */
  let registry: string;
  beforeAll(async () => {
    const { address } = keep(await hostAddress());
    source = keep(await deployed({ flags: ["--san", address] }));
    registry = `${address}:${source.port}`;
    keep(await trustInEngine(registry, await readFile(source.caFile, "utf8")));
    await using folder = temporaryDirectory();
    const archive = join(folder.path, "registry.tar");
    await mustRun("docker", ["save", "--output", archive, await registryImage()]);
    const target = `docker://localhost:${source.port}/mirror/registry:2`;
    const client = { caFile: source.caFile, credentials: source.credentials };
    const pushed = await skopeoCopy(`docker-archive:${archive}`, target, { destination: client });
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
  });

  /** What `docker login` leaves behind. */
  async function loggedIn(folder: string, at: string): Promise<string> {
    const { user, password } = source.credentials;
    const auth = Buffer.from(`${user}:${password}`).toString("base64");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [at]: { auth } } }), { mode: 0o600 });
    return folder;
  }

  it("is pulled with the credentials docker has, and refused without, with the way to log in", async () => {
    await using one = await place();
    await using folder = temporaryDirectory();
    const image = `${registry}/mirror/registry:2`;
    const args = [...one.initArgs, "--image", image, "--bcrypt-cost", "5", "--json"];
    const input = one.credentials.password;
    try {
      const stranger = await one.regctl(args, { input });
      expect(stranger, stranger.stderr).toMatchObject({ exitCode: 1, stdout: "" });
      expect(writtenError(stranger.stderr)).toMatchObject({
        code: "image-unavailable",
        hint: expect.stringContaining(`docker login ${registry}`),
      });
      const made = await one.regctl(args, { input, env: { DOCKER_CONFIG: await loggedIn(folder.path, registry) } });
      expect(made, made.stderr).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(made.stdout)).toMatchObject({ data: { image, imageSource: "pulled" } });
      expect(await answer(one)).toBe(200);
    } finally {
      await one.regctl(["down"]);
      await runProgram("docker", ["image", "rm", image]);
    }
  });

  it("shows on a terminal how far it is", async () => {
    await using slow = await slowLink(source.port);
    await using folder = temporaryDirectory();
    const link = `localhost:${slow.port}`;
    const DOCKER_CONFIG = await loggedIn(folder.path, link);
    // A layer the engine had already would not be transferred.
    await using own = await uniqueLayer(source);
    try {
      await using terminal = await pty(["images", "pull", `${link}/${own.repository}`], { env: { DOCKER_CONFIG } });
      await terminal.expect(/pull .*layer \d+\/\d+ .*MiB of .*MiB/);
      const { exitCode, screen } = await terminal.exit();
      expect(exitCode, screen).toBe(0);
      expect(screen).toMatch(/ok pull/);
    } finally {
      await runProgram("docker", ["image", "rm", `${link}/${own.repository}`]);
    }
  });
});

/** An image with megabytes that do not compress, in a registry and no longer on the engine. */
async function uniqueLayer(registry: Scenario): Promise<AsyncDisposable & { readonly repository: string }> {
  await using folder = temporaryDirectory();
  const repository = `big/layer:${randomBytes(4).toString("hex")}`;
  const local = `regctl-test/${repository}`;
  await writeFile(join(folder.path, "content"), randomBytes(12 * 1024 * 1024));
  await mustRun("tar", ["-C", folder.path, "-cf", join(folder.path, "root.tar"), "content"]);
  await mustRun("docker", ["import", join(folder.path, "root.tar"), local]);
  await mustRun("docker", ["save", "--output", join(folder.path, "image.tar"), local]);
  const destination = { caFile: registry.caFile, credentials: registry.credentials };
  const pushed = await skopeoCopy(
    `docker-archive:${join(folder.path, "image.tar")}`,
    `docker://localhost:${registry.port}/${repository}`,
    { destination },
  );
  expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
  await mustRun("docker", ["image", "rm", local]);
  return {
    repository,
    async [Symbol.asyncDispose]() {
      await runProgram("docker", ["image", "rm", local]);
    },
  };
}

/** A port that leads to another one of this host, a few megabytes a second. */
async function slowLink(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection({ port, host: "127.0.0.1" });
    const throttle = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        void delay(chunk.length / 4096).then(() => done(null, chunk));
      },
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.once("error", () => other.destroy());
      socket.once("close", () => sockets.delete(socket));
    }
    client.pipe(upstream);
    upstream.pipe(throttle).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
