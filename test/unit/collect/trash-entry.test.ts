import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expired, purgeEntry, recoverTrash, undoEntry } from "../../../src/collect/recover.ts";
import {
  findEntry,
  moveIn,
  openEntry,
  readEntries,
  type TrashEntry,
  type TrashKind,
  writeEntry,
} from "../../../src/collect/trash-entry.ts";
import { type BareStore, bareStoreIn, tagPath, treeOf } from "../../support/bare-store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const V2 = "docker/registry/v2";
const NOW = new Date("2026-01-02T03:04:05Z");
const DAY = 86_400_000;

const storeOf = ({ root }: BareStore) => ({ root, name: root });
const removeTree = (path: string) => rm(path, { recursive: true, force: true });
const trashOf = ({ root }: BareStore) => join(root, "regctl-trash");

async function withStore(work: (store: BareStore) => void | Promise<void>): Promise<void> {
  await using folder = temporaryDirectory();
  const store = bareStoreIn(folder.path);
  store.image("a", { tag: "1", layers: ["x"] });
  store.image("a", { tag: "2", layers: ["y"] });
  await work(store);
}

function open(store: BareStore, kind: TrashKind = "rm-tag", now = NOW): TrashEntry {
  return openEntry(storeOf(store), { kind, now, keepMs: DAY, removed: [{ repository: "a", tag: "1" }] });
}

const move = (store: BareStore, { id }: TrashEntry, tag: string): boolean =>
  moveIn(storeOf(store), id, `${V2}/${tagPath("a", tag)}`, new Set());

describe("an entry of the trash", () => {
  it("says on disk what it is, for its owner alone, and until when", () =>
    withStore((store) => {
      const entry = open(store);
      expect(entry).toEqual({
        version: 1,
        id: expect.stringMatching(/^20260102-[0-9a-f]{6}$/),
        kind: "rm-tag",
        state: "open",
        created: "2026-01-02T03:04:05.000Z",
        expires: "2026-01-03T03:04:05.000Z",
        removed: [{ repository: "a", tag: "1" }],
      });
      expect(readEntries(storeOf(store))).toEqual([entry]);
      for (const folder of [trashOf(store), join(trashOf(store), entry.id)])
        expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(readdirSync(join(trashOf(store), entry.id))).toEqual(["entry.json"]);
    }));

  it("is expired from its very time on; one whose time cannot be read never is", () =>
    withStore((store) => {
      const entry = open(store);
      const at = (ms: number) => expired([entry], new Date(NOW.getTime() + ms)).length;
      expect([at(DAY - 1), at(DAY), at(10 * DAY), at(-DAY)]).toEqual([0, 1, 1, 0]);
      expect(expired([{ ...entry, expires: "some day" }], new Date())).toEqual([]);
    }));

  it("is listed in the order of its time, without what is no entry", () =>
    withStore((store) => {
      const late = open(store, "prune", new Date(NOW.getTime() + 2));
      const early = open(store, "rm-repo", new Date(NOW.getTime() + 1));
      const strange: Record<string, string> = {
        "20260101-aaaaaa": "{",
        "20260101-bbbbbb": JSON.stringify({ ...early, id: early.id }),
        "20260101-cccccc": JSON.stringify({ ...early, id: "20260101-cccccc", version: 2 }),
        "20260101-dddddd": "null",
        "not-an-id": JSON.stringify({ ...early, id: "not-an-id" }),
      };
      for (const [id, text] of Object.entries(strange)) {
        mkdirSync(join(trashOf(store), id));
        writeFileSync(join(trashOf(store), id, "entry.json"), text);
      }
      writeFileSync(join(trashOf(store), "lock"), "");
      expect(readEntries(storeOf(store)).map(({ id }) => id)).toEqual([early.id, late.id]);
    }));

  it("moves what is there, once, and says so when it is not", () =>
    withStore((store) => {
      const entry = open(store);
      expect([move(store, entry, "1"), move(store, entry, "1"), move(store, entry, "none")]).toEqual([
        true,
        false,
        false,
      ]);
      expect(existsSync(join(store.root, V2, tagPath("a", "1")))).toBe(false);
      expect(existsSync(join(trashOf(store), entry.id, V2, tagPath("a", "1"), "current/link"))).toBe(true);
    }));

  it("that is asked for by a wrong id names those there are", () =>
    withStore((store) => {
      expect(() => findEntry(storeOf(store), "x")).toThrow(
        expect.objectContaining({ code: "not-found", hint: "the trash is empty" }),
      );
      const entry = writeEntry(storeOf(store), { ...open(store), state: "kept" });
      expect(findEntry(storeOf(store), entry.id)).toEqual(entry);
      for (const id of ["20260102-ffffff", "../a", ""])
        expect(() => findEntry(storeOf(store), id)).toThrow(
          expect.objectContaining({ hint: expect.stringContaining(entry.id) }),
        );
    }));
});

describe("what a killed command left", () => {
  it("is taken back when it was still moving things in", () =>
    withStore(async (store) => {
      const before = treeOf(store.root);
      const entry = open(store);
      move(store, entry, "1");
      const { recovered } = await recoverTrash(storeOf(store), removeTree);
      expect(recovered).toEqual([`rm-tag ${entry.id}`]);
      expect(treeOf(store.root)).toEqual(before);
      expect(readdirSync(trashOf(store))).toEqual([]);
    }));

  it("is brought back for good when it was being brought back", () =>
    withStore(async (store) => {
      const before = treeOf(store.root);
      const entry = open(store);
      move(store, entry, "1");
      move(store, entry, "2");
      writeEntry(storeOf(store), { ...entry, state: "restoring" });
      await recoverTrash(storeOf(store), removeTree);
      expect(treeOf(store.root)).toEqual(before);
      expect(readdirSync(trashOf(store))).toEqual([]);
    }));

  it("is purged for good when it was being purged, also without its content", () =>
    withStore(async (store) => {
      for (const hasContent of [true, false]) {
        const entry = open(store);
        move(store, entry, hasContent ? "1" : "2");
        const after = treeOf(store.root);
        writeEntry(storeOf(store), { ...entry, state: "purging" });
        if (!hasContent) rmSync(join(trashOf(store), entry.id, "docker"), { recursive: true });
        await recoverTrash(storeOf(store), removeTree);
        expect(treeOf(store.root)).toEqual(after);
        expect(readdirSync(trashOf(store))).toEqual([]);
      }
    }));

  it("is left alone when it was complete", () =>
    withStore(async (store) => {
      const entry = open(store);
      move(store, entry, "1");
      writeEntry(storeOf(store), { ...entry, state: "kept" });
      const before = treeOf(store.root, /^$/);
      expect(await recoverTrash(storeOf(store), removeTree)).toEqual({ recovered: [] });
      expect(treeOf(store.root, /^$/)).toEqual(before);
    }));

  it("is swept when nothing had been moved yet; a folder with something in it never is", () =>
    withStore(async (store) => {
      mkdirSync(join(trashOf(store), "20260101-aaaaaa"), { recursive: true });
      mkdirSync(join(trashOf(store), "20260101-bbbbbb"));
      writeFileSync(join(trashOf(store), "20260101-bbbbbb", "entry.json.new"), "{");
      mkdirSync(join(trashOf(store), "20260101-cccccc", "docker"), { recursive: true });
      mkdirSync(join(trashOf(store), "somebody-elses"));
      await recoverTrash(storeOf(store), removeTree);
      expect(readdirSync(trashOf(store)).sort()).toEqual(["20260101-cccccc", "somebody-elses"]);
    }));

  it("keeps what was pushed since when it is taken back, and the rest in the trash", () =>
    withStore(async (store) => {
      const entry = open(store);
      move(store, entry, "1");
      const fresh = store.image("a", { tag: "1", layers: ["fresh"] });
      await recoverTrash(storeOf(store), removeTree);
      expect(treeOf(store.root)[`${V2}/${tagPath("a", "1")}/current/link`]).toContain(fresh);
      expect(readEntries(storeOf(store))).toEqual([{ ...entry, state: "kept" }]);
      // And again, without an end.
      await recoverTrash(storeOf(store), removeTree);
      expect(readEntries(storeOf(store))).toHaveLength(1);
    }));
});

describe("purging and undoing", () => {
  it("say what they do before they do it, so that killed they are finished", () =>
    withStore(async (store) => {
      const entry = open(store);
      move(store, entry, "1");
      const seen: string[] = [];
      const watch = async (path: string) => {
        seen.push(readEntries(storeOf(store))[0]?.state ?? "gone");
        await removeTree(path);
      };
      await purgeEntry(storeOf(store), writeEntry(storeOf(store), { ...entry, state: "kept" }), watch);
      // The file that says so is still there when the content goes.
      expect(seen).toEqual(["purging", "purging"]);
      expect(readdirSync(trashOf(store))).toEqual([]);
    }));

  it("leave of an entry what could not be brought back", () =>
    withStore(async (store) => {
      const removed = [
        { repository: "a", tag: "1" },
        { repository: "a", tag: "2" },
      ];
      const entry = openEntry(storeOf(store), { kind: "rm-tag", now: NOW, keepMs: DAY, removed });
      move(store, entry, "1");
      move(store, entry, "2");
      store.image("a", { tag: "2", layers: ["fresh"] });
      const kept = writeEntry(storeOf(store), { ...entry, state: "kept" });
      expect(await undoEntry(storeOf(store), kept, removeTree)).toEqual([{ repository: "a", tag: "2" }]);
      expect(readEntries(storeOf(store))).toEqual([{ ...kept, removed: [{ repository: "a", tag: "2" }] }]);
      expect(existsSync(join(store.root, V2, tagPath("a", "1"), "current/link"))).toBe(true);
    }));
});
