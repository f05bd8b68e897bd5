import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BAD_REPOSITORIES } from "../support/bad-names.ts";
import { type BareStore, bareStore, revisionPath, tagPath, treeOf } from "../support/bare-store.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { answerOf, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";

function filled(): BareStore & { readonly digest: string } {
  const store = bareStore();
  const digest = store.image("team/app", { tag: "1.0", layers: ["one"] });
  store.tag("team/app", "latest", digest);
  for (const tag of ["pr-1", "pr-22", "2.0"]) store.image("team/app", { tag, layers: [tag] });
  return { ...store, digest };
}

const hasTag = (store: BareStore, tag: string) => existsSync(join(store.root, V2, tagPath("team/app", tag)));

describe("rm-tag", () => {
  it("takes the tag alone: its manifest, its sibling and every blob stay; undo brings it back", async () => {
    const store = filled();
    const before = treeOf(store.root);
    const removed = await on(store, ["rm-tag", "team/app:1.0", "--yes"]);
    const [id] = trashed(store);
    expect(removed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(removed.stdout).toMatch(
      new RegExp(`^removed team/app:1.0; it frees 0 B once it is collected\nregctl undo ${id} brings it back until`),
    );
    const gone = Object.keys(before).filter((path) => !(path in treeOf(store.root)));
    expect(gone.every((path) => path.startsWith(`${V2}/${tagPath("team/app", "1.0")}/`))).toBe(true);
    expect(existsSync(join(store.root, V2, revisionPath("team/app", store.digest), "link"))).toBe(true);
    expect(await on(store, ["undo", String(id)])).toMatchObject({ exitCode: 0, stdout: "brought back team/app:1.0\n" });
    expect(treeOf(store.root)).toEqual(before);
  });

  it("answers in JSON with the digest each tag was on, and what only they need", async () => {
    const store = filled();
    const argv = ["rm-tag", "team/app:1.0", "team/app:pr-*", "--data", store.root];
    const dry = await unchanged(store, () => answerOf([...argv, "--dry-run"]));
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    const removed = [
      { repository: "team/app", tag: "1.0", digest: store.digest },
      { repository: "team/app", tag: "pr-1", digest },
      { repository: "team/app", tag: "pr-22", digest },
    ];
    expect(dry).toEqual({
      kind: "rm-tag",
      data: { dryRun: true, removed, bytes: { reclaimable: expect.any(Number) }, trashId: null },
    });
    const real = await answerOf([...argv, "--yes"]);
    expect(real.data).toMatchObject({ dryRun: false, removed, trashId: trashed(store)[0] });
    expect(["1.0", "latest", "pr-1", "pr-22", "2.0"].map((tag) => hasTag(store, tag))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it("removes a tag named twice once, and asks about what it shows", async () => {
    const store = filled();
    const prompt = recordingPrompt({ "--yes": true });
    const result = await on(store, ["rm-tag", "team/app:latest", "team/app:l*"], { surroundings: { prompt } });
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("  team/app:latest\n") });
    expect(prompt.asked.map(({ message }) => message)).toEqual([expect.stringContaining("Remove team/app:latest")]);
    expect([hasTag(store, "latest"), hasTag(store, "1.0")]).toEqual([false, true]);
  });

  it("removes a tag that a crash left without a target", async () => {
    const store = filled();
    store.file(`${tagPath("team/app", "cut-off")}/current/link`, "");
    const { data } = await answerOf(["rm-tag", "team/app:cut-off", "--yes", "--data", store.root]);
    expect(data).toMatchObject({ removed: [{ repository: "team/app", tag: "cut-off" }] });
    expect(hasTag(store, "cut-off")).toBe(false);
  });

  it.each<readonly [string, RegExp]>([
    ...BAD_REPOSITORIES.map(([name, problem]) => [`${name}:1.0`, problem] as const),
    ["team/app", /names no tag\n {2}hint: regctl rm-tag team\/app:.*regctl rm-repo team\/app/],
    [
      `team/app@sha256:${"a".repeat(64)}`,
      /names a digest, not a tag\n {2}hint: regctl rm-image team\/app@sha256:a{64} removes/,
    ],
    [`team/app:sha256:${"a".repeat(64)}`, /does not end in a tag/],
    ["team/app:../2.0", /is no repository's name|does not end in a tag|has \.\. in it/],
    ["team/app:2.O", /has no tag 2\.O\n {2}hint: is it team\/app:2\.0\?/],
    ["team/app:nothing-like-it", /has no tag nothing-like-it\n {2}hint: regctl tags team\/app/],
    ["team/app:x*", /has no tag x\*/],
    ["team/app*", /is no repository's name/],
    ["team/*:1.0", /is no repository's name/],
    ["team/ap:1.0", /there is no repository team\/ap\n {2}hint: is it team\/app\?/],
  ])("refuses %j, and leaves the others it was given as well", async (name, problem) => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["rm-tag", "team/app:1.0", name, "--yes"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
  });

  it("names the flag when nobody can be asked", async () => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["rm-tag", "team/app:1.0"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
  });
});
