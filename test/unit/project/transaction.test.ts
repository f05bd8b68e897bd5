import { chmod, link, lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replaceFile } from "../../../src/project/files.ts";
import { commitTransaction, recoverTransactions } from "../../../src/project/transaction.ts";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const JOURNAL = ".regctl/journal";

async function journal(root: string): Promise<string[]> {
  return readdir(join(root, JOURNAL)).catch(() => []);
}

function file(path: string, content: string, mode = 0o600) {
  return { path, content, mode };
}

describe("commitTransaction", () => {
  it("writes every file with its mode, makes the folders, removes what goes, leaves no journal", async () => {
    await using root = temporaryDirectory();
    await writeFile(join(root.path, "old"), "x");
    await commitTransaction(root.path, {
      directories: [{ path: "certs", mode: 0o700 }],
      files: [file("certs/domain.key", "KEY"), file("compose.yaml", "a: 1", 0o644)],
      removals: ["old"],
    });
    expect(await readFile(join(root.path, "certs/domain.key"), "utf8")).toBe("KEY");
    expect((await stat(join(root.path, "certs/domain.key"))).mode & 0o777).toBe(0o600);

    // As a container does that has something mounted upon the file: it goes by the inode.
    const { ino } = await stat(join(root.path, "certs/domain.key"));
    const inPlace = { ...file("certs/domain.key", "K"), inPlace: true };
    const made = { ...file("certs/new.key", "NEW"), inPlace: true };
    await commitTransaction(root.path, { directories: [], files: [inPlace, made] });
    expect((await stat(join(root.path, "certs/domain.key"))).ino).toBe(ino);
    expect(await readFile(join(root.path, "certs/domain.key"), "utf8")).toBe("K");
    expect(await readFile(join(root.path, "certs/new.key"), "utf8")).toBe("NEW");

    // Through a link, or into a file that has another name as well, nothing is written.
    await rename(join(root.path, "certs/new.key"), join(root.path, "certs/secret"));
    await symlink("secret", join(root.path, "certs/new.key"));
    await link(join(root.path, "certs/domain.key"), join(root.path, "certs/also"));
    await commitTransaction(root.path, { directories: [], files: [made, { ...inPlace, content: "third" }] });
    expect((await lstat(join(root.path, "certs/new.key"))).isFile()).toBe(true);
    expect(await readFile(join(root.path, "certs/also"), "utf8")).toBe("K");
    expect(await readFile(join(root.path, "certs/domain.key"), "utf8")).toBe("third");
    expect((await stat(join(root.path, "certs"))).mode & 0o777).toBe(0o700);
    expect((await readdir(root.path)).sort()).toEqual([".regctl", "certs", "compose.yaml"]);
    expect(await journal(root.path)).toEqual([]);
  });

  it("changes nothing when a file cannot be staged", async () => {
    await using root = temporaryDirectory();
    await writeFile(join(root.path, "a"), "old");
    const broken = {
      path: "b",
      mode: 0o600,
      get content(): string {
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      },
    };
    await expect(
      commitTransaction(root.path, { directories: [], files: [file("a", "new"), broken] }),
    ).rejects.toMatchObject({ code: "disk-full" });
    expect(await readFile(join(root.path, "a"), "utf8")).toBe("old");
    expect(await journal(root.path)).toEqual([]);
  });
});

/** What a run killed after `moved` of its files were in place leaves behind. */
async function killedAfter(root: string, names: readonly string[], moved: number, committed: boolean): Promise<void> {
  const entry = join(root, JOURNAL, committed ? "entry" : "entry.tmp");
  await mkdir(entry, { recursive: true });
  for (const [index, name] of names.entries()) await writeFile(join(entry, String(index)), `new ${name}`);
  const manifest = {
    directories: [],
    files: names.map((path, index) => ({ path, staged: String(index) })),
    removals: [],
  };
  if (committed) await writeFile(join(entry, "manifest.json"), JSON.stringify(manifest));
  for (let index = 0; index < moved; index += 1) await rename(join(entry, String(index)), join(root, names[index]!));
}

describe("recoverTransactions", () => {
  it("brings every file to the new version after the commit, and keeps every old one before it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat(5), fc.boolean(), async (count, moved, committed) => {
        await using root = temporaryDirectory();
        const names = Array.from({ length: count }, (_, index) => `file-${index}`);
        for (const name of names) await writeFile(join(root.path, name), `old ${name}`);
        await killedAfter(root.path, names, committed ? Math.min(moved, count) : 0, committed);
        expect(await recoverTransactions(root.path)).toEqual({ finished: committed ? 1 : 0 });
        for (const name of names)
          expect(await readFile(join(root.path, name), "utf8")).toBe(`${committed ? "new" : "old"} ${name}`);
        expect(await journal(root.path)).toEqual([]);
        expect(await recoverTransactions(root.path)).toEqual({ finished: 0 });
      }),
      { numRuns: runs(40) },
    );
  });

  it("says what stands in the way and keeps the journal, so that the next command tries again", async () => {
    await using root = temporaryDirectory();
    await killedAfter(root.path, ["folder-gone/file"], 0, true);
    await expect(recoverTransactions(root.path)).rejects.toMatchObject({
      message: expect.stringContaining("interrupted change"),
    });
    await mkdir(join(root.path, "folder-gone"));
    expect(await recoverTransactions(root.path)).toEqual({ finished: 1 });
    expect(await readFile(join(root.path, "folder-gone/file"), "utf8")).toBe("new folder-gone/file");
  });
});

describe("replaceFile", () => {
  it("gives the file a modification time of its own, however fast the edits come", async () => {
    await using root = temporaryDirectory();
    await mkdir(join(root.path, ".regctl"));
    const times = new Set<number>();
    for (let round = 0; round < 30; round += 1) {
      await replaceFile(root.path, file("htpasswd", `round ${round}`));
      times.add((await stat(join(root.path, "htpasswd"))).mtimeMs);
    }
    expect(times.size).toBe(30);
  });

  it("does not follow the umask, and leaves nothing staged", async () => {
    await using root = temporaryDirectory();
    await replaceFile(root.path, file("open", "x", 0o644));
    await chmod(join(root.path, "open"), 0o600);
    await replaceFile(root.path, file("open", "y", 0o644));
    expect((await stat(join(root.path, "open"))).mode & 0o777).toBe(0o644);
    expect(await journal(root.path)).toEqual([]);
  });
});
