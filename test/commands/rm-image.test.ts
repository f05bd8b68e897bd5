import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BAD_REPOSITORIES } from "../support/bad-names.ts";
import { type BareStore, bareStore, blobPath, hexOf, revisionPath, tagPath, treeOf } from "../support/bare-store.ts";
import { answerOf, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";

/** An image with two tags, a signature and an SBOM, beside an index of two platforms. */
function filled() {
  const store = bareStore();
  const digest = store.image("team/app", { tag: "1.0", layers: ["one"] });
  store.tag("team/app", "latest", digest);
  const sbom = store.image("team/app", { layers: ["sbom"], subject: digest });
  const signature = `sha256-${hexOf(digest)}.sig`;
  const signed = store.image("team/app", { tag: signature, layers: ["signature"] });
  const child = store.image("team/app", { layers: ["amd"] });
  const multi = store.index("team/app", [child, store.image("team/app", { layers: ["arm"] })], "multi");
  return { ...store, digest, sbom, signature, signed, child, multi };
}

const isLinked = (store: BareStore, digest: string) =>
  existsSync(join(store.root, V2, revisionPath("team/app", digest), "link"));
const hasTag = (store: BareStore, tag: string) => existsSync(join(store.root, V2, tagPath("team/app", tag)));

describe("rm-image", () => {
  it.each(["tag", "digest"])(
    "by its %s takes a manifest with its tags, signature and SBOM; undo brings all back",
    async (by) => {
      const store = filled();
      const before = treeOf(store.root);
      const name = by === "tag" ? "team/app:1.0" : `team/app@${store.digest}`;
      const argv = ["rm-image", name, "--data", store.root];
      const removed = [
        { repository: "team/app", tag: "1.0", digest: store.digest },
        { repository: "team/app", tag: "latest", digest: store.digest },
        { repository: "team/app", tag: store.signature, digest: store.signed },
        ...[store.digest, store.sbom, store.signed].map((digest) => ({ repository: "team/app", digest })),
      ];
      const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
      const dry = await unchanged(store, () => answerOf<{ removed: object[] }>([...argv, "--dry-run"]));
      expect(sorted(dry.data.removed)).toEqual(sorted(removed));
      const real = await answerOf<{ removed: object[]; bytes: { reclaimable: number } }>([...argv, "--yes"]);
      expect(real).toMatchObject({ kind: "rm-image", data: { dryRun: false, trashId: trashed(store)[0] } });
      expect(sorted(real.data.removed)).toEqual(sorted(removed));
      expect(
        [store.digest, store.sbom, store.signed, store.child, store.multi].map((one) => isLinked(store, one)),
      ).toEqual([false, false, false, true, true]);
      expect(["1.0", "latest", store.signature, "multi"].map((tag) => hasTag(store, tag))).toEqual([
        false,
        false,
        false,
        true,
      ]);
      expect(await on(store, ["undo", String(trashed(store)[0])])).toMatchObject({ exitCode: 0 });
      expect(treeOf(store.root)).toEqual(before);
    },
  );

  it("says in words and with -q what it did", async () => {
    const store = filled();
    const text = await on(store, ["rm-image", "team/app:multi", "--yes"]);
    expect(text.stdout).toMatch(
      /^removed 2:\n {2}team\/app:multi\n {2}team\/app@sha256:[0-9a-f]{64}\n; it frees .*\nregctl undo /,
    );
    const quiet = await on(store, ["rm-image", "team/app:1.0", "--yes", "-q"]);
    expect(trashed(store)).toContain(quiet.stdout.trim());
  });

  it("refuses a platform of an index that stays, and names the index and what to do", async () => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["rm-image", `team/app@${store.child}`, "--yes"]));
    expect(result).toMatchObject({ exitCode: 5, stdout: "" });
    expect(result.stderr).toMatch(
      new RegExp(
        `a platform of the index ${store.multi} \\(team/app:multi\\)[\\s\\S]*hint: .*rm-image team/app@${store.multi}`,
      ),
    );
  });

  it("stops before anything is touched while a manifest of the repository cannot be read, and names it", async () => {
    for (const content of ["", "{", '{"config":null}', "\0\0\0"]) {
      const store = filled();
      writeFileSync(join(store.root, V2, blobPath(store.multi), "data"), content);
      const result = await unchanged(store, () => on(store, ["rm-image", `team/app@${store.child}`, "--yes"]));
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(new RegExp(`${store.multi} of team/app cannot be read[\\s\\S]*regctl fsck`));
    }
  });

  it.each<readonly [string, RegExp]>([
    ...BAD_REPOSITORIES,
    [`team/app:${"a".repeat(64)}`, /team\/app has no tag a{64}/],
    [`team/app:sha256:${"a".repeat(64)}`, /does not end in a tag/],
    ["team/app@1.0", /does not end in a digest/],
    [`team/app@sha256:${"a".repeat(64)}`, /team\/app has no manifest sha256:a{64}/],
    [`team/app@sha512:${"a".repeat(128)}`, /team\/app has no sha512/],
    ["team/app", /team\/app has no tag latest/],
    ["team/app:3.0", /team\/app has no tag 3\.0/],
    ["team/ap:1.0", /there is no repository team\/ap\n {2}hint: is it team\/app\?/],
  ])("refuses %j", async (name, problem) => {
    const store = filled();
    await on(store, ["rm-tag", "team/app:latest", "--yes"]);
    const result = await unchanged(store, () => on(store, ["rm-image", "team/app:1.0", name, "--yes"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
  });

  it("names the flag when nobody can be asked", async () => {
    const store = filled();
    const result = await unchanged(store, () => on(store, ["rm-image", "team/app:1.0"]));
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
  });
});
