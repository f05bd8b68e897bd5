import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BAD_REPOSITORIES } from "../support/bad-names.ts";
import { type BareStore, bareStore, bareStoreIn, blobPath, tagPath, treeOf } from "../support/bare-store.ts";
import { made } from "../support/made-deployment.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { run } from "../support/run.ts";
import { answerOf, lockStore, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";
const BIG = "x".repeat(64 * 1024);

/** Names that are prefixes of one another, nested ones, and bytes that only one of them needs. */
function filled(): BareStore {
  const store = bareStore();
  for (const name of ["team/app", "team/app-2", "team/app/nested", "team/ap"])
    store.image(name, { tag: "1", layers: ["shared", name === "team/app" ? BIG : name] });
  store.file("repositories/team/app/_uploads/half/data", "half");
  return store;
}

const names = (store: BareStore): string[] =>
  Object.keys(treeOf(join(store.root, V2, "repositories")))
    .filter((path) => path.endsWith("/_manifests/"))
    .map((path) => path.slice(0, -"/_manifests/".length))
    .sort();

interface RemovalData {
  readonly removed: readonly object[];
  readonly bytes: { readonly reclaimable: number | null };
  readonly trashId: string | null;
}

describe("rm-repo", () => {
  it("moves a repository to the trash, nested and similar ones stay; undo brings it back byte for byte", async () => {
    const store = filled();
    const before = treeOf(store.root);
    const removed = await on(store, ["rm-repo", "team/app", "--yes"]);
    const [id] = trashed(store);
    expect(removed.stdout).toMatch(
      new RegExp(
        `^removed team/app; it frees 65 KiB once it is collected\nregctl undo ${id} brings it back until 20[0-9T:.-]+Z\n$`,
      ),
    );
    expect(removed.exitCode).toBe(0);
    expect(names(store)).toEqual(["team/ap", "team/app-2", "team/app/nested"]);
    expect(existsSync(join(store.root, V2, "repositories/team/app/_uploads"))).toBe(false);
    // The trash has the same layout, so nothing is lost if regctl is.
    expect(existsSync(join(store.root, "regctl-trash", String(id), V2, tagPath("team/app", "1")))).toBe(true);
    const undone = await on(store, ["undo", String(id)]);
    expect(undone).toEqual({ exitCode: 0, stdout: "brought back team/app\n", stderr: "" });
    expect(treeOf(store.root)).toEqual(before);
    expect(trashed(store)).toEqual([]);
  });

  it("answers in JSON what it removed, what it frees, and how to bring it back", async () => {
    const store = filled();
    const argv = ["rm-repo", "team/app", "team/ap", "--data", store.root];
    const now = new Date("2026-11-01T00:00:00Z");
    const dry = await unchanged(store, () => answerOf<RemovalData>([...argv, "--dry-run"], { now }));
    const removed = [{ repository: "team/app" }, { repository: "team/ap" }];
    expect(dry).toEqual({
      kind: "rm-repo",
      data: { dryRun: true, removed, bytes: { reclaimable: expect.any(Number) }, trashId: null },
    });
    expect(dry.data.bytes.reclaimable).toBeGreaterThan(BIG.length);
    const real = await answerOf<RemovalData>([...argv, "--yes", "--keep", "1d"], { now });
    expect(real).toEqual({
      kind: "rm-repo",
      data: {
        dryRun: false,
        removed,
        bytes: dry.data.bytes,
        trashId: trashed(store)[0],
        expires: "2026-11-02T00:00:00.000Z",
      },
    });
  });

  it("frees exactly the bytes it named once it is purged and collected", async () => {
    const store = filled();
    store.age(60);
    const size = () => Object.values(treeOf(join(store.root, V2, "blobs"))).join("").length;
    const before = size();
    const { data } = await answerOf<RemovalData>(["rm-repo", "team/app", "--yes", "--data", store.root]);
    const [id] = trashed(store);
    const purged = await on(store, ["trash", "purge", String(id), "--yes", "--confirm", String(id)]);
    expect(purged).toEqual({ exitCode: 0, stdout: "purged 1; `regctl gc` frees the blobs\n", stderr: "" });
    const gc = await answerOf<{ bytes: object }>(["gc", "--stopped", "--grace", "0", "--data", store.root]);
    expect(gc.data.bytes).toEqual({ reclaimable: data.bytes.reclaimable, reclaimed: data.bytes.reclaimable });
    expect(before - size()).toBeGreaterThanOrEqual(Number(data.bytes.reclaimable));
  });

  it("takes globs, and shows what they mean before it asks", async () => {
    const store = filled();
    const prompt = recordingPrompt({ "--yes": true });
    const { exitCode, stderr } = await on(store, ["rm-repo", "team/ap*"], { surroundings: { prompt } });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("  team/ap\n  team/app\n  team/app-2\n");
    expect(prompt.asked).toEqual([
      expect.objectContaining({
        kind: "confirm",
        flag: "--yes",
        default: false,
        message: expect.stringMatching(/^Remove these 3; it frees .*\? It can be brought back/),
      }),
    ]);
    expect(names(store)).toEqual(["team/app/nested"]);
    await on(store, ["undo", String(trashed(store)[0])]);
    expect(await on(store, ["rm-repo", "team/app/*", "--yes", "--no-sizes"])).toMatchObject({ exitCode: 0 });
    expect(names(store)).toEqual(["team/ap", "team/app", "team/app-2"]);
    // None included: the repository itself is one of those below it.
    expect(await on(store, ["rm-repo", "team/app/**", "--yes", "--no-sizes"])).toMatchObject({ exitCode: 0 });
    expect(names(store)).toEqual(["team/ap", "team/app-2"]);
  });

  it("prints the entry of the trash alone with -q, and leaves sizes out when told", async () => {
    const store = filled();
    const quiet = await on(store, ["rm-repo", "team/ap", "--yes", "-q"]);
    expect(quiet).toEqual({ exitCode: 0, stdout: `${trashed(store)[0]}\n`, stderr: "" });
    const { data } = await answerOf<RemovalData>(["rm-repo", "team/app", "--yes", "--no-sizes", "--data", store.root]);
    expect(data.bytes).toEqual({ reclaimable: null });
  });

  it("changes nothing when the answer is no, or nobody can be asked: then it names the flag", async () => {
    const store = filled();
    const declined = await unchanged(store, () =>
      on(store, ["rm-repo", "team/app"], { surroundings: { prompt: recordingPrompt() } }),
    );
    expect(declined).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("nothing was changed") });
    const unattended = await unchanged(store, () => on(store, ["rm-repo", "team/app"]));
    expect(unattended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
  });

  it("removes for good with --purge, for which the first name has to be typed", async () => {
    const store = filled();
    const yesAlone = await unchanged(store, () => on(store, ["rm-repo", "team/app", "--purge", "--yes"]));
    expect(yesAlone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--yes --confirm team/app") });
    const wrong = await unchanged(store, () =>
      on(store, ["rm-repo", "team/app", "--purge", "--yes", "--confirm", "team"]),
    );
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is not team/app") });
    const purged = await on(store, ["rm-repo", "team/app", "--purge", "--yes", "--confirm", "team/app"]);
    expect(purged).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("`regctl gc` frees its blobs now") });
    expect(trashed(store)).toEqual([]);
    expect(names(store)).toEqual(["team/ap", "team/app-2", "team/app/nested"]);
  });

  it("gets rid of a repository that cannot be read", async () => {
    const store = filled();
    const broken = store.image("broken", { tag: "1", layers: ["b"] });
    writeFileSync(join(store.root, V2, blobPath(broken), "data"), "{");
    expect(await on(store, ["rm-repo", "broken", "--yes"])).toMatchObject({ exitCode: 0 });
    expect(names(store)).not.toContain("broken");
  });

  it("leaves what was pushed meanwhile alone when it is brought back, and says how to have the old one", async () => {
    const store = filled();
    await on(store, ["rm-repo", "team/app", "--yes"]);
    const [id] = trashed(store);
    const fresh = store.image("team/app", { tag: "1", layers: ["fresh"] });
    const undone = await on(store, ["undo", String(id)]);
    expect(undone.exitCode).toBe(5);
    expect(undone.stdout).toContain(
      `kept team/app:1 as it was pushed since; to have the old one: regctl rm-tag team/app:1 && regctl undo ${id}`,
    );
    const link = join(store.root, V2, tagPath("team/app", "1"), "current/link");
    expect(readFileSync(link, "utf8")).toBe(fresh);
    await on(store, ["rm-tag", "team/app:1", "--yes"]);
    expect(await on(store, ["undo", String(id)])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(link, "utf8")).not.toBe(fresh);
  });
});

describe("rm-repo refuses", () => {
  it.each<readonly [string, RegExp]>([
    ...BAD_REPOSITORIES,
    ["team/app:1", /names an image, not a repository\n {2}hint: regctl rm-tag team\/app:1/],
    [`team/app@sha256:${"a".repeat(64)}`, /names an image, not a repository\n {2}hint: regctl rm-image/],
    ["team", /there is no repository team\n {2}hint: .*below it are team\/ap, team\/app/],
    ["team/aap", /there is no repository team\/aap\n {2}hint: is it team\/ap/],
    ["app-2", /there is no repository app-2\n {2}hint: is it team\/app-2\?/],
    ["nothing/like/it", /there is no repository nothing\/like\/it\n {2}hint: .*regctl repos/],
    ["scratch/**", /no repository matches "scratch\/\*\*"/],
    ["[", /\[/],
  ])("%j", async (name, problem) => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["rm-repo", "team/app", name, "--yes"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
  });

  it("while another regctl works on the store", async () => {
    const store = filled();
    await using _lock = await lockStore(store);
    const result = await unchanged(store, () => on(store, ["rm-repo", "team/app", "--yes", "--timeout", "1"]));
    expect(result).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("in use by regctl other") });
  });
});

it("rm-repo of a deployment knows its names by the registry's host too, asks no engine, and is in the audit log", async () => {
  const deployment = await made();
  const store = bareStoreIn(join(deployment.directory, "data"));
  store.image("team/app", { tag: "1" });
  if (process.getuid?.() === 0) {
    const { execFileSync } = await import("node:child_process");
    execFileSync("chown", ["-R", `--reference=${store.root}`, join(store.root, "docker")]);
  }
  const argv = ["-C", deployment.directory, "--yes"];
  const calls = deployment.engine.fake.calls.length;
  const result = await run(["rm-repo", `localhost:${deployment.port}/team/app`, ...argv], {
    engine: deployment.engine,
  });
  expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("removed team/app") });
  expect(names(store)).toEqual([]);
  expect(deployment.engine.fake.calls.length).toBe(calls);
  expect(await readFile(join(deployment.directory, ".regctl/audit.log"), "utf8")).toContain("rm-repo");
  expect(await run(["undo", String(trashed(store)[0]), ...argv])).toMatchObject({ exitCode: 0 });
  expect(names(store)).toEqual(["team/app"]);
});
