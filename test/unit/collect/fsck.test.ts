import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FsckProblem } from "../../../src/collect/fsck.ts";
import { recoverTrash, undoEntry } from "../../../src/collect/recover.ts";
import { findEntry, openEntry, readEntries, writeEntry } from "../../../src/collect/trash-entry.ts";
import { setAge } from "../../support/generated-store.mjs";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { check, contentOf, type HandMadeStore, handMadeStore, hexOf, type Image, removeTree } from "./fsck-store.ts";

const TWO_HOURS = 7200;
const NOWHERE = "f".repeat(64);

interface Scene {
  readonly store: HandMadeStore;
  /** `team/app:1.0`, and the first child of `team/app:multi`. */
  readonly image: Image;
  readonly other: Image;
  readonly index: string;
  readonly app: (path: string) => string;
}

function scene(root: string): Scene {
  const store = handMadeStore(root);
  const image = store.image("team/app", "amd64", "1.0");
  const other = store.image("team/app", "arm64");
  const index = store.index("team/app", [image.manifest, other.manifest], "multi");
  store.image("team/app/nested", "nested", "latest");
  mkdirSync(store.inRepository("team/app", "_uploads"));
  return { store, image, other, index, app: (path) => store.inRepository("team/app", path) };
}

const revision = (hex: string) => `_manifests/revisions/sha256/${hex}`;
const layer = (hex: string) => `_layers/sha256/${hex}`;
const brief = ({ kind, repository, tag, digest, repairable }: FsckProblem) =>
  [kind, repository ?? "-", tag ?? "-", digest ?? "-", repairable ? "repairable" : "lost"].join(" ");

interface Case {
  readonly name: string;
  readonly damage: (scene: Scene) => void;
  /** `kind repository tag digest repairable`. */
  readonly found: (scene: Scene) => readonly string[];
  /** What a repair leaves; nothing unless told. */
  readonly left?: (scene: Scene) => readonly string[];
  /** A link that was written right stays when the repair is undone. */
  readonly isHealed?: true;
}

const CASES: readonly Case[] = [
  {
    name: "a manifest that was cut off",
    damage: ({ store, image }) => truncateSync(store.data(image.manifest), 40),
    found: ({ image }) => [`corrupt-manifest team/app 1.0 sha256:${image.manifest} repairable`],
    // Its revision and its tag go with it; the index had named it.
    left: ({ image }) => [`missing-blob team/app multi sha256:${image.manifest} lost`],
  },
  {
    name: "a link to a blob that is no manifest",
    damage: ({ store, image, app }) => {
      mkdirSync(app(revision(image.layer)));
      writeFileSync(app(`${revision(image.layer)}/link`), `sha256:${image.layer}`);
      expect(existsSync(store.data(image.layer))).toBe(true);
    },
    found: ({ image }) => [`corrupt-manifest team/app - sha256:${image.layer} repairable`],
  },
  {
    name: "a layer with a bit turned",
    damage: ({ store, image }) => writeFileSync(store.data(image.layer), "Layer of amd64"),
    found: ({ image }) => [`corrupt-blob team/app 1.0 sha256:${image.layer} repairable`],
    left: ({ image }) => [`missing-blob team/app 1.0 sha256:${image.layer} lost`],
  },
  {
    name: "a damaged blob nobody needs",
    damage: ({ store }) => writeFileSync(store.data(store.put("nobody's")), "somebody's"),
    found: () => [`corrupt-blob - - sha256:${hexOf("nobody's")} repairable`],
  },
  {
    name: "a layer that is gone",
    damage: ({ store, image }) => rmSync(dirname(store.data(image.layer)), { recursive: true }),
    found: ({ image }) => [`missing-blob team/app 1.0 sha256:${image.layer} lost`],
    left: ({ image }) => [`missing-blob team/app 1.0 sha256:${image.layer} lost`],
  },
  {
    name: "a manifest that is gone, with its tag",
    damage: ({ store, index }) => rmSync(dirname(store.data(index)), { recursive: true }),
    found: ({ index }) => [
      `missing-manifest team/app multi sha256:${index} repairable`,
      `dangling-tag team/app multi sha256:${index} repairable`,
    ],
  },
  {
    name: "a tag whose manifest was deleted",
    damage: ({ app, index }) => rmSync(app(`${revision(index)}/link`)),
    found: ({ index }) => [`dangling-tag team/app multi sha256:${index} repairable`],
  },
  {
    name: "a tag without a link",
    damage: ({ app }) => rmSync(app("_manifests/tags/1.0/current/link")),
    found: ({ image }) => [`dangling-tag team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "a tag with an empty link and one former target",
    damage: ({ app }) => truncateSync(app("_manifests/tags/1.0/current/link")),
    found: ({ image }) => [`empty-link team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "a tag with an empty link and no history",
    damage: ({ app }) => {
      truncateSync(app("_manifests/tags/1.0/current/link"));
      rmSync(app("_manifests/tags/1.0/index"), { recursive: true });
    },
    found: () => ["empty-link team/app 1.0 - repairable"],
  },
  {
    name: "a tag with an empty link that may have been either of two manifests",
    damage: ({ app, other }) => {
      truncateSync(app("_manifests/tags/1.0/current/link"));
      mkdirSync(app(`_manifests/tags/1.0/index/sha256/${other.manifest}`));
      writeFileSync(app(`_manifests/tags/1.0/index/sha256/${other.manifest}/link`), `sha256:${other.manifest}`);
    },
    found: () => ["empty-link team/app 1.0 - lost"],
    left: () => ["empty-link team/app 1.0 - lost"],
  },
  {
    name: "a tag whose link names no digest",
    damage: ({ app }) => writeFileSync(app("_manifests/tags/1.0/current/link"), "latest\n"),
    found: ({ image }) => [`foreign-link team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "an empty link in a tag's history",
    damage: ({ app, image }) => truncateSync(app(`_manifests/tags/1.0/index/sha256/${image.manifest}/link`)),
    found: ({ image }) => [`empty-link team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "an empty link to a manifest",
    damage: ({ app, image }) => truncateSync(app(`${revision(image.manifest)}/link`)),
    found: ({ image }) => [`empty-link team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "an empty link to no manifest",
    damage: ({ app }) => {
      mkdirSync(app(revision(NOWHERE)));
      writeFileSync(app(`${revision(NOWHERE)}/link`), "");
    },
    found: () => [`empty-link team/app - sha256:${NOWHERE} repairable`],
  },
  {
    name: "a link that names another manifest",
    damage: ({ app, image, other }) =>
      writeFileSync(app(`${revision(image.manifest)}/link`), `sha256:${other.manifest}`),
    found: ({ image }) => [`foreign-link team/app 1.0 sha256:${image.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "an empty link to a layer",
    damage: ({ app, image }) => truncateSync(app(`${layer(image.layer)}/link`)),
    found: ({ image }) => [`empty-link team/app - sha256:${image.layer} repairable`],
    isHealed: true,
  },
  {
    name: "an empty link to a layer that is gone and not needed",
    damage: ({ app }) => {
      mkdirSync(app(layer(NOWHERE)));
      writeFileSync(app(`${layer(NOWHERE)}/link`), "");
    },
    found: () => [`empty-link team/app - sha256:${NOWHERE} repairable`],
  },
  {
    name: "a link to a layer that is gone and not needed",
    damage: ({ store }) => store.layer("team/app", NOWHERE),
    found: () => [`dangling-layer-link team/app - sha256:${NOWHERE} repairable`],
  },
  {
    name: "a layer without a link",
    damage: ({ app, image }) => rmSync(app(layer(image.layer)), { recursive: true }),
    found: ({ image }) => [`missing-link team/app 1.0 sha256:${image.layer} repairable`],
    isHealed: true,
  },
  {
    name: "a child of an index without a link",
    damage: ({ app, other }) => rmSync(app(revision(other.manifest)), { recursive: true }),
    found: ({ other }) => [`missing-link team/app multi sha256:${other.manifest} repairable`],
    isHealed: true,
  },
  {
    name: "a child of an index that was deleted",
    damage: ({ app, other }) => rmSync(app(`${revision(other.manifest)}/link`)),
    found: ({ other }) => [`missing-link team/app multi sha256:${other.manifest} lost`],
    left: ({ other }) => [`missing-link team/app multi sha256:${other.manifest} lost`],
  },
  {
    name: "a tag whose manifest has no link",
    damage: ({ app, index }) => rmSync(app(revision(index)), { recursive: true }),
    found: ({ index }) => [`missing-link team/app multi sha256:${index} repairable`],
    isHealed: true,
  },
  {
    name: "an alias of a layer with an empty link",
    damage: ({ app }) => {
      mkdirSync(app("_layers/sha512/abc"), { recursive: true });
      writeFileSync(app("_layers/sha512/abc/link"), "");
    },
    found: () => ["empty-link team/app - - repairable"],
  },
  {
    name: "layers without a manifest",
    damage: ({ store, image }) => store.layer("ghost", image.layer),
    found: () => ["orphaned-layers ghost - - repairable"],
  },
  {
    name: "an upload nobody finished",
    damage: ({ app }) => {
      mkdirSync(app("_uploads/4f1c2f5e-6a55-4a57-9d1d-000000000001"));
      writeFileSync(app("_uploads/4f1c2f5e-6a55-4a57-9d1d-000000000001/startedat"), "2024-01-01T00:00:00Z");
      writeFileSync(app("_uploads/4f1c2f5e-6a55-4a57-9d1d-000000000001/data"), "half");
    },
    found: () => ["stale-upload team/app - - repairable"],
  },
  {
    name: "a blob's folder without data",
    damage: ({ store }) => rmSync(store.data(store.put("lost"))),
    found: () => [`blob-without-data - - sha256:${hexOf("lost")} repairable`],
  },
  {
    name: "a manifest of schema 1",
    damage: ({ store, image }) => {
      store.manifest("team/app", { schemaVersion: 1, fsLayers: [{ blobSum: `sha256:${image.layer}` }] }, "old");
    },
    found: () => [expect.stringMatching(/^schema1 team\/app old sha256:\w{64} lost$/)],
    left: () => [expect.stringMatching(/^schema1 team\/app old sha256:\w{64} lost$/)],
  },
  {
    name: "a repository no client can name",
    damage: ({ store }) => void store.image("Team/App", "upper", "latest"),
    found: () => ["unreachable-name Team/App - - lost"],
    left: () => ["unreachable-name Team/App - - lost"],
  },
  {
    name: "a tag no client can name",
    damage: ({ app }) => renameSync(app("_manifests/tags/1.0"), app("_manifests/tags/-1.0")),
    found: () => ["unreachable-name team/app -1.0 - lost"],
    left: () => ["unreachable-name team/app -1.0 - lost"],
  },
  {
    name: "a blob under the wrong first byte, and one in upper case",
    damage: ({ store }) => {
      const hex = store.put("elsewhere");
      const folder = dirname(store.data(hex));
      renameSync(folder, join(dirname(dirname(folder)), "00", hex));
      mkdirSync(join(dirname(dirname(folder)), "00", "A".repeat(64)));
    },
    found: () => ["misplaced - - - lost", "misplaced - - - lost"],
    left: () => ["misplaced - - - lost", "misplaced - - - lost"],
  },
  {
    name: "a link in the place of a blob's data",
    damage: ({ store, image }) => {
      renameSync(store.data(image.layer), join(store.root, "elsewhere"));
      symlinkSync(join(store.root, "elsewhere"), store.data(image.layer));
    },
    found: ({ image }) => [`not-a-file - - sha256:${image.layer} lost`],
    left: ({ image }) => [`not-a-file - - sha256:${image.layer} lost`],
  },
  {
    name: "a pipe in the place of a blob's data",
    damage: ({ store, image }) => {
      rmSync(store.data(image.layer));
      execFileSync("mkfifo", [store.data(image.layer)]);
    },
    found: ({ image }) => [`not-a-file - - sha256:${image.layer} lost`],
    left: ({ image }) => [`not-a-file - - sha256:${image.layer} lost`],
  },
  {
    name: "links and files among the repositories",
    damage: ({ store, app }) => {
      symlinkSync("/", store.inRepository("team", "root"));
      symlinkSync("..", app("_manifests/tags/loop"));
      writeFileSync(app("notes.txt"), "");
    },
    found: () => ["not-a-file - - - lost", "not-a-file team/app - - lost", "misplaced - - - lost"],
    left: () => ["not-a-file - - - lost", "not-a-file team/app - - lost", "misplaced - - - lost"],
  },
];

describe("a check of the store", () => {
  it("finds nothing wrong in one that is whole", async () => {
    await using folder = temporaryDirectory();
    scene(folder.path);
    const before = contentOf(folder.path);
    const report = await check(folder.path);
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({
      repositories: 2,
      tags: 3,
      manifests: 4,
      blobs: { total: 10, checked: 10, corrupt: 0, missing: 0 },
      links: { dangling: 0, empty: 0, foreign: 0, missing: 0 },
    });
    expect(contentOf(folder.path)).toEqual(before);
  });

  it.each(CASES)("tells, repairs and brings back: $name", async ({ damage, found, left, isHealed }) => {
    await using folder = temporaryDirectory();
    const made = scene(folder.path);
    const store = { root: folder.path, name: folder.path };
    mkdirSync(join(folder.path, "docker/registry/v2/blobs/sha256/00"), { recursive: true });
    setAge(folder.path, TWO_HOURS);
    expect((await check(folder.path)).problems).toEqual([]);
    damage(made);
    setAge(join(folder.path, "docker"), TWO_HOURS);
    const broken = contentOf(folder.path);

    const report = await check(folder.path);
    expect(report.problems.map(brief)).toEqual(found(made));
    expect(contentOf(folder.path)).toEqual(broken);
    expect(existsSync(join(folder.path, "regctl-trash"))).toBe(false);

    const repair = await check(folder.path, { repair: true });
    const leftover = left?.(made) ?? [];
    expect(repair.problems.map(brief)).toEqual(leftover);
    expect((await check(folder.path)).problems.map(brief)).toEqual(leftover);
    const repairable = report.problems.filter((problem) => problem.repairable);
    expect(repair.repaired.length).toBeGreaterThanOrEqual(repairable.length === 0 ? 0 : 1);
    if (repair.trashId === undefined) {
      expect(readEntries(store)).toEqual([]);
      return;
    }

    await undoEntry(store, findEntry(store, repair.trashId), removeTree);
    if (isHealed) expect((await check(folder.path)).problems).toEqual([]);
    else expect(contentOf(folder.path)).toEqual(broken);
  });

  it("clears the folders deleted manifests leave only in a repair, and calls them no problem", async () => {
    await using folder = temporaryDirectory();
    const { store, app } = scene(folder.path);
    const { manifest } = store.image("team/app", "deleted");
    rmSync(app(`${revision(manifest)}/link`));
    expect((await check(folder.path, { repair: true })).folders.withoutLink).toBe(1);
    expect(existsSync(app(revision(manifest)))).toBe(true);

    setAge(folder.path, TWO_HOURS);
    expect((await check(folder.path)).problems).toEqual([]);
    const repair = await check(folder.path, { repair: true });
    expect(repair.repaired.map(({ kind }) => kind)).toEqual(["revision-without-link"]);
    expect(existsSync(app(revision(manifest)))).toBe(false);
  });

  it("knows what an empty tag pointed at by the history written with it", async () => {
    await using folder = temporaryDirectory();
    const { app, image, other } = scene(folder.path);
    const former = app(`_manifests/tags/1.0/index/sha256/${other.manifest}`);
    mkdirSync(former);
    writeFileSync(`${former}/link`, `sha256:${other.manifest}`);
    utimesSync(`${former}/link`, 1_700_000_000, 1_700_000_000);
    truncateSync(app("_manifests/tags/1.0/current/link"));
    const repair = await check(folder.path, { repair: true });
    expect(repair.problems).toEqual([]);
    expect(readFileSync(app("_manifests/tags/1.0/current/link"), "utf8")).toBe(`sha256:${image.manifest}`);
    expect(statSync(app("_manifests/tags/1.0/current/link")).mode & 0o777).toBe(0o644);
  });

  it("leaves young uploads and layers whose manifest is on its way alone", async () => {
    await using folder = temporaryDirectory();
    const { store, app, image } = scene(folder.path);
    store.layer("coming", image.layer);
    mkdirSync(app("_uploads/1"));
    writeFileSync(app("_uploads/1/startedat"), new Date().toISOString());
    expect((await check(folder.path)).problems).toEqual([]);
  });

  it("leaves an old upload alone that is still written to", async () => {
    await using folder = temporaryDirectory();
    const { app } = scene(folder.path);
    mkdirSync(app("_uploads/1"));
    writeFileSync(app("_uploads/1/startedat"), "2024-01-01T00:00:00Z");
    setAge(folder.path, TWO_HOURS);
    expect((await check(folder.path)).problems.map(({ kind }) => kind)).toEqual(["stale-upload"]);
    writeFileSync(app("_uploads/1/data"), "more");
    expect((await check(folder.path)).problems).toEqual([]);
  });

  it("writes no link to a blob that turns out to be damaged or a link itself", async () => {
    await using folder = temporaryDirectory();
    const { store, app, image, other } = scene(folder.path);
    for (const hex of [image.layer, other.layer]) truncateSync(app(`${layer(hex)}/link`));
    writeFileSync(store.data(image.layer), "damaged");
    renameSync(store.data(other.layer), join(folder.path, "elsewhere"));
    symlinkSync(join(folder.path, "elsewhere"), store.data(other.layer));
    const repair = await check(folder.path, { repair: true, selection: undefined });
    expect(repair.repaired.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["empty-link", "set-aside"],
      ["empty-link", "set-aside"],
    ]);
    expect(repair.problems.map(({ kind }) => kind)).toEqual(["not-a-file", "missing-link", "missing-link"]);
  });

  it("writes nothing behind a link that leads out of the store", async () => {
    await using folder = temporaryDirectory();
    const { app } = scene(folder.path);
    const outside = join(folder.path, "outside");
    renameSync(app("_manifests/tags/1.0/current"), outside);
    symlinkSync(outside, app("_manifests/tags/1.0/current"));
    truncateSync(join(outside, "link"));
    const repair = await check(folder.path, { repair: true });
    expect(repair.problems.map(({ kind }) => kind)).toEqual(["empty-link"]);
    expect(readFileSync(join(outside, "link"), "utf8")).toBe("");
  });

  it("expects no layer that clients get elsewhere", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = scene(folder.path);
    const layers = [{ digest: `sha256:${NOWHERE}`, size: 1, urls: ["https://example.com/layer"] }];
    store.manifest("team/app", { schemaVersion: 2, config: { digest: `sha256:${image.config}` }, layers }, "windows");
    expect((await check(folder.path)).problems).toEqual([]);
  });

  it("brings back a needed blob that a collection still keeps, and expects links to the others", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = scene(folder.path);
    const unneeded = store.put("collected");
    store.layer("team/app", unneeded);
    const { id, ...entry } = openEntry(
      { root: folder.path, name: folder.path },
      { kind: "gc", now: new Date(), keepMs: 3_600_000, removed: [] },
    );
    for (const hex of [unneeded, image.layer]) {
      const kept = store.data(hex).replace("/docker/", `/regctl-trash/${id}/docker/`);
      mkdirSync(dirname(dirname(kept)), { recursive: true });
      renameSync(dirname(store.data(hex)), dirname(kept));
    }
    writeEntry({ root: folder.path, name: folder.path }, { id, ...entry, state: "kept" });
    const report = await check(folder.path);
    expect(report.problems.map(brief)).toEqual([`missing-blob team/app 1.0 sha256:${image.layer} repairable`]);
    const repair = await check(folder.path, { repair: true });
    expect(repair.problems).toEqual([]);
    expect(repair.repaired).toMatchObject([{ outcome: "brought-back" }]);
    expect(readFileSync(store.data(image.layer), "utf8")).toBe("layer of amd64");
    expect(existsSync(store.data(unneeded))).toBe(false);
  });

  it("takes a repair that was killed midway back", async () => {
    await using folder = temporaryDirectory();
    const { store, image, index } = scene(folder.path);
    truncateSync(store.data(index), 10);
    writeFileSync(store.data(image.layer), "damaged");
    const broken = contentOf(folder.path);
    const where = { root: folder.path, name: folder.path };
    const { trashId = "" } = await check(folder.path, { repair: true });
    expect(contentOf(folder.path)).not.toEqual(broken);
    // As a killed run leaves it: moved, and the entry not closed.
    writeEntry(where, { ...findEntry(where, trashId), state: "open" });
    await recoverTrash(where, removeTree);
    expect(contentOf(folder.path)).toEqual(broken);
    expect(readEntries(where)).toEqual([]);
  });

  it("prints no character of a hostile name that a terminal obeys", async () => {
    await using folder = temporaryDirectory();
    const { app, store } = scene(folder.path);
    writeFileSync(app("_manifests/\u001b[2J\u009b1m\u202e\n"), "");
    mkdirSync(app("_manifests/tags/\u001b]0;owned\u0007/current"), { recursive: true });
    mkdirSync(store.inRepository("\u007fevil\u001b[31m", "_layers"), { recursive: true });
    const { problems } = await check(folder.path);
    expect(problems.map(({ kind }) => kind)).toEqual([
      "dangling-tag",
      "unreachable-name",
      "unreachable-name",
      "misplaced",
    ]);
    for (const { message } of problems) expect(message).toMatch(/^[\x20-\x7e]+$/);
  });

  it("reads a name nobody can open, folders nobody may enter, and a link that is a folder", async () => {
    await using folder = temporaryDirectory();
    const { app, image } = scene(folder.path);
    rmSync(app(`${layer(image.layer)}/link`));
    mkdirSync(app(`${layer(image.layer)}/link`));
    mkdirSync(Buffer.concat([Buffer.from(app("_manifests/tags/")), Buffer.from([0xff, 0xfe])]));
    const { problems } = await check(folder.path);
    expect(problems.map(({ kind }) => kind)).toEqual(["not-a-file", "dangling-tag", "unreachable-name"]);
  });
});

describe("hashing a part of the blobs", () => {
  it("only manifests when told so", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = scene(folder.path);
    writeFileSync(store.data(image.layer), "damaged");
    const report = await check(folder.path, { selection: undefined });
    expect(report.blobs.checked).toBe(0);
    expect(report.problems).toEqual([]);
  });

  it("only what was written lately", async () => {
    await using folder = temporaryDirectory();
    const { store, image, other } = scene(folder.path);
    writeFileSync(store.data(image.layer), "damaged");
    writeFileSync(store.data(other.layer), "damaged, too");
    setAge(folder.path, TWO_HOURS);
    const now = Date.now() / 1000;
    utimesSync(store.data(other.layer), now, now);
    const report = await check(folder.path, { selection: { sinceMs: Date.now() - 60_000 } });
    expect(report.blobs.checked).toBe(1);
    expect(report.problems.map(({ digest }) => digest)).toEqual([`sha256:${other.layer}`]);
  });

  it("a share of them, by chance", async () => {
    await using folder = temporaryDirectory();
    const store = handMadeStore(folder.path);
    for (let number = 0; number < 400; number++) store.put(`blob ${number}`);
    const { blobs } = await check(folder.path, { selection: { share: 0.5 } });
    expect(blobs.total).toBe(400);
    expect(blobs.checked).toBeGreaterThan(120);
    expect(blobs.checked).toBeLessThan(280);
  });
});
