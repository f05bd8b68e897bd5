/** The registry's own collector on the real engine: it frees what it should, loses nothing, and always gives the registry back. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startRegctl } from "../support/e2e-background.ts";
import { deployed, edit, jsonOf, onlyContainer } from "../support/e2e-deployment.ts";
import { containersOfProject } from "../support/e2e-engine-api.ts";
import { eventually } from "../support/eventually.ts";
import { KILL_EVERY_WITH_ENGINE, killAt, sampled, stepsOf } from "../support/kill-at.ts";
import { debianRegistry } from "../support/live-registry.ts";
import { type Descriptor, digestOf, type PushClient, pushClient } from "../support/push-client.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { upstreamDryRun } from "../support/upstream-collect.ts";

const GC = ["gc", "--engine", "upstream"];
/** Plain HTTP and no users, so that the registry itself can be asked to prove that it takes no pushes. */
const OPEN = ["--tls", "none", "--auth", "none", "--bind", "127.0.0.1"];

interface Place {
  readonly one: Scenario;
  readonly client: PushClient;
  readonly kept: readonly Descriptor[];
}

const hostOf = (one: Scenario): string => `127.0.0.1:${one.port}`;

/** Two images and an index that stay. */
async function open(flags: readonly string[] = OPEN): Promise<Place & AsyncDisposable> {
  const one = await deployed({ flags });
  const client = pushClient(hostOf(one));
  const image = (name: string) =>
    client.pushImage({ repository: "team/app", layers: [Buffer.from("shared"), Buffer.from(name)] });
  const children = [await image("amd64"), await image("arm64")];
  const index = await client.pushIndex({ repository: "team/app", tag: "multi", manifests: children });
  const kept = [...children, index];
  return {
    ...{ one, client, kept },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

/** An image that was deleted over the API: its manifest, its configuration and its own layer are garbage. */
async function makeGarbage({ client }: Place, name: string): Promise<{ readonly layer: Buffer }> {
  const layer = Buffer.from(`garbage ${name}`.repeat(1000));
  const { digest } = await client.pushImage({
    repository: "team/old",
    config: { architecture: name },
    layers: [Buffer.from("shared"), layer],
  });
  await client.deleteManifest("team/old", digest);
  return { layer };
}

async function blobsOf({ one }: Place): Promise<string[]> {
  const root = join(one.directory, "data/docker/registry/v2/blobs/sha256");
  const names = await Promise.all((await readdir(root)).map((first) => readdir(join(root, first))));
  return names.flat().sort();
}

async function bytesOf(place: Place): Promise<number> {
  const root = join(place.one.directory, "data/docker/registry/v2/blobs");
  const { stdout } = await mustRun("find", [root, "-name", "data", "-printf", "%s\n"]);
  return stdout.split("\n").reduce((sum, size) => sum + Number(size), 0);
}

/** Healthy, one container, nothing left behind, every image whole, and a push is taken. */
async function expectServing({ one, client, kept }: Place, tag: string): Promise<void> {
  const status = await one.regctl(["status"]);
  expect(status.exitCode, status.stdout).toBe(0);
  await onlyContainer(one);
  expect(existsSync(join(one.directory, ".regctl/collection.json"))).toBe(false);
  for (const { digest } of kept) await client.verifyImage("team/app", digest);
  await client.pushImage({ repository: "team/after", tag, layers: [Buffer.from(`after ${tag}`)] });
  await client.verifyImage("team/after", tag);
}

interface Report {
  readonly engine: string;
  readonly blobs: {
    readonly total: number;
    readonly marked: number;
    readonly deletable: number;
    readonly deleted: number;
  };
  readonly bytes: { readonly reclaimable: number; readonly reclaimed: number };
  readonly deletable: { readonly blobs: readonly string[] };
  readonly readPauseMs: number;
  readonly writePauseMs: number;
  readonly seconds: number;
}

describe("gc --engine upstream", () => {
  it("must free exactly what the registry's own dry run names, and say how many bytes", async () => {
    await using place = await open();
    await makeGarbage(place, "one");
    const data = join(place.one.directory, "data");
    const expected = await upstreamDryRun(await debianRegistry(), data);
    expect(expected.blobs.size).toBe(3);
    const before = {
      blobs: await blobsOf(place),
      bytes: await bytesOf(place),
      ...(await onlyContainer(place.one)).State,
    };

    const dry = await jsonOf<Report>(place.one, [...GC, "--dry-run", "--list"]);
    expect(new Set(dry.deletable.blobs)).toEqual(expected.blobs);
    expect(dry).toMatchObject({ readPauseMs: 0, writePauseMs: 0, blobs: { total: before.blobs.length, deleted: 0 } });
    expect(await blobsOf(place)).toEqual(before.blobs);
    expect((await onlyContainer(place.one)).State.StartedAt).toBe(before.StartedAt);

    const report = await jsonOf<Report>(place.one, GC);
    const gone = before.bytes - (await bytesOf(place));
    expect(report).toMatchObject({
      engine: "upstream",
      blobs: { total: before.blobs.length, marked: expected.marked, deletable: 3, deleted: 3 },
      bytes: { reclaimable: gone, reclaimed: gone },
    });
    expect(dry.bytes).toEqual({ reclaimable: gone, reclaimed: 0 });
    expect(await blobsOf(place)).toEqual(before.blobs.filter((hex) => !expected.blobs.has(`sha256:${hex}`)));
    expect(report.readPauseMs).toBeGreaterThan(0);
    expect(report.writePauseMs).toBeGreaterThanOrEqual(report.readPauseMs);
    await expectServing(place, "first");
  });

  it("must lose no push it answered with 201 while it collected", async () => {
    await using place = await open();
    await makeGarbage(place, "one");
    const { client, one } = place;
    const stored: string[] = [];
    const refused = new Set<string>();
    let isOver = false;
    const pushing = (async () => {
      for (let number = 0; !isOver; number += 1) {
        const tag = `t${number}`;
        await client
          .pushImage({ repository: "team/busy", tag, layers: [Buffer.from("shared"), Buffer.from(tag.repeat(500))] })
          .then(
            () => stored.push(tag),
            (error: Error) => refused.add(/405/.test(error.message) ? "405" : "no answer"),
          );
      }
    })();
    try {
      await one.must(GC);
      await one.must(GC);
    } finally {
      isOver = true;
      await pushing;
    }
    expect(refused).toContain("405");
    expect(stored.length).toBeGreaterThan(3);
    for (const tag of stored) await client.verifyImage("team/busy", tag);
    await expectServing(place, "busy");
  });

  it("must leave nothing in a cache of the registry's memory", async () => {
    await using place = await open();
    const { one, client } = place;
    await edit(one.directory, /^registry:$/m, "registry:\n  storage: { cache: { blobdescriptor: inmemory } }");
    await one.must(["up"]);
    const { layer } = await makeGarbage(place, "cached");
    const path = `/v2/team/old/blobs/${digestOf(layer)}`;
    expect((await client.send("HEAD", path)).status).toBe(200);
    await one.must(GC);
    expect((await client.send("HEAD", path)).status).toBe(404);
    await client.pushImage({ repository: "team/old", tag: "again", layers: [layer] });
    await client.verifyImage("team/old", "again");
    await expectServing(place, "cache");
  });

  it("must work with users and TLS, where the registry cannot be asked without a password", async () => {
    await using one = await deployed();
    await mustRun("mkdir", ["-p", join(one.directory, "data/docker/registry/v2/repositories/a/_layers")]);
    await mustRun("mkdir", ["-p", join(one.directory, "data/docker/registry/v2/blobs/sha256/aa")]);
    expect(await jsonOf<Report>(one, GC)).toMatchObject({ blobs: { deleted: 0 }, bytes: { reclaimed: 0 } });
    expect((await one.must(["status"])).exitCode).toBe(0);
    expect(await readFile(join(one.directory, "registry/config.yml"), "utf8")).toMatch(/readonly:\s+enabled: false/);
  });

  it("must collect what a stopped registry stores", async () => {
    await using place = await open();
    await makeGarbage(place, "stopped");
    await place.one.must(["down"]);
    expect(await jsonOf<Report>(place.one, GC)).toMatchObject({
      blobs: { deleted: 3 },
      readPauseMs: 0,
      writePauseMs: 0,
    });
    expect(await place.one.containers()).toEqual([]);
    await place.one.must(["up"]);
    await expectServing(place, "stopped");
  });

  it("must refuse, before any change, what would make it give up", async () => {
    await using place = await open();
    const { one } = place;
    const started = (await onlyContainer(one)).State.StartedAt;
    const [first] = place.kept as [Descriptor];
    const hex = first.digest.slice("sha256:".length);
    const link = join(
      one.directory,
      `data/docker/registry/v2/repositories/team/app/_manifests/revisions/sha256/${hex}/link`,
    );
    await mustRun("truncate", ["-s", "0", link]);
    expect((await upstreamDryRun(await debianRegistry(), join(one.directory, "data"))).aborted).toContain(
      "invalid checksum",
    );
    const refused = await one.regctl(GC);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(`revisions/sha256/${hex}/link`);
    expect((await onlyContainer(one)).State.StartedAt).toBe(started);
  });
});

describe("an interrupted gc --engine upstream", () => {
  /** Resolves when the collector runs, which then stands still until somebody removes it. */
  async function collectorStandsStill({ one }: Place): Promise<void> {
    const name = `${one.name}-upstream-gc-1`;
    await eventually(() => mustRun("docker", ["pause", name]), 60_000, 1);
  }

  /** Enough for the collector to be at it for a while. */
  async function fill({ one }: Place): Promise<void> {
    const root = join(one.directory, "data/docker/registry/v2/blobs/sha256");
    for (let number = 0; number < 10_000; number += 1) {
      const hex = digestOf(Buffer.from(`blob ${number}`)).slice("sha256:".length);
      const folder = join(root, hex.slice(0, 2), hex);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "data"), "x");
    }
    await mustRun("chown", ["-R", `--reference=${root}`, root]);
  }

  it.each<[NodeJS.Signals, number]>([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("by %s must end with the registry taking pushes", async (signal, exitCode) => {
    await using place = await open();
    await fill(place);
    await using running = startRegctl(GC, { cwd: place.one.directory });
    await collectorStandsStill(place);
    running.kill(signal);
    expect(await running.ended).toMatchObject({ exitCode });
    await expectServing(place, "signal");
  });

  it("by SIGKILL must be shown by status, and be ended by the next command, its collector too", async () => {
    await using place = await open();
    const { one, client } = place;
    await fill(place);
    await using running = startRegctl(GC, { cwd: one.directory });
    await collectorStandsStill(place);
    running.kill("SIGKILL");
    await running.ended;
    const push = () => client.send("POST", "/v2/team/app/blobs/uploads/");
    expect((await push()).status).toBe(405);
    const status = await one.regctl(["status"]);
    expect(status.exitCode).toBe(3);
    expect(status.stdout).toContain("pushes are refused for a garbage collection");
    expect((await containersOfProject(one.name)).length).toBe(2);
    const next = await one.must(["restart"]);
    expect(next.stderr).toContain("ended a garbage collection that was interrupted");
    await expectServing(place, "killed");
  });

  it("by SIGKILL after steps all along must leave nothing that the next command does not mend", {
    timeout: 900_000,
  }, async () => {
    const queue: { readonly number: number; readonly next: readonly string[] }[] = [];
    const failures: string[] = [];
    let kills = 0;
    const first = await open();
    await makeGarbage(first, "counted");
    const { result, steps } = await stepsOf(GC, { cwd: first.one.directory });
    expect(result).toMatchObject({ exitCode: 0 });
    const kinds = new Set(["engine", "rename", "rm"]);
    const changing = steps.filter(({ kind }) => kinds.has(kind));
    const killable = sampled(changing, KILL_EVERY_WITH_ENGINE);
    for (const { number } of killable)
      queue.push({ number, next: [["up"], GC, ["restart"]][queue.length % 3] as string[] });
    const lane = async (opened: Promise<Place & AsyncDisposable>): Promise<void> => {
      await using place = await opened;
      const { one } = place;
      for (let kill = queue.shift(); kill !== undefined; kill = queue.shift()) {
        const { number, next } = kill;
        const { layer } = await makeGarbage(place, String(number));
        const { result, steps } = await killAt(number, GC, { cwd: one.directory });
        // The first run had more to do: what is remembered from then on is not written again.
        if (result.signal === undefined && result.exitCode === 0) continue;
        try {
          expect(result.signal, result.stderr).toBe("SIGKILL");
          await one.must(next);
          await expectServing(place, `n${number}`);
          if (next === GC) expect(await blobsOf(place)).not.toContain(digestOf(layer).slice("sha256:".length));
          kills += 1;
        } catch (error) {
          const step = steps.at(-1);
          failures.push(`after step ${number} (${step?.kind} ${step?.what}), then ${next.join(" ")}: ${error}`);
          return;
        }
      }
    };
    await Promise.all([lane(Promise.resolve(first)), lane(open()), lane(open())]);
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(20 / KILL_EVERY_WITH_ENGINE - 1);
  });
});
