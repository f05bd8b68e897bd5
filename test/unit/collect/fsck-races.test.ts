/** A store in use: what others do between a look and the next step. */
import { existsSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createExaminer } from "../../../src/collect/fsck-examine.ts";
import { repairStore } from "../../../src/collect/fsck-repair.ts";
import * as fsckTask from "../../../src/collect/fsck-task.ts";
import { readEntries } from "../../../src/collect/trash-entry.ts";
import { createTeam } from "../../../src/storage/team.ts";
import { setAge } from "../../support/generated-store.mjs";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { check, contentOf, handMadeStore, removeTree } from "./fsck-store.ts";

const NOWHERE = "e".repeat(64);

function examinerOf(root: string) {
  const { signal } = new AbortController();
  const team = createTeam(fsckTask, { signal, maximumThreads: 1 });
  const store = { root, name: root };
  const options = { now: () => new Date(), signal, onProgress: () => undefined };
  const examiner = createExaminer(store, team, fsckTask, { ...options, selection: { share: 1 }, settleMs: 0 });
  return { store, examiner, options: { ...options, keepMs: 1000, removeTree } };
}

describe("what was put right after it was found", () => {
  it("stays in the store", async () => {
    await using folder = temporaryDirectory();
    const store = handMadeStore(folder.path);
    const image = store.image("app", "one", "1.0");
    const gone = store.image("app", "two", "2.0");
    store.layer("app", NOWHERE);
    store.layer("ghost", image.layer);
    store.put("a blob");
    const app = (path: string) => store.inRepository("app", path);
    const upload = app("_uploads/1");
    mkdirSync(upload, { recursive: true });
    writeFileSync(`${upload}/startedat`, "2024-01-01T00:00:00Z");
    writeFileSync(`${upload}/data`, "half");
    const emptyBlob = store.data("d".repeat(64));
    mkdirSync(dirname(emptyBlob), { recursive: true });
    writeFileSync(store.data(image.layer), "damaged");
    rmSync(dirname(store.data(gone.manifest)), { recursive: true });
    const deleted = app(`_manifests/revisions/sha256/${"c".repeat(64)}`);
    mkdirSync(deleted);
    setAge(folder.path, 7200);

    const { store: where, examiner, options } = examinerOf(folder.path);
    const found = await examiner.examine();
    expect(
      found.findings
        .filter(({ repair }) => repair !== undefined)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([
      "blob-without-data",
      "corrupt-blob",
      "dangling-layer-link",
      "dangling-tag",
      "missing-manifest",
      "orphaned-layers",
      "revision-without-link",
      "stale-upload",
    ]);
    writeFileSync(store.data(image.layer), "layer of one");
    mkdirSync(dirname(store.data(NOWHERE)), { recursive: true });
    writeFileSync(store.data(NOWHERE), "uploaded meanwhile");
    store.image("app", "two", "2.0");
    store.image("ghost", "one", "1.0");
    writeFileSync(`${upload}/data`, "half and more");
    writeFileSync(emptyBlob, "written meanwhile");
    writeFileSync(`${deleted}/link`, `sha256:${"c".repeat(64)}`);
    const now = contentOf(folder.path);

    const { repaired, trashId } = await repairStore(where, examiner, found, options);
    expect(repaired).toEqual([]);
    expect(trashId).toBeUndefined();
    expect(contentOf(folder.path)).toEqual(now);
    expect(readEntries(where)).toEqual([]);
  });

  it("is not written over: a link somebody else wrote", async () => {
    await using folder = temporaryDirectory();
    const store = handMadeStore(folder.path);
    const image = store.image("app", "one", "1.0");
    const other = store.image("app", "two");
    const link = store.inRepository("app", "_manifests/tags/1.0/current/link");
    truncateSync(link);
    utimesSync(link, 1_700_000_000, 1_700_000_000);
    const { store: where, examiner, options } = examinerOf(folder.path);
    const found = await examiner.examine();
    expect(found.findings).toMatchObject([{ kind: "empty-link", digest: `sha256:${image.manifest}` }]);
    store.manifest("app", JSON.parse(contentOf(folder.path)[store.data(other.manifest)] as string), "1.0");
    const now = contentOf(folder.path);
    const { repaired } = await repairStore(where, examiner, found, options);
    expect(repaired).toEqual([]);
    expect(contentOf(folder.path)).toEqual(now);
  });
});

describe("what is only there on the first look", () => {
  it("is no problem: a push or a deletion was under way", async () => {
    await using folder = temporaryDirectory();
    const store = handMadeStore(folder.path);
    const image = store.image("app", "one", "1.0");
    const link = store.inRepository("app", `_manifests/revisions/sha256/${image.manifest}/link`);
    const partly = () => {
      truncateSync(link);
      truncateSync(store.data(image.layer));
      mkdirSync(store.inRepository("app", "_manifests/tags/2.0"));
      mkdirSync(join(dirname(dirname(store.data(image.layer))), "x"));
    };
    const whole = () => {
      store.image("app", "one", "1.0");
      rmSync(store.inRepository("app", "_manifests/tags/2.0"), { recursive: true, force: true });
      rmSync(join(dirname(dirname(store.data(image.layer))), "x"), { recursive: true, force: true });
    };
    partly();
    expect((await check(folder.path)).problems.length).toBeGreaterThanOrEqual(4);

    let asked = 0;
    const now = () => {
      asked += 1;
      // The first look asks once; what follows asks again.
      if (asked === 2) whole();
      return new Date();
    };
    expect((await check(folder.path, { settleMs: 1, now })).problems).toEqual([]);
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(existsSync(link)).toBe(true);
  });
});
