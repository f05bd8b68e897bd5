/** kill -9 after every single change of everything that deletes: the next command ends where an undisturbed run would, or began. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onStore } from "../harness/commands.ts";
import { emptyFacts } from "../harness/facts.ts";
import { type Lane, openLane } from "../harness/lane.ts";
import type { CommandResult, Runner } from "../harness/runner.ts";
import { findLosses } from "../harness/verify.ts";
import { smallDisk } from "../support/e2e-small-disk.ts";
import { setAge } from "../support/generated-store.mjs";
import { KILL_EVERY } from "../support/kill-at.ts";
import { debianRegistry } from "../support/live-registry.ts";
import { memoryFolder } from "../support/memory-folder.ts";
import type { Descriptor, PushClient } from "../support/push-client.ts";
import { brokenImages, type StoreState, storeState } from "../support/store-state.ts";

const folder = memoryFolder();
const lanes = Promise.all([0, 1].map(async () => openLane(await debianRegistry())));
afterAll(async () => {
  for (const lane of await lanes) await lane[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const TEMPLATE = join(folder.path, "template");
const REPOSITORY = "team/app";
/** Has a tag, a second one, a signature with the tag clients look for it by, and is part of no index. */
const IMAGE = `${REPOSITORY}:signed`;

/** Everything there is in a registry, pushed to one: all of it whole, and with each way to be garbage. */
async function makeTemplate(lane: Lane): Promise<void> {
  const client = lane.client();
  const layer = (text: string) => Buffer.from(`layer ${text}`);
  const image = (repository: string, name: string, tag?: string, more: object = {}) =>
    client.pushImage({
      repository,
      layers: [layer("base"), layer(name)],
      config: { os: "linux", architecture: "amd64", name },
      ...(tag === undefined ? {} : { tag }),
      ...more,
    });
  for (const repository of [REPOSITORY, `${REPOSITORY}/nested`]) {
    const signed = await image(repository, "signed", "signed");
    const types = { artifactType: "application/vnd.example.signature", subject: signed };
    const signature = await image(repository, "signature", undefined, types);
    await client.pushIndex({ repository, tag: signed.digest.replace(":", "-"), manifests: [signature] });
    await client.putManifest(repository, "also", signed.mediaType, (await manifestOf(client, repository, signed)).body);
    for (const [at, tag] of ["latest", "2.0", "latest"].entries()) await image(repository, `build ${at}`, tag);
    const children = [await image(repository, "amd64"), await image(repository, "arm64")];
    await client.pushIndex({ repository, tag: "multi", manifests: children });
    const leftovers = [await image(repository, `left ${repository}`), await image(repository, "left behind")];
    await client.pushIndex({ repository, manifests: leftovers });
    await client.deleteManifest(repository, (await image(repository, "deleted")).digest);
    await client.pushBlob(repository, layer(`orphan of ${repository}`));
  }
  await image("digests/only", "by digest");
  expect(await findLosses(lane.store, client, emptyFacts())).toEqual([]);
  setAge(lane.store, 7200);
  cpSync(lane.store, TEMPLATE, { recursive: true, preserveTimestamps: true });
}

const manifestOf = (client: PushClient, repository: string, { mediaType, digest }: Descriptor) =>
  client.send("GET", `/v2/${repository}/manifests/${digest}`, { headers: { accept: mediaType } });

beforeAll(async () => makeTemplate((await lanes)[0] as Lane));

function place(lane: Lane, from: string): void {
  for (const name of ["docker", "regctl-trash"]) rmSync(join(lane.store, name), { recursive: true, force: true });
  cpSync(from, lane.store, { recursive: true, preserveTimestamps: true });
}

async function command(runner: Runner, argv: readonly string[], root: string, killAt = 0): Promise<CommandResult> {
  return runner.run({ argv: onStore(argv, root), nowOffsetMs: 0, killAt });
}

async function must(lane: Lane, argv: readonly string[]): Promise<CommandResult> {
  const result = await command(lane.runners[0], argv, lane.store);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result;
}

interface Killed {
  readonly name: string;
  /** Command lines that lead to where it has its work; the last one's trash is `$ID`. */
  readonly before?: readonly (readonly string[])[];
  readonly argv: readonly string[];
}

const GC = ["gc", "--grace", "0", "--settle", "0", "--stopped"];
const UNTAGGED = [...GC, "--untagged"];
const PRUNE = ["prune", "--apply", "--keep", "1", "--untagged", "1h", "--no-protect-in-use", "--settle", "0"];

const COMMANDS: readonly Killed[] = [
  { name: "gc", argv: GC },
  { name: "gc --untagged", argv: UNTAGGED },
  { name: "gc --untagged --keep", argv: [...UNTAGGED, "--keep", "1h"] },
  { name: "rm-repo", argv: ["rm-repo", REPOSITORY] },
  { name: "rm-repo --purge", argv: ["rm-repo", REPOSITORY, "--purge", "--confirm", REPOSITORY] },
  { name: "rm-tag", argv: ["rm-tag", `${REPOSITORY}:*`] },
  { name: "rm-image", argv: ["rm-image", IMAGE] },
  { name: "prune", argv: PRUNE },
  { name: "undo of rm-repo", before: [["rm-repo", REPOSITORY]], argv: ["undo", "$ID"] },
  { name: "undo of rm-image", before: [["rm-image", IMAGE]], argv: ["undo", "$ID"] },
  { name: "undo of prune", before: [PRUNE], argv: ["undo", "$ID"] },
  { name: "undo of gc", before: [[...UNTAGGED, "--keep", "1h"]], argv: ["undo", "$ID"] },
  {
    name: "trash purge",
    before: [["rm-repo", REPOSITORY]],
    argv: ["trash", "purge", "--all", "--confirm", "all"],
  },
];

/** Makes where the command begins as a store of its own; resolves to that and to the command line. */
async function prepare(lane: Lane, { before = [], argv, name }: Killed): Promise<{ root: string; argv: string[] }> {
  place(lane, TEMPLATE);
  for (const line of before) await must(lane, line);
  const { entries } = JSON.parse((await must(lane, ["trash"])).stdout).data;
  const root = join(folder.path, name.replaceAll(" ", "-"));
  cpSync(lane.store, root, { recursive: true, preserveTimestamps: true });
  return { root, argv: argv.map((word) => (word === "$ID" ? entries[0].id : word)) };
}

/** Everything but what the last step of a removal for good leaves to the next collection. */
const settled = ({ images, trash }: StoreState): object => ({ images, trash: trash.filter((one) => !isPurging(one)) });
const isPurging = (entry: string): boolean => JSON.parse(entry)[1] === "purging";

/** Every manifest and tag there is can be pulled; what was asked of a registry once is read from the files ever after. */
function expectWhole(lane: Lane): void {
  expect(brokenImages(lane.store)).toEqual([]);
}

/** Resolves to the number of kills. */
async function killAfterEveryChange(killed: Killed): Promise<number> {
  const [first, ...others] = await lanes;
  const { root, argv } = await prepare(first as Lane, killed);
  const beginning = storeState(root);
  const { changes } = await must(first as Lane, argv);
  const end = storeState((first as Lane).store);
  expect({ ...end }).not.toEqual({ ...beginning });
  const isForGood = argv.includes("--purge");
  let next = 1;
  const take = (): number => {
    next += KILL_EVERY;
    return next - KILL_EVERY;
  };
  let kills = 0;
  let isOver = false;
  const work = async (lane: Lane): Promise<void> => {
    for (let n = take(); n <= changes && !isOver; n = take()) {
      place(lane, root);
      const { exitCode, stderr } = await command(lane.runners[0], argv, lane.store, n);
      // Names of entries are random: a run may have a change less.
      expect([undefined, 0], stderr).toContain(exitCode);
      if (exitCode === 0) continue;
      kills += 1;
      const where = `killed after change ${n} of ${changes}`;
      // Any command at all: this one finds nothing to do.
      const other = await command(lane.runners[0], ["undo", "20200101-000000"], lane.store);
      expect(other.stderr, where).toContain("not-found");
      const now = storeState(lane.store);
      if (isForGood) expect([beginning.images, end.images], where).toContainEqual(now.images);
      else expect([settled(beginning), settled(end)], where).toContainEqual(settled(now));
      expect(now.trash.filter(isPurging), where).toEqual([]);
      expectWhole(lane);
      const again = await command(lane.runners[0], argv, lane.store);
      // What was done already is not there to be done again.
      if (again.exitCode !== 0) expect(now.images, `${where}: ${again.stderr}`).toEqual(end.images);
      const last = storeState(lane.store);
      expect(last.images, where).toEqual(end.images);
      if (killed.name.startsWith("gc")) expect(last.blobs, where).toEqual(end.blobs);
      expectWhole(lane);
    }
  };
  // After a failure the others stop as well, before the next command is killed.
  const stop = () => {
    isOver = true;
  };
  await Promise.allSettled(
    [first as Lane, ...others].map((lane) =>
      work(lane).catch((error: unknown) => {
        stop();
        throw error;
      }),
    ),
  ).then((ends) => {
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  });
  return kills;
}

describe("kill -9 after every change", () => {
  it.each(COMMANDS)(
    "of $name leaves everything as before or as after",
    async (killed) => {
      expect(await killAfterEveryChange(killed)).toBeGreaterThan(0);
    },
    600_000,
  );
});

describe("two collectors at once", () => {
  it("one waits for the other, or says who holds the store", async () => {
    const [lane] = (await lanes) as [Lane];
    place(lane, TEMPLATE);
    const [one, two] = lane.runners;
    const slow = ["gc", "--grace", "0", "--uncached", "--settle", "2s"];
    const first = command(one, slow, lane.store);
    const stop = new AbortController();
    // The second is begun when the first has something in the trash.
    while (storeState(lane.store).trash.length === 0 && !stop.signal.aborted) await new Promise(setImmediate);
    const refused = await command(two, [...GC, "--timeout", "1"], lane.store);
    expect(refused, refused.stderr).toMatchObject({ exitCode: 5 });
    expect(refused.stderr).toContain("locked");
    const waited = await command(two, GC, lane.store);
    expect(waited, waited.stderr).toMatchObject({ exitCode: 0 });
    expect(await first).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(waited.stdout).data.blobs).toMatchObject({ deletable: 0 });
    expectWhole(lane);
  });
});

describe("undo", () => {
  it("brings everything back whole after collections within the term", async () => {
    const [lane] = (await lanes) as [Lane];
    place(lane, TEMPLATE);
    const before = storeState(lane.store).images;
    for (const argv of [
      ["rm-tag", IMAGE],
      ["rm-repo", REPOSITORY],
    ])
      await must(lane, argv);
    for (const argv of [GC, [...UNTAGGED, "--keep", "1h"], UNTAGGED]) await must(lane, argv);
    expectWhole(lane);
    const { entries } = JSON.parse((await must(lane, ["trash"])).stdout).data;
    expect(entries.map(({ kind }: { kind: string }) => kind).sort()).toEqual(["gc", "rm-repo", "rm-tag"]);
    for (const { id } of [...entries].reverse()) await must(lane, ["undo", id]);
    expect(storeState(lane.store).images).toEqual(before);
    expectWhole(lane);
  });
});

describe.skipIf(process.getuid?.() !== 0)("on a full disk", () => {
  it.each(COMMANDS)("$name loses nothing", async (killed) => {
    const [lane] = (await lanes) as [Lane];
    const { root, argv } = await prepare(lane, killed);
    const beginning = storeState(root);
    await must(lane, argv);
    const end = storeState(lane.store);
    const disk = join(folder.path, "disk");
    await using small = await smallDisk(disk, 64);
    cpSync(root, disk, { recursive: true, preserveTimestamps: true });
    await small.fill();
    const full = await command(lane.runners[0], argv, disk);
    await small.free();
    // What was begun is taken back or finished.
    const other = await command(lane.runners[0], ["undo", "20200101-000000"], disk);
    expect(other.stderr).toContain("not-found");
    const { images } = storeState(disk);
    expect([beginning.images, end.images], full.stderr).toContainEqual(images);
    if (full.exitCode === 0) expect(images).toEqual(end.images);
    else expect([1, 5]).toContain(full.exitCode);
    const again = await command(lane.runners[0], argv, disk);
    if (again.exitCode !== 0) expect(images, again.stderr).toEqual(end.images);
    expect(storeState(disk).images).toEqual(end.images);
  });
});
