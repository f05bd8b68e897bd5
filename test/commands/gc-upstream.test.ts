/** `gc --engine upstream`, on an engine in memory: what is refused, in which order it goes, and what is left after every failure. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ContainerSpec } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { onEngineCall } from "../support/on-engine-call.ts";
import { type RunResult, run } from "../support/run.ts";
import { mustRun } from "../support/run-program.ts";
import type { CollectorRun } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const REGISTRY = "acme-registry-1";
const COLLECTOR = "acme-upstream-gc-1";
const MARK = ".regctl/collection.json";
const KEPT = "a".repeat(64);
const GARBAGE = "b".repeat(64);

/** A store with one manifest and one blob nothing needs. */
async function fill(directory: string, { manifest = "{}" } = {}): Promise<void> {
  const v2 = join(directory, "data/docker/registry/v2");
  const put = async (path: string, content: string): Promise<void> => {
    await mkdir(join(v2, path, ".."), { recursive: true });
    await writeFile(join(v2, path), content);
  };
  await put(`repositories/team/app/_manifests/revisions/sha256/${KEPT}/link`, `sha256:${KEPT}`);
  await put(`repositories/team/app/_layers/sha256/${KEPT}/link`, `sha256:${KEPT}`);
  await put(`blobs/sha256/aa/${KEPT}/data`, manifest);
  await put(`blobs/sha256/bb/${GARBAGE}/data`, "x".repeat(1000));
  const { uid, gid } = await stat(join(directory, "data"));
  await mustRun("chown", ["-R", `${uid}:${gid}`, join(directory, "data")]);
}

const FOUND = [
  "team/app",
  `team/app: marking manifest sha256:${KEPT} `,
  `team/app: marking blob sha256:${KEPT}`,
  "",
  "1 blobs marked, 1 blobs and 0 manifests eligible for deletion",
  `blob eligible for deletion: sha256:${GARBAGE}`,
  "",
].join("\n");

/** As distribution's own, on that store. */
function collects({ directory, engine }: Made, seen: ContainerSpec[] = []): void {
  engine.collector = async (spec): Promise<CollectorRun> => {
    seen.push(spec);
    if (!spec.command?.includes("--dry-run"))
      await rm(join(directory, "data/docker/registry/v2/blobs/sha256/bb", GARBAGE), { recursive: true });
    const stderr = `time="2026-11-21T00:00:00Z" level=info msg="Deleting blob: /docker/registry/v2/blobs/sha256/bb/${GARBAGE}"\n`;
    return { stdout: FOUND, stderr };
  };
}

const gc = ({ directory, engine }: Made, ...flags: string[]): Promise<RunResult> =>
  run(["gc", "--engine", "upstream", "-C", directory, ...flags], { engine });

async function configText({ directory }: Made): Promise<string> {
  return readFile(join(directory, "registry/config.yml"), "utf8");
}

const isReadOnly = async (one: Made): Promise<boolean> => /readonly:\s+enabled: true/.test(await configText(one));

/** Healthy, writable, and nothing left of a collection. */
async function expectUndisturbed(one: Made): Promise<void> {
  const { stdout, exitCode } = await run(["status", "-C", one.directory], { engine: one.engine });
  expect(exitCode, stdout).toBe(0);
  expect(await isReadOnly(one)).toBe(false);
  expect(existsSync(join(one.directory, MARK))).toBe(false);
  expect((await one.engine.containers.list({})).map(({ name, state }) => `${name} ${state}`)).toEqual([
    `${REGISTRY} running`,
  ]);
}

async function filled(options: Parameters<typeof made>[0] = {}): Promise<Made> {
  const one = await made(options);
  await fill(one.directory);
  collects(one);
  return one;
}

describe("gc --engine upstream", () => {
  it("collects while pushes are refused, and leaves a new container as regctl.yaml says", async () => {
    const one = await filled();
    const before = await one.engine.containers.inspect(REGISTRY);
    const [config, compose] = [await configText(one), await readFile(join(one.directory, "compose.yaml"), "utf8")];
    const seen: string[] = [];
    collects(one);
    const { collector } = one.engine;
    one.engine.collector = async (spec) => {
      const registry = await one.engine.containers.inspect(REGISTRY);
      seen.push(`${await isReadOnly(one)} ${registry?.state} ${registry?.id === before?.id}`);
      return collector(spec);
    };
    const result = await gc(one, "--json");
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const { data } = JSON.parse(result.stdout) as { data: Record<string, unknown> };
    expect(data).toMatchObject({
      ...{ dryRun: false, engine: "upstream", repositories: 1 },
      blobs: { total: 2, marked: 1, deletable: 1, deleted: 1 },
      manifests: { total: 1, deletable: 0, deleted: 0 },
      bytes: { reclaimable: 1000, reclaimed: 1000 },
    });
    expect(data.writePauseMs).toBeGreaterThan(0);
    expect(data.readPauseMs).toBeGreaterThan(0);
    expect(data.writePauseMs).toBeGreaterThanOrEqual(data.readPauseMs as number);
    expect(seen).toEqual(["true running false"]);
    expect(await configText(one)).toBe(config);
    expect(await readFile(join(one.directory, "compose.yaml"), "utf8")).toBe(compose);
    await expectUndisturbed(one);
  });

  it("runs it as the registry runs, unpublished and unnamed, where ls, up and down see that it is ours", async () => {
    const one = await filled();
    const specs: ContainerSpec[] = [];
    collects(one, specs);
    expect((await gc(one)).exitCode).toBe(0);
    const [spec] = specs;
    const registry = await one.engine.containers.inspect(REGISTRY);
    expect(spec).toMatchObject({
      ...{ name: COLLECTOR, image: "registry:2", readOnlyRoot: true, dropCapabilities: ["ALL"], ports: [] },
      command: ["garbage-collect", "/etc/docker/registry/config.yml"],
      securityOptions: ["no-new-privileges"],
      network: { name: "acme_default", aliases: [] },
      mounts: registry?.mounts,
      ...{ restart: "no", keepsLogs: false },
    });
    expect(spec?.user).toMatch(/^\d+:\d+$/);
    expect(spec?.labels).toMatchObject({
      "io.regctl.deployment": "acme",
      "io.regctl.directory": one.directory,
      "io.regctl.service": "upstream-gc",
      "com.docker.compose.project": "acme",
      "com.docker.compose.oneoff": "True",
    });
    expect(spec?.labels).not.toHaveProperty("com.docker.compose.config-hash");
  });

  it("--dry-run only asks: nothing is replaced, and the container cannot write", async () => {
    const one = await filled();
    const specs: ContainerSpec[] = [];
    collects(one, specs);
    const before = await one.engine.containers.inspect(REGISTRY);
    const from = one.engine.fake.calls.length;
    const result = await gc(one, "--dry-run", "--list");
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: `sha256:${GARBAGE}\nwould free 1000 B, 1 blob of 2\n`,
    });
    const changing = one.engine.fake.calls.slice(from).filter((call) => !/list|inspect/.test(call));
    expect(changing).toEqual(["create", "attach", "start", "wait", "remove"].map((call) => `containers.${call}`));
    expect(specs[0]?.command).toEqual(["garbage-collect", "--dry-run", "/etc/docker/registry/config.yml"]);
    expect(specs[0]?.mounts.every(({ readOnly }) => readOnly)).toBe(true);
    expect((await one.engine.containers.inspect(REGISTRY))?.id).toBe(before?.id);
    await expectUndisturbed(one);
  });

  it("collects what a stopped registry stores, and leaves it stopped", async () => {
    const one = await filled();
    await run(["down", "-C", one.directory], { engine: one.engine });
    const result = await gc(one, "--json");
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const { data } = JSON.parse(result.stdout) as { data: object };
    expect(data).toMatchObject({ readPauseMs: 0, writePauseMs: 0, bytes: { reclaimed: 1000 } });
    expect(await one.engine.containers.list({})).toEqual([]);
    expect(existsSync(join(one.directory, MARK))).toBe(false);
  });

  it("knows no sizes of a storage elsewhere, and says who else has to stop writing", async () => {
    const one = await filled();
    await edit(
      one.directory,
      /^registry:$/m,
      "registry:\n  storage: { s3: { region: eu, bucket: images, accesskey: a, secretkey: b } }",
    );
    expect((await run(["up", "-C", one.directory], { engine: one.engine })).exitCode).toBe(0);
    one.engine.collector = () => ({ stdout: FOUND });
    const text = await gc(one);
    expect(text).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^freed 1 blob of 2\npushes paused /) });
    expect(text.stderr).toContain("whoever else writes to the same s3 storage");
    const { data } = JSON.parse((await gc(one, "--json")).stdout) as { data: object };
    expect(data).toMatchObject({ bytes: { reclaimable: null, reclaimed: null }, blobs: { total: 2, deleted: 1 } });
    await expectUndisturbed(one);
  });

  it("takes untagged manifests of distribution 3", async () => {
    const one = await filled({ images: ["registry:3"], flags: ["--image", "registry:3"] });
    const specs: ContainerSpec[] = [];
    one.engine.collector = (spec) => {
      specs.push(spec);
      const untagged = `manifest eligible for deletion: {team/app sha256:${KEPT} []}\n`;
      return { stdout: `team/app\n${untagged}\n0 blobs marked, 2 blobs and 1 manifests eligible for deletion\n` };
    };
    const result = await gc(one, "--untagged", "--dry-run", "--json", "--list");
    const { data } = JSON.parse(result.stdout) as { data: object };
    expect(data).toMatchObject({
      manifests: { total: 1, deletable: 1, deleted: 0 },
      deletable: { manifests: [`team/app@sha256:${KEPT}`] },
    });
    expect(specs[0]?.command).toEqual([
      ...["garbage-collect", "--dry-run", "--delete-untagged", "/etc/distribution/config.yml"],
    ]);
  });
});

describe("the proof that pushes are refused", () => {
  it("is the registry's own answer where it needs no password", async () => {
    const one = await filled({ flags: ["--auth", "none", "--bind", "127.0.0.1"] });
    expect((await gc(one)).exitCode).toBe(0);
    await expectUndisturbed(one);
  });

  it.each([
    ["without users", ["--auth", "none", "--bind", "127.0.0.1"]],
    ["with what docker login stored", []],
  ])("is missing when the registry would still take a push: nothing is collected (%s)", async (_, flags) => {
    const one = await filled({ flags });
    await using home = temporaryDirectory();
    const auth = Buffer.from(`admin:${one.password}`).toString("base64");
    await mkdir(join(home.path, ".docker"));
    const stored = { auths: { [`localhost:${one.port}`]: { auth } } };
    await writeFile(join(home.path, ".docker/config.json"), JSON.stringify(stored));
    let isCollecting = false;
    one.engine.collector = () => {
      isCollecting = true;
      return { stdout: FOUND };
    };
    // What runs does not do what its configuration says.
    const { containers } = one.engine;
    const start = containers.start.bind(containers);
    Object.assign(containers, {
      start: async (id: string) => {
        const file = join(one.directory, "registry/config.yml");
        const text = await configText(one);
        await writeFile(file, text.replace(/(readonly:\s+enabled:) true/, "$1 false"));
        await start(id);
        await writeFile(file, text);
      },
    });
    const { directory, engine } = one;
    const environment = { HOME: home.path };
    const result = await run(["gc", "--engine", "upstream", "-C", directory], { engine, environment });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toContain("it answers a push with 400 instead of 405");
    expect(isCollecting).toBe(false);
    Object.assign(containers, { start });
    await expectUndisturbed(one);
  });

  it("is refused an image whose variables override it", async () => {
    const one = await filled();
    const engine = onEngineCall(one.engine, () => undefined);
    const list = engine.containers.list;
    const containers = {
      ...one.engine.containers,
      list: async (...options: Parameters<typeof list>) =>
        (await one.engine.containers.list(...options)).map((container) => ({
          ...container,
          environment: ["PATH", "REGISTRY_STORAGE_MAINTENANCE"],
        })),
    };
    const result = await run(["gc", "--engine", "upstream", "-C", one.directory], {
      engine: { ...engine, containers, close: () => undefined },
    });
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("REGISTRY_STORAGE_MAINTENANCE") });
    await expectUndisturbed(one);
  });
});

describe("before the first change", () => {
  it.each<[string, string[], (one: Made) => Promise<unknown>, RegExp]>([
    ["--untagged of 2.x", ["--untagged"], async () => {}, /multi-arch[\s\S]*hint: .*regctl gc --untagged/],
    [
      "a cache in redis",
      [],
      (one) => overlay(one, "{ cache: { blobdescriptor: redis } }", "redis: { addr: r:6379 }"),
      /in redis/,
    ],
    ["a storage in memory", [], (one) => overlay(one, "{ inmemory: {} }"), /its own memory/],
    [
      "a pull-through cache",
      [],
      (one) => overlay(one, "{}", "proxy: { remoteurl: https://r.test }"),
      /regctl down && regctl gc/,
    ],
    [
      "an edit that was not applied",
      [],
      ({ directory }) => edit(directory, "level: info", "level: warn"),
      /registry\/config\.yml[\s\S]*regctl up/,
    ],
    ["--grace", ["--grace", "1h"], async () => {}, /--grace is for regctl's own collector/],
    ["--keep", ["--keep", "0"], async () => {}, /--keep is for/],
    ["--settle", ["--settle", "0"], async () => {}, /--settle is for/],
    ["--data", ["--data", "/srv"], async () => {}, /--data is for/],
    [
      "a store nothing was pushed to",
      [],
      ({ directory }) => rm(join(directory, "data/docker"), { recursive: true }),
      /nothing to collect/,
    ],
    [
      "an empty link",
      [],
      ({ directory }) => writeFile(revision(directory), ""),
      /revisions\/sha256\/a{64}\/link[\s\S]*regctl fsck --repair/,
    ],
    [
      "what the trash can bring back",
      [],
      ({ engine, directory }) => run(["rm-repo", "team/app", "-C", directory, "--yes"], { engine }),
      /undo/,
    ],
  ])("refuses %s", async (_, flags, spoil, expected) => {
    const one = await filled();
    await spoil(one);
    const [config, from] = [await configText(one), one.engine.fake.calls.length];
    const result = await gc(one, ...flags);
    expect(result.stderr).toMatch(expected);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(one.engine.fake.calls.slice(from).filter((call) => !/list|inspect/.test(call))).toEqual([]);
    expect(await configText(one)).toBe(config);
    expect(existsSync(join(one.directory, MARK))).toBe(false);
  });

  it("refuses manifests of schema 1, and empty links of layers, to distribution 3 alone", async () => {
    for (const image of ["registry:2", "registry:3"]) {
      const one = await filled({ images: [image], flags: ["--image", image] });
      await fill(one.directory, { manifest: '{"schemaVersion":1,"fsLayers":[]}' });
      await writeFile(
        join(one.directory, `data/docker/registry/v2/repositories/team/app/_layers/sha256/${KEPT}/link`),
        "",
      );
      const result = await gc(one, "--dry-run");
      expect(result.exitCode, result.stderr).toBe(image === "registry:2" ? 0 : 2);
      if (image === "registry:3") {
        expect(result.stderr).toMatch(/schema 1/);
        expect(result.stderr).toMatch(/_layers\/sha256\/a{64}\/link/);
      }
    }
  });

  it("needs the engine", async () => {
    const one = await filled();
    const result = await run(["gc", "--engine", "upstream", "-C", one.directory], {
      surroundings: {
        connectEngine: async () => {
          throw new RegctlError("engine-unreachable", "no engine");
        },
      },
    });
    expect(result.exitCode).toBe(4);
    await expectUndisturbed(one);
  });
});

const revision = (directory: string): string =>
  join(directory, `data/docker/registry/v2/repositories/team/app/_manifests/revisions/sha256/${KEPT}/link`);

/** Sections of distribution's configuration, applied. */
async function overlay(one: Made, storage: string, ...more: string[]): Promise<void> {
  const lines = [`storage: ${storage}`, ...more].map((line) => `  ${line}`).join("\n");
  await edit(one.directory, /^registry:$/m, `registry:\n${lines}`);
  expect((await run(["up", "-C", one.directory], { engine: one.engine })).stderr).not.toContain("regctl:");
}

describe("whatever happens to the collector", () => {
  it.each<[string, CollectorRun, RegExp]>([
    [
      "it fails",
      { stdout: "", stderr: "failed to garbage collect: failed to mark: no bucket\n", exitCode: 1 },
      /exit code 1\nfailed to garbage collect: failed to mark: no bucket[\s\S]*nothing was deleted/,
    ],
    [
      "it fails while it deletes",
      { stdout: FOUND, stderr: "failed to garbage collect: failed to delete blob\n", exitCode: 1 },
      /failed to delete blob[\s\S]*had begun to delete/,
    ],
    [
      "it does not know a flag, which ends with 0",
      { stdout: "", stderr: "Error: unknown flag\nUsage: …\n" },
      /without counting what it marked\nError: unknown flag/,
    ],
  ])("the registry takes pushes again: %s", async (_, outcome, expected) => {
    const one = await filled();
    one.engine.collector = () => outcome;
    const result = await gc(one);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(expected);
    await expectUndisturbed(one);
  });

  it("Ctrl-C ends it with 130, the collector is gone and the registry takes pushes again", async () => {
    const one = await filled();
    const controller = new AbortController();
    one.engine.collector = () => {
      controller.abort(new RegctlError("interrupted", "interrupted"));
      return new Promise(() => undefined);
    };
    const { directory, engine } = one;
    const result = await run(["gc", "--engine", "upstream", "-C", directory], { engine, signal: controller.signal });
    expect(result.exitCode).toBe(130);
    await expectUndisturbed(one);
  });

  it("an engine that fails at any call, once: the registry takes pushes again, at the latest after up", {
    timeout: 120_000,
  }, async () => {
    const one = await filled();
    const calls = await countCalls(one);
    expect(calls).toBeGreaterThan(25);
    for (let failing = 1; failing <= calls; failing += 1) {
      await fill(one.directory);
      const engine = onEngineCall(one.engine, (number) => {
        if (number === failing) throw new RegctlError("engine-failed", "the engine hiccups");
      });
      const { exitCode } = await run(["gc", "--engine", "upstream", "-C", one.directory], { engine });
      expect([0, 1]).toContain(exitCode);
      await run(["up", "-C", one.directory], { engine: one.engine });
      await expectUndisturbed(one);
    }
  });

  it("an engine that is away from any call on: the next command makes the registry writable", {
    timeout: 120_000,
  }, async () => {
    const one = await filled();
    const calls = await countCalls(one);
    for (let last = 1; last <= calls; last += 1) {
      await fill(one.directory);
      const engine = onEngineCall(one.engine, (number) => {
        if (number >= last) throw new RegctlError("engine-failed", "the engine is away");
      });
      await run(["gc", "--engine", "upstream", "-C", one.directory], { engine });
      const next = last % 2 === 0 ? ["passwd", "admin", "--password-stdin"] : ["up"];
      const result = await run([...next, "-C", one.directory], { engine: one.engine, stdin: one.password });
      expect(result.exitCode, result.stderr).toBe(0);
      await expectUndisturbed(one);
    }
  });

  async function countCalls(one: Made): Promise<number> {
    let calls = 0;
    const engine = onEngineCall(one.engine, (number) => {
      calls = number;
    });
    expect((await run(["gc", "--engine", "upstream", "-C", one.directory], { engine })).exitCode).toBe(0);
    return calls;
  }
});

describe("after regctl was killed in the middle", () => {
  /** The state a kill leaves while the collector runs: every call fails from then on, so that nothing is cleared up. */
  async function killed(flags: readonly string[] = []): Promise<Made> {
    const one = await filled();
    let isDead = false;
    const controller = new AbortController();
    one.engine.collector = () => {
      isDead = true;
      controller.abort(new RegctlError("interrupted", "killed"));
      return new Promise(() => undefined);
    };
    const engine = onEngineCall(one.engine, () => {
      if (isDead) throw new RegctlError("engine-failed", "killed");
    });
    const argv = ["gc", "--engine", "upstream", "-C", one.directory, ...flags];
    expect((await run(argv, { engine, signal: controller.signal })).exitCode).toBe(130);
    expect(existsSync(join(one.directory, MARK))).toBe(true);
    collects(one);
    return one;
  }

  it("status says why pushes are refused, and ls and down know the collector", async () => {
    const one = await killed();
    expect(await isReadOnly(one)).toBe(true);
    const { directory, engine } = one;
    const status = await run(["status", "-C", directory], { engine });
    expect(status.exitCode).toBe(3);
    expect(status.stdout).toMatch(/pushes are refused for a garbage collection since .*regctl up/);
    expect(status.stdout).toMatch(/container +acme-upstream-gc-1 +no longer declared/);
    expect((await run(["ls", "--json"], { engine })).stdout).toContain(COLLECTOR);
    expect((await run(["down", "-C", directory], { engine })).exitCode).toBe(0);
    expect(await engine.containers.list({})).toEqual([]);
    expect((await run(["up", "-C", directory], { engine })).exitCode).toBe(0);
    await expectUndisturbed(one);
  });

  it.each([["up"], ["restart"], ["gc", "--engine", "upstream"], ["users"]])("%s", async (...words) => {
    const one = await killed();
    const result = await run([...words, "-C", one.directory], { engine: one.engine });
    expect(result.exitCode, result.stderr).toBe(0);
    // Only looks, and takes no lock.
    if (words[0] === "users") return expect(await isReadOnly(one)).toBe(true);
    expect(result.stderr).toContain("ended a garbage collection that was interrupted");
    return expectUndisturbed(one);
  });

  it("work that needs no engine goes on without one, and says what is left to do", async () => {
    const one = await killed();
    const add = ["adduser", "ci", "--password-stdin", "-C", one.directory];
    const result = await run(add, {
      stdin: one.password,
      surroundings: {
        connectEngine: async () => {
          throw new RegctlError("engine-denied", "no right to use the socket");
        },
      },
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toMatch(/may still take no pushes: no right to use the socket; `regctl up`/);
    expect(existsSync(join(one.directory, MARK))).toBe(true);
    await run(["up", "-C", one.directory], { engine: one.engine });
    await expectUndisturbed(one);
  });

  it("a dry run leaves only its container, which the next command removes", async () => {
    const one = await killed(["--dry-run"]);
    expect(await isReadOnly(one)).toBe(false);
    const before = await one.engine.containers.inspect(REGISTRY);
    expect(await one.engine.containers.inspect(COLLECTOR)).toMatchObject({ state: "running" });
    expect((await gc(one, "--dry-run")).exitCode).toBe(0);
    expect((await one.engine.containers.inspect(REGISTRY))?.id).toBe(before?.id);
    await expectUndisturbed(one);
  });
});
