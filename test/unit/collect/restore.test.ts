import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restoreEntry, restorePath } from "../../../src/collect/restore.ts";
import { moveIn } from "../../../src/collect/trash-entry.ts";
import { type BareStore, bareStoreIn, tagPath, treeOf } from "../../support/bare-store.ts";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const V2 = "docker/registry/v2";

const storeOf = ({ root }: BareStore) => ({ root, name: root });

let opened = 0;
/** An entry's folder, without what is synced to the disk around it. */
function open(store: BareStore): string {
  const id = `20260102-${String(opened++).padStart(6, "0")}`;
  mkdirSync(join(store.root, "regctl-trash", id), { recursive: true });
  return id;
}

async function withStore(work: (store: BareStore) => void | Promise<void>): Promise<void> {
  await using folder = temporaryDirectory();
  await work(bareStoreIn(folder.path));
}

/** A few images, some of them in nested repositories, some shared. */
function fill(store: BareStore): void {
  for (const repository of ["a", "a/b"]) {
    const image = store.image(repository, { tag: "1", layers: ["shared", repository] });
    store.tag(repository, "2", image);
    store.index(repository, [image, store.image(repository, { layers: ["arm"] })], "multi");
    store.file(`repositories/${repository}/_uploads/u/data`, "half");
  }
}

const foldersOf = (store: BareStore): string[] =>
  Object.keys(treeOf(join(store.root, V2)))
    .filter((path) => path.endsWith("/"))
    .map((path) => `${V2}/${path.slice(0, -1)}`);

describe("what is brought back from the trash", () => {
  it("is what was there, byte for byte and mode for mode, whatever was moved out one after the other", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), (choices) =>
        withStore((store) => {
          fill(store);
          const folders = foldersOf(store);
          for (const [at, folder] of folders.entries())
            chmodSync(join(store.root, folder), [0o755, 0o700, 0o750][at % 3] as number);
          const before = treeOf(store.root);
          const ids = choices.flatMap((at) => {
            const folder = folders[at % folders.length] as string;
            if (!existsSync(join(store.root, folder))) return [];
            const id = open(store);
            moveIn(storeOf(store), id, folder, new Set());
            return [id];
          });
          expect(treeOf(store.root)).not.toEqual(before);
          // The last one first: what lay inside of something else was moved out of it before.
          for (const id of ids.toReversed()) expect(restoreEntry(storeOf(store), id)).toEqual([]);
          expect(treeOf(store.root)).toEqual(before);
        }),
      ),
      { numRuns: runs(8) },
    );
  });

  it.each([
    ["a repository's parts", ["repositories/a/_manifests", "repositories/a/_layers", "repositories/a/_uploads"]],
    ["one tag", [tagPath("a", "1")]],
    ["every tag of a repository", [tagPath("a", "1"), tagPath("a", "2"), tagPath("a", "multi")]],
    ["everything", [""]],
  ])("has the modes it had: %s", (_, paths) =>
    withStore((store) => {
      fill(store);
      for (const folder of foldersOf(store)) chmodSync(join(store.root, folder), 0o750);
      const before = treeOf(store.root);
      const id = open(store);
      for (const path of paths) moveIn(storeOf(store), id, join(V2, path), new Set());
      expect(restoreEntry(storeOf(store), id)).toEqual([]);
      expect(treeOf(store.root)).toEqual(before);
      expect(existsSync(join(store.root, "regctl-trash", id, "docker/registry/v2/repositories/a"))).toBe(false);
    }),
  );

  it("never takes the place of a tag pushed since: that is named, and the old one stays in the trash", () =>
    withStore((store) => {
      const old = store.image("a", { tag: "1", layers: ["old"] });
      const id = open(store);
      for (const part of ["_manifests", "_layers"])
        moveIn(storeOf(store), id, `${V2}/repositories/a/${part}`, new Set());
      const fresh = store.image("a", { tag: "1", layers: ["new"] });
      const conflicts = restoreEntry(storeOf(store), id);
      expect(conflicts).toEqual([{ repository: "a", tag: "1" }]);
      const link = (root: string) => readFileSync(join(root, V2, tagPath("a", "1"), "current/link"), "utf8");
      expect(link(store.root)).toBe(fresh);
      expect(link(join(store.root, "regctl-trash", id))).toBe(old);
      // Both manifests are there by digest.
      const revisions = join(store.root, V2, "repositories/a/_manifests/revisions/sha256");
      for (const digest of [old, fresh]) expect(existsSync(join(revisions, digest.slice(7), "link"))).toBe(true);
      rmSync(join(store.root, V2, tagPath("a", "1")), { recursive: true });
      expect(restoreEntry(storeOf(store), id)).toEqual([]);
      expect(link(store.root)).toBe(old);
    }));

  it("joins a tag that was pushed again on the same image, with what it pointed at before", () =>
    withStore((store) => {
      const first = store.image("a", { tag: "1", layers: ["first"] });
      const second = store.image("a", { tag: "1", layers: ["second"] });
      const id = open(store);
      moveIn(storeOf(store), id, `${V2}/${tagPath("a", "1")}`, new Set());
      store.tag("a", "1", second);
      expect(restoreEntry(storeOf(store), id)).toEqual([]);
      const former = join(store.root, V2, tagPath("a", "1"), "index/sha256");
      for (const digest of [first, second]) expect(existsSync(join(former, digest.slice(7), "link"))).toBe(true);
    }));

  it("never overwrites, whatever was made in its place meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (choices) =>
        withStore((store) => {
          fill(store);
          const before = treeOf(store.root);
          const id = open(store);
          moveIn(storeOf(store), id, V2, new Set());
          const files = Object.keys(before).filter((path) => !path.endsWith("/"));
          const made = new Map<string, string>();
          for (const at of choices) {
            const path = files[at % files.length] as string;
            store.file(path.slice(V2.length + 1), `new ${at}`);
            made.set(path, `new ${at}`);
          }
          restoreEntry(storeOf(store), id);
          for (const [path, content] of made) expect(readFileSync(join(store.root, path), "utf8")).toBe(content);
        }),
      ),
      { numRuns: runs(6) },
    );
  });

  it("can be done again after it was cut off in the middle", () =>
    withStore((store) => {
      fill(store);
      const before = treeOf(store.root);
      const id = open(store);
      moveIn(storeOf(store), id, `${V2}/repositories`, new Set());
      expect(restorePath(storeOf(store), id, `${V2}/repositories/a/_layers`)).toEqual([]);
      expect(restorePath(storeOf(store), id, `${V2}/repositories/none`)).toEqual([]);
      expect(restoreEntry(storeOf(store), id)).toEqual([]);
      expect(restoreEntry(storeOf(store), id)).toEqual([]);
      expect(treeOf(store.root)).toEqual(before);
    }));

  it("brings a link back as a link and follows none", async () => {
    await using outside = temporaryDirectory();
    await withStore((store) => {
      const victim = bareStoreIn(outside.path);
      victim.image("theirs", { tag: "1" });
      const untouched = treeOf(outside.path);
      const folder = join(store.root, V2, "repositories/a/_manifests/tags");
      mkdirSync(folder, { recursive: true });
      symlinkSync(outside.path, join(folder, "planted"));
      const id = open(store);
      moveIn(storeOf(store), id, `${V2}/repositories/a`, new Set());
      store.image("a", { tag: "1" });
      restoreEntry(storeOf(store), id);
      expect(lstatSync(join(folder, "planted")).isSymbolicLink()).toBe(true);
      expect(existsSync(join(store.root, "regctl-trash", id, dirname(V2)))).toBe(false);
      expect(treeOf(outside.path)).toEqual(untouched);
    });
  });
});
