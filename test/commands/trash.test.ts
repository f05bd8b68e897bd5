import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type BareStore, bareStore, tagPath, treeOf } from "../support/bare-store.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { answerOf, lockStore, on, trashed, unchanged } from "../support/storage-runs.ts";

const V2 = "docker/registry/v2";
const at = (time: string) => ({ now: new Date(time) });

/** A repository and two tags in the trash, in this order. */
async function filled(): Promise<BareStore & { readonly ids: readonly string[] }> {
  const store = bareStore();
  for (const name of ["old", "team/app"]) {
    for (const tag of ["1", "2", "3"]) store.image(name, { tag, layers: [tag] });
  }
  const ids: string[] = [];
  const remove = async (argv: readonly string[], now: string) => {
    const { stdout } = await on(store, [...argv, "--yes", "-q"], at(now));
    ids.push(stdout.trim());
  };
  await remove(["rm-repo", "old"], "2026-11-01T10:00:00Z");
  await remove(["rm-tag", "team/app:1", "team/app:2", "--no-sizes"], "2026-11-02T10:00:00Z");
  return { ...store, ids };
}

describe("trash", () => {
  it("is empty before anything was removed, and looking does not make it", async () => {
    const store = bareStore();
    expect(await on(store, ["trash"])).toEqual({ exitCode: 0, stdout: "the trash is empty\n", stderr: "" });
    expect((await answerOf(["trash", "--data", store.root])).data).toEqual({ entries: [] });
    expect(existsSync(join(store.root, "regctl-trash"))).toBe(false);
  });

  it("lists what can be brought back, the oldest first: as a table, as ids, as JSON", async () => {
    const store = await filled();
    const [first, second] = store.ids;
    const { stdout } = await on(store, ["trash"]);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "BY", "WHAT", "FREES", "UNTIL"],
      [first, "rm-repo", "old", expect.stringMatching(/ KiB$| B$/), "2026-11-08T10:00:00.000Z"],
      [second, "rm-tag", "team/app:1 and 1 more", "2026-11-09T10:00:00.000Z"],
      [""],
    ]);
    expect((await on(store, ["trash", "-q"])).stdout).toBe(`${first}\n${second}\n`);
    const { kind, data } = await answerOf(["trash", "--data", store.root]);
    expect({ kind, data }).toEqual({
      kind: "trash",
      data: {
        entries: [
          expect.objectContaining({
            id: first,
            kind: "rm-repo",
            repository: "old",
            repositories: ["old"],
            created: "2026-11-01T10:00:00.000Z",
            expires: "2026-11-08T10:00:00.000Z",
            bytes: expect.any(Number),
          }),
          expect.objectContaining({
            id: second,
            kind: "rm-tag",
            repository: "team/app",
            bytes: null,
            removed: [
              { repository: "team/app", tag: "1", digest: expect.stringMatching(/^sha256:/) },
              { repository: "team/app", tag: "2", digest: expect.stringMatching(/^sha256:/) },
            ],
          }),
        ],
      },
    });
  });

  it("leaves out what is no entry", async () => {
    const store = await filled();
    for (const id of ["20260101-aaaaaa", "not-an-id"]) {
      mkdirSync(join(store.root, "regctl-trash", id));
      writeFileSync(join(store.root, "regctl-trash", id, "entry.json"), "{");
    }
    expect((await on(store, ["trash", "-q"])).stdout).toBe(`${store.ids.join("\n")}\n`);
  });
});

describe("undo", () => {
  it("answers in JSON what came back, and gives the id alone with -q", async () => {
    const store = await filled();
    const [first, second] = store.ids;
    const { kind, data } = await answerOf(["undo", String(first), "--data", store.root]);
    expect({ kind, data }).toEqual({
      kind: "undo",
      data: { id: first, kind: "rm-repo", removed: [{ repository: "old" }], conflicts: [] },
    });
    expect(await on(store, ["undo", String(second), "-q"])).toEqual({ exitCode: 0, stdout: `${second}\n`, stderr: "" });
    expect(trashed(store)).toEqual([]);
  });

  it("works until it is purged, also after its time", async () => {
    const store = await filled();
    const late = await on(store, ["undo", String(store.ids[0])], at("2027-11-01T10:00:00Z"));
    expect(late).toMatchObject({ exitCode: 0, stdout: "brought back old\n" });
  });

  it.each(["20260101-ffffff", "../../etc", "", "entry.json", "."])(
    "refuses %j, and names what there is",
    async (id) => {
      const store = await filled();
      const result = await unchanged(store, () => on(store, ["undo", id]));
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toContain(`there is no ${JSON.stringify(id)} in the trash`);
      expect(result.stderr).toContain(String(store.ids[1]));
    },
  );

  it("finishes what a killed command left before it does its own work, and says so", async () => {
    const store = await filled();
    const [first, second] = store.ids;
    const file = join(store.root, "regctl-trash", String(second), "entry.json");
    const entry = (await answerOf<{ entries: object[] }>(["trash", "--data", store.root])).data.entries[1];
    writeFileSync(file, JSON.stringify({ ...entry, state: "open" }));
    const result = await on(store, ["undo", String(first)]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "brought back old\n" });
    expect(result.stderr).toContain(`took back or finished what was interrupted: rm-tag ${second}`);
    expect(existsSync(join(store.root, V2, tagPath("team/app", "1"), "current/link"))).toBe(true);
    expect(trashed(store)).toEqual([]);
  });

  it("waits for another regctl, and gives up with its name", async () => {
    const store = await filled();
    await using _lock = await lockStore(store);
    const result = await unchanged(store, () => on(store, ["undo", String(store.ids[0]), "--timeout", "1"]));
    expect(result).toMatchObject({ exitCode: 5, stdout: "", stderr: expect.stringContaining("regctl other") });
  });
});

describe("trash purge", () => {
  it("removes for good what is named, or all, in the storage that is named", async () => {
    const store = await filled();
    const [first, second] = store.ids as [string, string];
    const before = treeOf(store.root);
    const { kind, data } = await answerOf(["trash", "purge", first, "--yes", "--confirm", first, "--data", store.root]);
    expect({ kind, data }).toEqual({ kind: "trash-purge", data: { purged: [expect.objectContaining({ id: first })] } });
    expect(trashed(store)).toEqual([second]);
    const all = await on(store, ["trash", "purge", "--yes", "--confirm", "all"]);
    expect(all).toEqual({ exitCode: 0, stdout: "purged 1; `regctl gc` frees the blobs\n", stderr: "" });
    expect(trashed(store)).toEqual([]);
    expect(treeOf(store.root)).toEqual(before);
  });

  it("wants the name typed, on a terminal or as a flag; anything else changes nothing", async () => {
    const store = await filled();
    const [first] = store.ids as [string, string];
    for (const [flags, exitCode, problem] of [
      [[], 2, `--yes --confirm ${first}`],
      [["--yes"], 2, `--yes --confirm ${first}`],
      [["--yes", "--confirm", "all"], 1, `is not ${first}`],
    ] as const) {
      const result = await unchanged(store, () => on(store, ["trash", "purge", first, ...flags]));
      expect(result).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(problem) });
    }
    const prompt = recordingPrompt({ [`--yes --confirm ${first}`]: first });
    expect(await on(store, ["trash", "purge", first], { surroundings: { prompt } })).toMatchObject({ exitCode: 0 });
    expect(trashed(store)).toHaveLength(1);
  });

  it("purges none of several when one is unknown", async () => {
    const store = await filled();
    const [first] = store.ids as [string, string];
    const argv = ["trash", "purge", first, "20260101-ffffff", "--yes", "--confirm", first];
    const result = await unchanged(store, () => on(store, argv));
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("20260101-ffffff") });
  });
});
