import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { setAge } from "../support/generated-store.mjs";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { contentOf, type HandMadeStore, handMadeStore, type Image } from "../unit/collect/fsck-store.ts";

const TWO_HOURS = 7200;

function storeWithImage(root: string): { readonly store: HandMadeStore; readonly image: Image } {
  const store = handMadeStore(root);
  const image = store.image("team/app", "one", "1.0");
  setAge(root, TWO_HOURS);
  return { store, image };
}

function damage(store: HandMadeStore, image: Image): void {
  writeFileSync(store.data(image.layer), "damaged");
  truncateSync(store.inRepository("team/app", `_layers/sha256/${image.config}/link`));
  setAge(store.root, TWO_HOURS);
}

describe("regctl fsck", () => {
  it("says that everything is whole, and nothing under -q", async () => {
    await using folder = temporaryDirectory();
    storeWithImage(folder.path);
    const result = await run(["fsck", "--data", folder.path]);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(
      /^checked 1 repository, 1 tag, 1 manifest, 3 blobs \(3 hashed, \d+ B\): no problems\n$/,
    );
    expect(await run(["fsck", "--data", folder.path, "-q"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  it("names each problem, ends with 3, and tells the next command", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    damage(store, image);
    const before = contentOf(folder.path);
    const result = await run(["fsck", "--data", folder.path]);
    expect(result.exitCode).toBe(3);
    const [first, second, summary, next] = result.stdout.split("\n");
    expect(first).toBe(`corrupt-blob: team/app:1.0 needs sha256:${image.layer}, which is damaged`);
    expect(second).toBe(`empty-link: the link to layer sha256:${image.config} of team/app is empty`);
    expect(summary).toMatch(/: 2 problems$/);
    expect(next).toBe(`2 can be repaired: regctl fsck --repair --data ${folder.path}`);
    const quiet = await run(["fsck", "--data", folder.path, "-q"]);
    expect(quiet).toMatchObject({ exitCode: 3, stdout: `${first}\n${second}\n`, stderr: "" });
    expect(contentOf(folder.path)).toEqual(before);
  });

  it("plans a repair without changing anything", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    damage(store, image);
    const before = contentOf(folder.path);
    const result = await run(["fsck", "--repair", "--dry-run", "--data", folder.path]);
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain("which is damaged (would move to the trash)");
    expect(result.stdout).toContain("is empty (would write the link)");
    expect(contentOf(folder.path)).toEqual(before);
  });

  it("repairs, says what is lost, and undo brings back what it moved", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    damage(store, image);
    const repair = await run(["fsck", "--repair", "--data", folder.path]);
    expect(repair.exitCode).toBe(3);
    expect(repair.stdout).toContain(
      `missing-blob: team/app:1.0 needs sha256:${image.layer}, which is not in the store: push the image again\n`,
    );
    expect(repair.stdout).toContain("which is damaged (moved to the trash)\n");
    expect(repair.stdout).toContain("is empty (link written)\n");
    const undo = /regctl (undo [0-9]{8}-[0-9a-f]{6} --data .*)$/m.exec(repair.stdout)?.[1]?.split(" ") ?? [];
    expect(undo.length).toBe(4);

    // What a client does: the registry asks for what it does not have.
    store.put("layer of one");
    expect((await run(["fsck", "--data", folder.path])).exitCode).toBe(0);
    rmSync(dirname(store.data(image.layer)), { recursive: true });

    expect((await run(undo)).exitCode).toBe(0);
    expect(readFileSync(store.data(image.layer), "utf8")).toBe("damaged");
  });

  it("gives one document with --json", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    damage(store, image);
    const { stdout, exitCode } = await run(["fsck", "--repair", "--keep", "1d", "--json", "--data", folder.path]);
    expect(exitCode).toBe(3);
    const { apiVersion, kind, data } = JSON.parse(stdout);
    expect([apiVersion, kind]).toEqual(["regctl/v1", "fsck"]);
    expect(data).toMatchObject({
      dryRun: false,
      blobs: { total: 3, checked: 3, corrupt: 1, missing: 0 },
      links: { dangling: 0, empty: 1, foreign: 0, missing: 0 },
      uploads: { stale: 0 },
      problems: [
        {
          kind: "missing-blob",
          repository: "team/app",
          tag: "1.0",
          digest: `sha256:${image.layer}`,
          repairable: false,
        },
      ],
      repaired: [
        { kind: "corrupt-blob", outcome: "set-aside" },
        { kind: "empty-link", outcome: "link-written" },
      ],
      trashId: expect.stringMatching(/^\d{8}-[0-9a-f]{6}$/),
      seconds: expect.any(Number),
    });
    const entry = JSON.parse(readFileSync(join(folder.path, "regctl-trash", data.trashId, "entry.json"), "utf8"));
    expect(Date.parse(entry.expires) - Date.parse(entry.created)).toBe(86_400_000);
    expect(entry).toMatchObject({ kind: "fsck", state: "kept", removed: [{ digest: `sha256:${image.layer}` }] });
  });

  it("prints the first 50 problems and counts the others", async () => {
    await using folder = temporaryDirectory();
    const { store } = storeWithImage(folder.path);
    for (let number = 0; number < 60; number++) rmSync(store.data(store.put(`${number}`)));
    setAge(folder.path, TWO_HOURS);
    const { stdout } = await run(["fsck", "--data", folder.path]);
    expect(stdout.match(/^blob-without-data: /gm)).toHaveLength(50);
    expect(stdout).toContain("\n… and 10 more; --json lists all\n");
    expect(stdout).toMatch(/: 60 problems$/m);
  });

  it("lets no name in the store reach the terminal as it is", async () => {
    await using folder = temporaryDirectory();
    const { store } = storeWithImage(folder.path);
    mkdirSync(store.inRepository("\u001b[2J\u009bevil", "_layers/sha256"), { recursive: true });
    mkdirSync(store.inRepository("team/app", "_manifests/tags/\u001b]0;title\u0007"), { recursive: true });
    setAge(folder.path, TWO_HOURS);
    const { stdout, stderr, exitCode } = await run(["fsck", "--data", folder.path]);
    expect(exitCode).toBe(3);
    expect(stdout.match(/^unreachable-name: /gm)).toHaveLength(2);
    for (const text of [stdout, stderr]) expect(text.replaceAll("…", "")).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it.each([
    [["--no-hash", "--sample", "10%"], "--no-hash and --sample are different choices of blobs to hash"],
    [["--since", "1d", "--sample", "10%"], "--sample and --since are different choices of blobs to hash"],
    [["--sample", "0%"], "It should be a percentage"],
    [["--sample", "200%"], "It should be a percentage"],
    [["--since", "soon"], "It should be a number with a unit"],
  ])("refuses %j", async (flags, message) => {
    await using folder = temporaryDirectory();
    storeWithImage(folder.path);
    const { exitCode, stderr } = await run(["fsck", "--data", folder.path, ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  it("hashes what it is told to", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    writeFileSync(store.data(image.layer), "damaged");
    const checked = async (...flags: string[]) => {
      const { stdout, exitCode } = await run(["fsck", "--json", "--data", folder.path, ...flags]);
      return [JSON.parse(stdout).data.blobs.checked, exitCode];
    };
    expect(await checked("--no-hash")).toEqual([0, 0]);
    expect(await checked("--since", "1h")).toEqual([1, 3]);
    expect(await checked("--sample", "100%")).toEqual([3, 3]);
  });

  it("checks beside another regctl, and repairs only alone", async () => {
    await using folder = temporaryDirectory();
    const { store, image } = storeWithImage(folder.path);
    damage(store, image);
    const lock = join(folder.path, "regctl-trash/lock");
    mkdirSync(dirname(lock));
    writeFileSync(lock, "regctl gc (pid 1)\n");
    const holder = spawn("flock", ["-x", lock, "cat"], { stdio: ["pipe", "ignore", "ignore"] });
    try {
      await expect.poll(() => isLocked(lock)).toBe(true);
      expect((await run(["fsck", "--data", folder.path])).exitCode).toBe(3);
      const repair = await run(["fsck", "--repair", "--data", folder.path, "--timeout", "1"]);
      expect(repair.exitCode).toBe(5);
      expect(repair.stderr).toContain("is in use by regctl gc (pid 1)");
    } finally {
      holder.stdin.end();
    }
  });

  it("says what is no storage", async () => {
    await using folder = temporaryDirectory();
    const { exitCode, stderr } = await run(["fsck", "--data", folder.path]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("is no registry's storage");
  });
});

function isLocked(lock: string): boolean {
  try {
    execFileSync("flock", ["-n", lock, "true"]);
    return false;
  } catch {
    return true;
  }
}
