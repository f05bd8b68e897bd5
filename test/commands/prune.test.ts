import { execFileSync } from "node:child_process";
import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import {
  type BareStore,
  bareStore,
  bareStoreIn,
  blobPath,
  revisionPath,
  tagPath,
  treeOf,
} from "../support/bare-store.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { run } from "../support/run.ts";
import { answerOf, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";
const DAY = 86_400;
const ALONE = ["--no-protect-in-use", "--settle", "0"];

const unreachable = async (): Promise<Engine> => {
  throw new RegctlError("engine-unreachable", "no engine answers", { hint: "start it" });
};

/** Sets when a tag was pushed. */
function pushed(store: BareStore, repository: string, tag: string, daysAgo: number): void {
  const time = Date.now() / 1000 - daysAgo * DAY;
  utimesSync(join(store.root, V2, tagPath(repository, tag), "current/link"), time, time);
}

/** Tags 1 to 4 of a repository, pushed that many days ago. */
function fill(store: BareStore, ...repositories: readonly string[]): void {
  for (const repository of repositories) {
    for (const days of [1, 2, 3, 4]) {
      store.image(repository, { tag: `v${days}`, layers: ["base", `${repository} ${days}`] });
    }
  }
  store.age(30 * DAY);
  for (const repository of repositories) for (const days of [1, 2, 3, 4]) pushed(store, repository, `v${days}`, days);
}

function filled(): BareStore {
  const store = bareStore();
  fill(store, "team/app", "team/api");
  return store;
}

const tags = (store: BareStore, repository: string): string[] =>
  ["v1", "v2", "v3", "v4"].filter((tag) => existsSync(join(store.root, V2, tagPath(repository, tag))));

interface PruneData {
  readonly tags: object;
  readonly removed: readonly { readonly repository: string; readonly tag?: string; readonly digest: string }[];
  readonly bytes: { readonly reclaimable: number };
  readonly trashId: string | null;
}

describe("prune of a bare store", () => {
  it("only shows what would go, with its reason and its bytes, unless told to apply it", async () => {
    const store = filled();
    const { exitCode, stdout } = await unchanged(store, () =>
      on(store, ["prune", "--keep", "3", "--repo", "team/app", ...ALONE]),
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^IMAGE +BECAUSE\nteam\/app:v4 +rule 1 .*\nwould remove 1 of 8 tags, which frees \d.* once it is collected\nNothing was changed; add --apply to remove them\n$/,
    );
    expect(existsSync(join(store.root, "regctl-trash"))).toBe(false);
  });

  it("leaves alone what a removed tag needs as long as that can be brought back", async () => {
    const store = filled();
    await on(store, ["rm-tag", "team/app:v4", "--yes"]);
    const argv = ["prune", "--untagged", "1h", ...ALONE, "--data", store.root];
    expect((await answerOf<PruneData>(argv)).data.removed).toEqual([]);
    await on(store, ["trash", "purge", "--yes", "--confirm", "all"]);
    expect((await answerOf<PruneData>(argv)).data.removed).toMatchObject([{ repository: "team/app" }]);
  });

  it("answers in JSON the same before and after it is applied; the bytes are what gc then frees", async () => {
    const store = filled();
    const argv = ["prune", "--keep", "2", ...ALONE, "--data", store.root];
    const { kind, data } = await unchanged(store, () => answerOf<PruneData>(argv));
    const removed = ["team/api", "team/app"].flatMap((repository) =>
      ["v3", "v4"].map((tag) => ({ repository, tag, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })),
    );
    expect({ kind, data: { ...data, removed: data.removed.slice(0, 4) } }).toMatchObject({
      kind: "prune",
      data: { dryRun: true, repositories: 2, tags: { total: 8, removed: 4 }, trashId: null },
    });
    const withTags = data.removed.filter(({ tag }) => tag !== undefined);
    expect([...withTags].sort((a, b) => `${a.repository}${a.tag}`.localeCompare(`${b.repository}${b.tag}`))).toEqual(
      removed,
    );
    const applied = await answerOf<PruneData>([...argv, "--apply", "--yes"]);
    expect(applied.data).toMatchObject({ dryRun: false, removed: data.removed, bytes: data.bytes });
    const [id] = trashed(store);
    expect(applied.data.trashId).toBe(id);
    expect([tags(store, "team/app"), tags(store, "team/api")]).toEqual([
      ["v1", "v2"],
      ["v1", "v2"],
    ]);
    await on(store, ["trash", "purge", "--yes", "--confirm", "all"]);
    const gc = await answerOf<{ bytes: object }>(["gc", "--stopped", "--grace", "0", "--data", store.root]);
    expect(gc.data.bytes).toMatchObject({ reclaimed: data.bytes.reclaimable });
  });

  it("is taken back by undo, byte for byte", async () => {
    const store = filled();
    const before = treeOf(store.root);
    const applied = await on(store, ["prune", "--keep", "0", "--apply", "--yes", ...ALONE]);
    const [id] = trashed(store);
    expect(applied.stdout).toMatch(
      new RegExp(`^removed 8 of 8 tags, which frees .* once it is collected\nregctl undo ${id} brings them back until`),
    );
    expect(tags(store, "team/app")).toEqual([]);
    expect(await on(store, ["undo", String(id)])).toMatchObject({ exitCode: 0 });
    expect(treeOf(store.root)).toEqual(before);
  });

  it("keeps what flags protect, filters by tag and repository, and goes by age", async () => {
    const store = filled();
    const removed = async (...flags: string[]) => {
      const { data } = await answerOf<PruneData>(["prune", ...flags, ...ALONE, "--data", store.root]);
      return data.removed.flatMap(({ repository, tag }) => (tag === undefined ? [] : [`${repository}:${tag}`])).sort();
    };
    expect(await removed("--newer-than", "60h", "--repo", "team/app")).toEqual(["team/app:v3", "team/app:v4"]);
    expect(await removed("--keep", "1", "--tags", "v[34]", "--repo", "team/a*i")).toEqual(["team/api:v4"]);
    expect(await removed("--keep", "3", "--protect", "team/app:v4")).toEqual(["team/api:v4"]);
  });

  it("tells which rule decided about an image", async () => {
    const store = filled();
    const explained = await unchanged(store, () =>
      on(store, ["prune", "--keep", "3", "--explain", "team/app:v4", ...ALONE]),
    );
    expect(explained.stdout).toMatch(/^IMAGE +VERDICT +BECAUSE\nteam\/app:v4 +removed +rule 1 \(\*\*\): .*\n$/);
    const { kind, data } = await answerOf([
      "prune",
      "--keep",
      "3",
      "--explain",
      "team/app:v1",
      ...ALONE,
      "--data",
      store.root,
    ]);
    expect({ kind, data }).toMatchObject({
      kind: "prune-explain",
      data: { repository: "team/app", verdicts: [{ tag: "v1", keep: true, rule: { index: 1 } }] },
    });
    const unknown = await on(store, ["prune", "--keep", "3", "--explain", "team/app:v9", ...ALONE]);
    expect(unknown).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("takes untagged manifests when told, but nothing an index or a subject needs", async () => {
    const store = bareStore();
    const child = store.image("multi", { layers: ["amd"] });
    store.index("multi", [child], "1");
    const sbom = store.image("multi", { layers: ["sbom"], subject: child });
    const lost = store.image("multi", { layers: ["lost"] });
    const young = store.image("multi", { layers: ["young"] });
    store.age(30 * DAY);
    utimesSync(join(store.root, V2, revisionPath("multi", young), "link"), new Date(), new Date());
    const { data } = await answerOf<PruneData>([
      "prune",
      "--untagged",
      ...ALONE,
      "--apply",
      "--yes",
      "--data",
      store.root,
    ]);
    expect(data.removed).toEqual([{ repository: "multi", digest: lost }]);
    const linked = (digest: string) => existsSync(join(store.root, V2, revisionPath("multi", digest), "link"));
    expect([child, sbom, young, lost].map(linked)).toEqual([true, true, true, false]);
  });

  it("asks before it removes, and names the flag when nobody can be asked", async () => {
    const store = filled();
    const argv = ["prune", "--keep", "3", "--apply", ...ALONE];
    const unattended = await unchanged(store, () => on(store, argv));
    expect(unattended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
    const no = await unchanged(store, () => on(store, argv, { surroundings: { prompt: recordingPrompt() } }));
    expect(no).toMatchObject({ exitCode: 1, stdout: "" });
    const prompt = recordingPrompt({ "--yes": true });
    const yes = await on(store, [...argv, "-q"], { surroundings: { prompt } });
    expect(yes).toMatchObject({ exitCode: 0, stdout: `${trashed(store)[0]}\n` });
    expect(prompt.asked).toEqual([
      expect.objectContaining({ default: false, message: expect.stringMatching(/2 of 8 tags/) }),
    ]);
  });

  it.each<[string, (file: string) => void]>([
    ["empty", (file) => writeFileSync(file, "")],
    ["cut off", (file) => writeFileSync(file, '{"schemaVersion":2,')],
    ["some other JSON", (file) => writeFileSync(file, "{}")],
  ])("stops before anything is touched at a manifest that is %s, and names it", async (_, breakIt) => {
    const store = filled();
    const broken = store.index("team/app", [store.image("team/app", { layers: ["x"] })], "v9");
    breakIt(join(store.root, V2, blobPath(broken), "data"));
    const result = await unchanged(store, () => on(store, ["prune", "--keep", "1", "--apply", "--yes", ...ALONE]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(new RegExp(`${broken} of team/app[\\s\\S]*regctl fsck`));
  });

  it.each<[string, string[], RegExp]>([
    ["no rule", [], /no rule that says what to keep\n {2}hint: .*--keep 10/],
    ["a number that is none", ["--keep", "ten"], /whole number/],
    ["an age that is none", ["--newer-than", "soon"], /--newer-than/],
    ["a filter without a rule", ["--tags", "v*"], /does not say what stays/],
    ["a name that leads out", ["--keep", "1", "--explain", "../../etc"], /has \.\. in it/],
    ["a storage that is none", ["--keep", "1", "--data", "/etc"], /no registry's storage/],
  ])("refuses %s", async (_, flags, problem) => {
    const store = filled();
    const result = await unchanged(store, () =>
      run(["prune", "--data", store.root, ...flags, ...ALONE, "--apply", "--yes"]),
    );
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
  });
});

describe("what containers and services use", () => {
  const HOST = "localhost:5000";

  it("is kept by its digest, whatever name they know the registry by", async () => {
    const store = bareStore();
    const used = store.image("team/app", { tag: "v4", layers: ["used"] });
    fill(store, "team/app");
    store.tag("team/app", "v4", used);
    pushed(store, "team/app", "v4", 4);
    const engine = new FakeEngine({ images: ["registry:2"] });
    engine.addService("web", `${HOST}/team/app:any@${used}`);
    const argv = ["prune", "--keep", "1", "--settle", "0"];
    const { stdout } = await on(store, argv, { engine });
    expect(stdout).toContain("would remove 2 of 4 tags");
    expect(stdout).not.toContain("team/app:v4");
    engine.isClosed = false;
    const explained = await on(store, [...argv, "--explain", "team/app:v4"], { engine });
    expect(explained.stdout).toMatch(/team\/app:v4 +kept +.*service web/);
  });

  it("cannot be known without the engine: that stops it, with the flag that goes without", async () => {
    const store = filled();
    for (const flags of [[], ["--apply", "--yes"]]) {
      const result = await unchanged(store, () =>
        on(store, ["prune", "--keep", "1", ...flags], { surroundings: { connectEngine: unreachable } }),
      );
      expect(result).toMatchObject({ exitCode: 4, stdout: "" });
      expect(result.stderr).toMatch(/what containers use cannot be asked[\s\S]*hint: .*--no-protect-in-use/);
    }
  });
});

describe("prune of a deployment", () => {
  let deployment: Made;
  let store: BareStore;
  beforeAll(async () => {
    deployment = await made();
    store = bareStoreIn(join(deployment.directory, "data"));
    fill(store, "team/app");
    if (process.getuid?.() === 0)
      execFileSync("chown", ["-R", `--reference=${store.root}`, join(store.root, "docker")]);
  }, 60_000);

  it("goes by what regctl.yaml says; a tag in use by this registry's name is kept", async () => {
    const { engine, directory, port } = deployment;
    const none = await run(["prune", "-C", directory], { engine });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("write retention: into regctl.yaml") });
    await edit(
      directory,
      /^registry:\n/m,
      "retention:\n  protect: ['team/app:v3']\n  rules:\n    - repositories: ['team/*']\n      keep: { newest: 1 }\nregistry:\n",
    );
    engine.fake.addService("api", `localhost:${port}/team/app:v4`);
    const argv = ["prune", "--settle", "0", "-C", directory];
    const preview = await answerOf<PruneData>(argv, { engine });
    expect(preview.data.removed.flatMap(({ tag }) => tag ?? [])).toEqual(["v2"]);
    const applied = await run([...argv, "--apply", "--yes"], { engine });
    expect(applied).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("removed 1 of 4 tags") });
    expect(tags(store, "team/app")).toEqual(["v1", "v3", "v4"]);
    expect(await run(["undo", String(trashed(store)[0]), "-C", directory], { engine })).toMatchObject({ exitCode: 0 });
    expect(tags(store, "team/app")).toEqual(["v1", "v2", "v3", "v4"]);
  });
});
