import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import {
  type BareStore,
  bareStore,
  bareStoreIn,
  blobPath,
  hexOf,
  layerPath,
  revisionPath,
  sha256,
  treeOf,
} from "../support/bare-store.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { answerOf, asStranger, lockStore, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";
const STOPPED = ["gc", "--stopped", "--grace", "0"];
const HOUR = 3_600_000;

const hasBlob = (store: BareStore, digest: string) => existsSync(join(store.root, V2, blobPath(digest), "data"));

/** An image that is needed, one that lost its tag, and a blob nobody mentions. */
function filled(): BareStore & { readonly tagged: string; readonly untagged: string; readonly garbage: string } {
  const store = bareStore();
  const tagged = store.image("team/app", { tag: "1", layers: ["base", "app"] });
  const untagged = store.image("team/app", { layers: ["base", "old"] });
  const garbage = store.blob("garbage".repeat(200));
  // A layer linked just now announces a manifest.
  store.age(60);
  return { ...store, tagged, untagged, garbage };
}

interface GcData {
  readonly blobs: Record<string, number>;
  readonly manifests: Record<string, number>;
  readonly bytes: Record<string, number>;
  readonly deletable?: unknown;
  readonly purgedEntries: readonly string[];
  readonly problems: readonly { readonly kind: string }[];
  readonly keptIn?: string;
}

describe("gc of a bare store", () => {
  it("says what a run would free, as text and as JSON, and changes nothing", async () => {
    const store = filled();
    await unchanged(store, async () => {
      const text = await on(store, ["gc", "--dry-run", "--grace", "0"]);
      expect(text).toEqual({ exitCode: 0, stdout: "would free 1.4 KiB: 1 blob of 8\n", stderr: expect.any(String) });
      const listed = await on(store, ["gc", "--dry-run", "--grace", "0", "--list"]);
      expect(listed.stdout).toBe(`${store.garbage}\nwould free 1.4 KiB: 1 blob of 8\n`);
      const { kind, data } = await answerOf<GcData>(["gc", "--dry-run", "--grace", "0", "--data", store.root]);
      expect(kind).toBe("gc");
      expect(data).toEqual({
        dryRun: true,
        engine: "regctl",
        repositories: 1,
        blobs: { total: 8, marked: 7, deletable: 1, deleted: 0 },
        manifests: { total: 2, deletable: 0, deleted: 0 },
        bytes: { reclaimable: 1400, reclaimed: 0 },
        restored: 0,
        purgedEntries: [],
        problems: [],
        readPauseMs: 0,
        writePauseMs: 0,
        seconds: expect.any(Number),
      });
      expect(existsSync(join(store.root, "regctl-trash"))).toBe(false);
    });
  });

  it("frees what nothing needs and nothing else; the second time there is nothing", async () => {
    const store = filled();
    const expected = treeOf(store.root);
    for (const path of Object.keys(expected)) if (path.includes(hexOf(store.garbage))) delete expected[path];
    const first = await answerOf<GcData>([...STOPPED, "--data", store.root]);
    expect(first.data).toMatchObject({
      dryRun: false,
      blobs: { total: 8, marked: 7, deletable: 1, deleted: 1 },
      bytes: { reclaimable: 1400, reclaimed: 1400 },
    });
    expect(treeOf(store.root)).toEqual(expected);
    expect(trashed(store)).toEqual([]);
    const again = await on(store, STOPPED);
    expect(again).toMatchObject({ exitCode: 0, stdout: "freed 0 B: 0 blobs of 7\n" });
  });

  it("takes untagged manifests only when told, with their blobs and layer links", async () => {
    const store = filled();
    const { data } = await answerOf<GcData>([...STOPPED, "--untagged", "--data", store.root]);
    expect(data).toMatchObject({
      blobs: { total: 8, marked: 4, deletable: 4, deleted: 4 },
      manifests: { total: 2, deletable: 1, deleted: 1 },
    });
    const left = Object.keys(treeOf(store.root)).join("\n");
    for (const gone of [store.untagged, sha256("old"), store.garbage]) expect(left).not.toContain(hexOf(gone));
    for (const kept of [store.tagged, sha256("base"), sha256("app")]) expect(left).toContain(hexOf(kept));
  });

  it("keeps what tags need through indexes and subjects, and images that are known by digest alone", async () => {
    const store = bareStore();
    const child = store.image("multi", { layers: ["amd"] });
    const inner = store.index("multi", [child]);
    const index = store.index("multi", [inner, store.image("multi", { layers: ["arm"] })], "1");
    const signature = store.image("multi", { layers: ["signature"], subject: child });
    const sbom = store.image("multi", { layers: ["sbom"], subject: index });
    const lost = store.index("multi", [child, store.image("multi", { layers: ["lost"] })]);
    const digestOnly = store.image("mirror", { layers: ["mirrored"] });
    store.age(60);
    const { data } = await answerOf<GcData>([...STOPPED, "--untagged", "--list", "--data", store.root]);
    const { manifests } = data.deletable as { manifests: string[] };
    expect(manifests).toContain(`multi@${lost}`);
    expect(manifests).toHaveLength(2);
    for (const kept of [child, inner, index, signature, sbom, digestOnly]) expect(hasBlob(store, kept)).toBe(true);
    expect([hasBlob(store, sha256("lost")), hasBlob(store, sha256("mirrored"))]).toEqual([false, true]);
  });

  it("leaves alone what is younger than an hour, and takes it when that has passed", async () => {
    const store = filled();
    expect((await on(store, ["gc", "--untagged", "--dry-run"])).stdout).toBe("would free 0 B: 0 blobs of 8\n");
    const later = { now: new Date(Date.now() + HOUR + 60_000) };
    const { stdout } = await on(store, ["gc", "--untagged", "--dry-run"], later);
    expect(stdout).toMatch(/^would free .*: 4 blobs of 8, 1 untagged manifest\n$/);
    const short = await on(store, ["gc", "--dry-run", "--grace", "90s"], { now: new Date(Date.now() + 100_000) });
    expect(short.stdout).toContain("1 blob of 8");
  });

  it("keeps what it took in the trash when told: undo brings it back, and after its time the next gc purges it", async () => {
    const store = filled();
    const before = treeOf(store.root);
    const { data } = await answerOf<GcData>([...STOPPED, "--untagged", "--keep", "1d", "--data", store.root]);
    const [id] = trashed(store);
    expect(data).toMatchObject({ keptIn: id, blobs: { deleted: 4 } });
    expect(hasBlob(store, store.garbage)).toBe(false);
    expect(await on(store, ["undo", String(id)])).toMatchObject({ exitCode: 0 });
    expect(treeOf(store.root)).toEqual(before);
    expect(trashed(store)).toEqual([]);

    const kept = await on(store, [...STOPPED, "--untagged", "--keep", "1d"]);
    expect(kept.stdout).toContain(`kept in the trash: regctl undo ${trashed(store)[0]}`);
    const early = await answerOf<GcData>([...STOPPED, "--data", store.root], { now: new Date(Date.now() + 23 * HOUR) });
    expect(early.data.purgedEntries).toEqual([]);
    const dry = await on(store, ["gc", "--dry-run"], { now: new Date(Date.now() + 25 * HOUR) });
    expect(dry.stdout).toContain("1 expired entry of the trash would be purged");
    const [entry] = trashed(store);
    const late = await answerOf<GcData>([...STOPPED, "--data", store.root], { now: new Date(Date.now() + 25 * HOUR) });
    expect(late.data.purgedEntries).toEqual([entry]);
    expect(trashed(store)).toEqual([]);
    const left = Object.keys(treeOf(store.root)).join("\n");
    for (const gone of [store.untagged, sha256("old"), store.garbage]) expect(left).not.toContain(hexOf(gone));
  });

  it("keeps what a removed repository needs as long as it can be brought back", async () => {
    const store = filled();
    store.image("other", { tag: "1", layers: ["other"] });
    store.age(60);
    expect(await on(store, ["rm-repo", "other", "--yes", "--keep", "2h"])).toMatchObject({ exitCode: 0 });
    await on(store, [...STOPPED, "--untagged"]);
    expect(hasBlob(store, sha256("other"))).toBe(true);
    await on(store, STOPPED, { now: new Date(Date.now() + 3 * HOUR) });
    expect(trashed(store)).toEqual([]);
    expect([hasBlob(store, sha256("other")), hasBlob(store, sha256("app"))]).toEqual([false, true]);
  });

  it("says nothing but its answer with -q", async () => {
    const store = filled();
    const result = await on(store, [...STOPPED, "-q"]);
    expect(result).toEqual({ exitCode: 0, stdout: "freed 1.4 KiB: 1 blob of 8\n", stderr: "" });
    expect(hasBlob(store, store.garbage)).toBe(false);
  });

  it("wants to know whether a registry runs on it, before it touches anything", async () => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["gc", "--grace", "0"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/whether a registry runs[\s\S]*hint: add --stopped[\s\S]*--uncached/);
    const uncached = await on(store, ["gc", "--uncached", "--grace", "0", "--settle", "0"]);
    expect(uncached).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 blob") });
  });
});

describe("gc of a store that is not as it should be", () => {
  const manifestFile = (store: BareStore, digest: string) => join(store.root, V2, blobPath(digest), "data");

  it.each<[string, (file: string, store: BareStore) => void]>([
    ["empty", (file) => writeFileSync(file, "")],
    ["zeros", (file) => writeFileSync(file, Buffer.alloc(700))],
    ["cut off", (file) => writeFileSync(file, '{"schemaVersion":2,"conf')],
    ["some other JSON", (file) => writeFileSync(file, "{}")],
    [
      "an image of another digest",
      (file) => writeFileSync(file, JSON.stringify({ schemaVersion: 2, config: { digest: sha256("x") }, layers: [] })),
    ],
    [
      "a folder",
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    [
      "a link",
      (file) => {
        rmSync(file);
        symlinkSync("/etc/hostname", file);
      },
    ],
    [
      "a pipe",
      (file) => {
        rmSync(file);
        execFileSync("mkfifo", [file]);
      },
    ],
  ])("stops before anything is touched at a manifest that is %s, and names it", async (_, breakIt) => {
    for (const [tag, flags] of [
      ["tagged", ["--untagged"]],
      [undefined, []],
    ] as const) {
      const store = filled();
      const broken = store.image("broken", { layers: ["only mine"], ...(tag === undefined ? {} : { tag }) });
      breakIt(manifestFile(store, broken), store);
      const { exitCode, stdout, stderr } = await unchanged(store, () => on(store, [...STOPPED, ...flags]));
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(new RegExp(`nothing was deleted[\\s\\S]*${broken} of broken[\\s\\S]*regctl fsck`));
      expect(hasBlob(store, sha256("only mine"))).toBe(true);
    }
  });

  it.each([
    ["link", (folder: string) => symlinkSync("/etc/hostname", join(folder, "link"))],
    ["pipe", (folder: string) => execFileSync("mkfifo", [join(folder, "link")])],
    ["folder", (folder: string) => mkdirSync(join(folder, "link"))],
  ])("keeps a manifest with a %s in place of its link, and never waits for it", async (_, plant) => {
    const store = filled();
    const folder = join(store.root, V2, revisionPath("team/app", store.untagged));
    rmSync(join(folder, "link"));
    plant(folder);
    expect(await on(store, STOPPED)).toMatchObject({ exitCode: 0 });
    expect([store.untagged, sha256("old"), store.garbage].map((digest) => hasBlob(store, digest))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("reports a manifest whose blob is gone and keeps all that its repository links", async () => {
    const store = filled();
    const lost = store.image("lost", { tag: "1", layers: ["its layer"] });
    rmSync(join(store.root, V2, blobPath(lost)), { recursive: true });
    const stray = store.layer("lost", "a layer of who knows what");
    const { exitCode, stderr } = await on(store, STOPPED);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`the manifest ${lost} of lost is missing; all that lost links is kept`);
    for (const kept of [sha256("its layer"), stray, store.tagged]) expect(hasBlob(store, kept)).toBe(true);
    expect(hasBlob(store, store.garbage)).toBe(false);
    // Nor is it taken as untagged by the tags of others.
    await on(store, [...STOPPED, "--untagged"]);
    expect(hasBlob(store, sha256("its layer"))).toBe(true);
  });

  it("passes over revision folders without a link, which the API leaves, and blob folders without data", async () => {
    const store = filled();
    const deleted = store.image("team/app", { layers: ["deleted"] });
    rmSync(join(store.root, V2, revisionPath("team/app", deleted), "link"));
    const hollow = join(store.root, V2, blobPath(sha256("hollow")));
    mkdirSync(hollow, { recursive: true });
    store.age(60);
    const { data } = await answerOf<GcData>([...STOPPED, "--data", store.root]);
    expect(data).toMatchObject({ problems: [], manifests: { total: 2 }, blobs: { total: 11, deletable: 4 } });
    expect([hasBlob(store, deleted), hasBlob(store, sha256("deleted")), existsSync(hollow)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it("takes an empty link for the manifest it is named after", async () => {
    const store = filled();
    writeFileSync(join(store.root, V2, revisionPath("team/app", store.untagged), "link"), "");
    expect(await on(store, STOPPED)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 blob of 8") });
    expect(hasBlob(store, sha256("old"))).toBe(true);
  });

  it("keeps every manifest of a repository with a tag that does not say what it points at", async () => {
    const store = filled();
    store.file("repositories/team/app/_manifests/tags/cut-off/current/link", "");
    const { exitCode, stderr } = await on(store, [...STOPPED, "--untagged"]);
    expect({ exitCode, named: stderr.includes("the tag cut-off of team/app") }).toEqual({ exitCode: 0, named: true });
    expect(hasBlob(store, store.untagged)).toBe(true);
  });

  it("finds the blobs that are named by another algorithm's digest through their links", async () => {
    const alias = `sha512:${"ab".repeat(64)}`;
    const other = `sha512:${"cd".repeat(64)}`;
    const store = filled();
    const config = store.layer("sha512", "config");
    const content = (digest: string) =>
      JSON.stringify({ schemaVersion: 2, config: { digest: config, size: 6 }, layers: [{ digest, size: 5 }] });
    const layer = store.blob("layer named by sha512");
    store.file(`repositories/sha512/_layers/sha512/${hexOf(alias)}/link`, layer);
    store.manifest("sha512", content(alias), "1");
    const kept = store.layer("unnamed", "kept because it is linked");
    store.manifest("unnamed", content(other), "1");
    const { exitCode, stderr } = await on(store, STOPPED);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`no link says which blob ${other} is; all that unnamed links is kept`);
    expect(stderr).not.toContain(alias);
    expect([layer, kept, store.garbage].map((digest) => hasBlob(store, digest))).toEqual([true, true, false]);
  });

  it("does not go where links planted in the store lead", async () => {
    const store = filled();
    const victim = filled();
    const before = treeOf(victim.root);
    symlinkSync(join(victim.root, V2, "repositories"), join(store.root, V2, "repositories/linked"));
    symlinkSync(
      join(victim.root, V2, blobPath(victim.garbage)),
      join(store.root, V2, blobPath(sha256("base")), "planted"),
    );
    await on(store, [...STOPPED, "--untagged"]);
    expect(treeOf(victim.root)).toEqual(before);
  });
});

describe("gc is refused", () => {
  it.each<[string, (store: BareStore) => string[], RegExp]>([
    ["on a folder that is not there", () => ["--data", "/nonexistent/store"], /there is no folder \/nonexistent/],
    ["on a file", () => ["--data", "/etc/hostname"], /is no folder/],
    ["on a folder of something else", () => ["--data", "/etc"], /is no registry's storage/],
    [
      "on a part of the storage, with the whole named",
      ({ root }) => ["--data", join(root, V2)],
      /a part of a registry's storage\n {2}hint: give its root: --data \/tmp/,
    ],
    ["on two at once", ({ root }) => ["--data", root, "-C", root], /give one of them/],
    ["with a duration that is none", ({ root }) => ["--data", root, "--grace", "soon"], /number with a unit/],
  ])("%s", async (_, flags, problem) => {
    const store = filled();
    const result = await unchanged(store, () => run([...STOPPED, ...flags(store)]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
  });

  it("while another regctl works on the store, who is named", async () => {
    const store = filled();
    await using _lock = await lockStore(store);
    const result = await unchanged(store, () => on(store, [...STOPPED, "--timeout", "1"]));
    expect(result).toMatchObject({ exitCode: 5, stdout: "" });
    expect(result.stderr).toMatch(/is in use by regctl other\n {2}hint: wait/);
    // Looking needs no lock.
    expect(await on(store, ["gc", "--dry-run"])).toMatchObject({ exitCode: 0 });
  });

  it.runIf(process.getuid?.() === 0)("to those who may not write or not even read, with what would help", async () => {
    const store = filled();
    await asStranger(async (identity) => {
      const closed = await on(store, STOPPED, { surroundings: identity });
      expect(closed).toMatchObject({ exitCode: 1, stdout: "" });
      expect(closed.stderr).toMatch(/EACCES[\s\S]*hint: .*sudo/);
    });
    chmodSync(store.root, 0o755);
    await asStranger(async (identity) => {
      const result = await unchanged(store, () => on(store, STOPPED, { surroundings: identity }));
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result.stderr).toMatch(/\n {2}hint: .*sudo/);
      expect(await on(store, ["gc", "--dry-run"], { surroundings: identity })).toMatchObject({ exitCode: 0 });
    });
  });
});

describe("gc of a deployment", () => {
  const FLAGS = ["gc", "--grace", "0", "--settle", "0"];
  const storeIn = (deployment: Made) => bareStoreIn(join(deployment.directory, "data"));

  async function deploymentWithGarbage(): Promise<{ deployment: Made; store: BareStore; garbage: string }> {
    const deployment = await made();
    const store = storeIn(deployment);
    store.image("team/app", { tag: "1", layers: ["app"] });
    const garbage = store.blob("garbage");
    if (process.getuid?.() === 0) execFileSync("chown", ["-R", "--reference", store.root, join(store.root, "docker")]);
    return { deployment, store, garbage };
  }

  /** Of a fresh regctl.yaml, down to its end. */
  const REGISTRY = /^registry:\n[\s\S]*$/m;

  async function setCache(deployment: Made, settings: string): Promise<void> {
    await edit(deployment.directory, REGISTRY, `registry: ${settings}\n`);
  }

  const starts = ({ engine }: Made) => engine.fake.calls.filter((call) => call === "containers.start").length;

  it("works while the registry runs, restarts nothing, and is in the audit log", async () => {
    const { deployment, store, garbage } = await deploymentWithGarbage();
    const before = starts(deployment);
    const result = await run([...FLAGS, "-C", deployment.directory], { engine: deployment.engine });
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 blob of 4") });
    expect(hasBlob(store, garbage)).toBe(false);
    expect(starts(deployment)).toBe(before);
    expect(await readFile(join(deployment.directory, ".regctl/audit.log"), "utf8")).toMatch(/\bgc\b/);
  });

  it("empties a cache in the registry's memory by restarting it, exactly once, and only when something is collected", async () => {
    const { deployment, store, garbage } = await deploymentWithGarbage();
    await setCache(deployment, "{ storage: { cache: { blobdescriptor: inmemory } } }");
    const { engine } = deployment;
    const up = await run(["up", "--yes", "-C", deployment.directory], { engine });
    expect(up.exitCode).toBe(0);
    const before = starts(deployment);
    const dry = await run([...FLAGS, "--dry-run", "-C", deployment.directory], { engine });
    expect({ exitCode: dry.exitCode, starts: starts(deployment) }).toEqual({ exitCode: 0, starts: before });
    const { data } = await answerOf<GcData & { readPauseMs: number }>([...FLAGS, "-C", deployment.directory], {
      engine,
    });
    expect(data.blobs).toMatchObject({ deleted: 1 });
    expect(data.readPauseMs).toBeGreaterThan(0);
    expect(starts(deployment)).toBe(before + 1);
    expect(hasBlob(store, garbage)).toBe(false);
    await run([...FLAGS, "-C", deployment.directory], { engine });
    expect(starts(deployment)).toBe(before + 1);
  });

  it("is refused before anything is touched when it cannot empty the cache", async () => {
    const { deployment, store, garbage } = await deploymentWithGarbage();
    const unreachable = async (): Promise<Engine> => {
      throw new RegctlError("engine-unreachable", "no engine answers");
    };
    await setCache(deployment, "{ storage: { cache: { blobdescriptor: inmemory } } }");
    const down = await unchanged(store, () =>
      run([...FLAGS, "-C", deployment.directory], { surroundings: { connectEngine: unreachable } }),
    );
    expect(down).toMatchObject({ exitCode: 4, stdout: "" });
    await edit(
      deployment.directory,
      "{ blobdescriptor: inmemory } } }",
      "{ blobdescriptor: redis } }, redis: { addr: '127.0.0.1:1' } }",
    );
    const redis = await unchanged(store, () =>
      run([...FLAGS, "-C", deployment.directory], { engine: deployment.engine }),
    );
    expect(redis).toMatchObject({ exitCode: 2, stdout: "" });
    expect(redis.stderr).toMatch(/remembers blobs in redis[\s\S]*hint: remove storage.cache/);
    expect(hasBlob(store, garbage)).toBe(true);
  });

  it("says what does it for images that are no files here", async () => {
    const deployment = await made();
    await edit(deployment.directory, REGISTRY, "registry: { storage: { s3: { region: x, bucket: y } } }\n");
    const result = await run([...FLAGS, "-C", deployment.directory], { engine: deployment.engine });
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/stores its images in s3\n {2}hint: .*regctl gc --engine upstream/);
  });
});

it("takes a layer that was linked just now for the first part of a push, whatever the grace", async () => {
  const store = filled();
  const pushed = store.layer("team/app", "its manifest is on its way");
  const { data } = await answerOf<GcData & { restored: number }>([...STOPPED, "--data", store.root]);
  expect(data).toMatchObject({ restored: 1, blobs: { deletable: 2, deleted: 1 } });
  expect([hasBlob(store, pushed), hasBlob(store, store.garbage)]).toEqual([true, false]);
});

it("layer links to what was freed go with it, others stay", async () => {
  const store = filled();
  const orphan = store.layer("team/app", "orphan");
  store.age(60);
  await on(store, STOPPED);
  const isThere = (digest: string) => existsSync(join(store.root, V2, layerPath("team/app", digest)));
  expect([isThere(orphan), isThere(sha256("app"))]).toEqual([false, true]);
});
