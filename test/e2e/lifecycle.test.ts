/** From one command to a registry, and every later turn of its life. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { curl, skopeoCopy } from "../support/clients.ts";
import {
  answer,
  changesOfUp,
  deployed,
  edit,
  jsonOf,
  keep,
  onlyContainer,
  place,
  quickFlags,
} from "../support/e2e-deployment.ts";
import { type TinyImage, tinyImage } from "../support/e2e-image.ts";
import { eventually } from "../support/eventually.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

describe("init", () => {
  it("--yes alone ends with a registry that takes the generated password, shown once and stored nowhere", async () => {
    await using registry = await place({ adopt: false });
    const flags = [
      "init",
      registry.directory,
      "--yes",
      "--json",
      "--name",
      registry.name,
      "--port",
      String(registry.port),
      ...(await quickFlags()),
    ];
    const { stdout } = await registry.must(flags);
    const { data } = JSON.parse(stdout) as { data: Record<string, unknown> };
    expect(data).toMatchObject({
      dir: registry.directory,
      name: registry.name,
      url: `https://localhost:${registry.port}`,
      domain: "localhost",
      port: registry.port,
      user: "admin",
      caFile: registry.caFile,
      imageSource: "local",
      containers: [`${registry.name}-registry-1`],
    });
    expect(await answer(registry, { user: "admin", password: data.password as string })).toBe(200);
    expect(
      await mustRun("grep", ["-rlF", data.password as string, registry.directory]).catch(() => undefined),
    ).toBeUndefined();
    expect(await changesOfUp(registry)).toEqual([]);
  });
});

describe("a deployment's life", () => {
  let image: TinyImage;
  let registry: Scenario;
  let folder: TemporaryDirectory;

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    image = keep(await tinyImage());
    await image.save(join(folder.path, "image.tar"));
    registry = keep(await deployed());
  });

  const client = () => ({ caFile: registry.caFile, credentials: registry.credentials });
  const push = async (repository: string) => {
    const target = `docker://localhost:${registry.port}/${repository}:1`;
    expect(
      await skopeoCopy(`docker-archive:${join(folder.path, "image.tar")}`, target, { destination: client() }),
    ).toMatchObject({ exitCode: 0, stderr: "" });
  };
  /** Downloads every blob and checks its digest. */
  const pull = async (repository: string) => {
    await using target = temporaryDirectory();
    expect(
      await skopeoCopy(`docker://localhost:${registry.port}/${repository}:1`, `dir:${target.path}`, {
        source: client(),
      }),
    ).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(await readFile(join(target.path, "manifest.json"), "utf8"))).toMatchObject({
      config: { digest: image.id },
    });
  };

  it("up twice says no changes and touches nothing", async () => {
    const before = await onlyContainer(registry);
    for (let turn = 0; turn < 2; turn++) expect(await changesOfUp(registry)).toEqual([]);
    expect((await registry.must(["up"])).stdout).toBe("no changes\n");
    expect(await onlyContainer(registry)).toMatchObject({
      Id: before.Id,
      State: { StartedAt: before.State.StartedAt },
    });
  });

  it.each([
    {
      what: "the log level",
      from: "level: info",
      to: "level: warn",
      replaced: ["change file registry/config.yml", "change file compose.yaml", "change container"],
    },
    {
      what: "a further name",
      from: "san: []",
      to: "san: [registry.later.test]",
      replaced: ["change certificate certs/domain.crt", "change file compose.yaml", "change container"],
    },
  ])("an edit of $what changes exactly what depends on it", async ({ from, to, replaced }) => {
    const before = await onlyContainer(registry);
    const authority = await readFile(registry.caFile, "utf8");
    await edit(registry.directory, from, to);
    expect((await registry.regctl(["status"])).exitCode).toBe(3);
    const expected = replaced.map((change) =>
      change.endsWith("container") ? `${change} ${registry.name}-registry-1` : change,
    );
    const planned = (
      await jsonOf<{ changes: { action: string; kind: string; name: string }[] }>(registry, ["up", "--dry-run"])
    ).changes;
    expect(planned.map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual(expected);
    expect((await onlyContainer(registry)).Id).toBe(before.Id);

    expect((await changesOfUp(registry)).map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual(
      expected,
    );
    expect((await onlyContainer(registry)).Id).not.toBe(before.Id);
    expect(await readFile(registry.caFile, "utf8")).toBe(authority);
    expect(await answer(registry)).toBe(200);
    expect(await changesOfUp(registry)).toEqual([]);
    expect((await registry.regctl(["status"])).exitCode).toBe(0);
  });

  it("an edit of the image tag runs the other image, and of the port leaves the old one free", async () => {
    await push("edit/survives");
    const { Config } = (await onlyContainer(registry)) as unknown as { Config: { Image: string } };
    const other = `${Config.Image}-${registry.name}`;
    await mustRun("docker", ["tag", Config.Image, other]);
    try {
      await edit(registry.directory, `image: ${Config.Image}`, `image: ${other}`);
      expect((await changesOfUp(registry)).map(({ kind }) => kind)).toEqual(["file", "container"]);
      expect(await onlyContainer(registry)).toMatchObject({ Config: { Image: other } });
      await edit(registry.directory, `image: ${other}`, `image: ${Config.Image}`);

      await using later = await place();
      await edit(registry.directory, `port: ${registry.port}`, `port: ${later.port}`);
      expect((await changesOfUp(registry)).map(({ kind }) => kind)).toEqual(["file", "container"]);
      const moved = `https://localhost:${later.port}/v2/`;
      expect((await curl(moved, client())).status).toBe(200);
      expect((await curl(`https://localhost:${registry.port}/v2/`, client())).exitCode).toBe(7);
      await edit(registry.directory, `port: ${later.port}`, `port: ${registry.port}`);
      await registry.must(["up"]);
    } finally {
      await mustRun("docker", ["image", "rm", other]);
    }
    await pull("edit/survives");
  });

  it("down, up and restart keep the images; status tells the state by its exit code", async () => {
    await push("life/one");
    const status = await jsonOf<Record<string, unknown>>(registry, ["status"]);
    expect(status).toMatchObject({
      name: registry.name,
      healthy: true,
      drift: [],
      users: 1,
      url: `https://localhost:${registry.port}`,
    });
    expect((status.disk as { bytes: number }).bytes).toBeGreaterThan(64 * 1024);

    await registry.must(["down"]);
    expect(await registry.containers()).toEqual([]);
    expect(
      (await mustRun("docker", ["network", "ls", "--quiet", "--filter", `name=^${registry.name}_default$`])).stdout,
    ).toBe("");
    expect((await registry.regctl(["status"])).exitCode).toBe(3);
    expect((await registry.must(["down"])).stdout).toBe("no changes\n");
    await registry.must(["up"]);
    await pull("life/one");

    const before = await onlyContainer(registry);
    await registry.must(["restart"]);
    const after = await onlyContainer(registry);
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt).not.toBe(before.State.StartedAt);
    await pull("life/one");
  });

  it("status sees a container that somebody stopped, up starts it again", async () => {
    const { Id } = await onlyContainer(registry);
    await mustRun("docker", ["stop", Id]);
    const seen = await registry.regctl(["status", "--json"]);
    expect(seen.exitCode).toBe(3);
    expect(JSON.parse(seen.stdout)).toMatchObject({
      data: { healthy: false, drift: [{ action: "change", kind: "container" }] },
    });
    await registry.must(["up"]);
    expect((await onlyContainer(registry)).Id).toBe(Id);
    expect(await answer(registry)).toBe(200);
  });

  it("logs shows what the registry wrote, and follows it until it is interrupted", async () => {
    await curl(`https://localhost:${registry.port}/v2/seen-in-the-log/tags/list`, client());
    await eventually(async () => (await registry.must(["logs"])).stdout.includes("seen-in-the-log"));
    expect((await registry.must(["logs", "--tail", "1"])).stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  it("ls names every deployment of the engine, and a command needs no folder where there is a deployment above", async () => {
    const { deployments } = await jsonOf<{ deployments: { name: string; directory: string }[] }>(registry, ["ls"]);
    expect(deployments).toContainEqual(expect.objectContaining({ name: registry.name, directory: registry.directory }));
    expect((await registry.must(["status", "--json"], { cwd: join(registry.directory, "certs") })).stdout).toContain(
      registry.name,
    );
  });

  it("destroy keeps images, users and the authority, and up brings them back; with --data nothing is left", async () => {
    await push("kept/image");
    const authority = await readFile(join(registry.directory, "certs/ca.key"), "utf8");
    await registry.must(["destroy", "--yes"]);
    expect(await registry.containers()).toEqual([]);
    expect(existsSync(join(registry.directory, "compose.yaml"))).toBe(false);
    await registry.must(["up"]);
    await pull("kept/image");
    expect(await readFile(join(registry.directory, "certs/ca.key"), "utf8")).toBe(authority);

    expect((await registry.regctl(["destroy", "--data", "--yes"])).exitCode).toBe(2);
    expect((await registry.regctl(["destroy", "--data", "--yes", "--confirm", "another"])).exitCode).toBe(1);
    await pull("kept/image");
    await registry.must(["destroy", "--data", "--yes", "--confirm", registry.name]);
    expect(await registry.containers()).toEqual([]);
    await expect(stat(registry.directory)).rejects.toThrow("ENOENT");
  });
});
