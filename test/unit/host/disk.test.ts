import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { directoryBytes, freeSpace } from "../../../src/host/disk.ts";
import { asNobody } from "./as-nobody.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-disk-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function makeTree(): Promise<void> {
  for (let folder = 0; folder < 5; folder += 1) {
    const path = join(directory, `f${folder}`, "deep", "er");
    await mkdir(path, { recursive: true });
    for (let file = 0; file < 80; file += 1) await writeFile(join(path, `${file}`), Buffer.alloc(file * 700));
  }
  await symlink("/etc", join(directory, "link"));
  await link(join(directory, "f0/deep/er/79"), join(directory, "twice"));
}

describe("freeSpace", () => {
  it("agrees with df, for a path that does not exist yet too", async () => {
    const { stdout } = await runCommand("df", ["-B1", "--output=size,avail,itotal", directory]);
    const [size, available, inodes] = stdout.trim().split("\n")[1]!.trim().split(/\s+/).map(Number);
    const space = await freeSpace(join(directory, "not", "made", "yet"));
    expect(space.bytesTotal).toBe(size);
    expect(space.inodesTotal).toBe(inodes);
    expect(Math.abs(space.bytesFree - available!)).toBeLessThan(200_000_000);
    expect(space.inodesFree).toBeLessThanOrEqual(space.inodesTotal);
  });

  it("takes the folder of a file that stands in the way", async () => {
    await writeFile(join(directory, "file"), "");
    expect((await freeSpace(join(directory, "file", "below"))).bytesTotal).toBeGreaterThan(0);
  });
});

describe("directoryBytes", () => {
  it("counts what du counts", async () => {
    await makeTree();
    const { stdout } = await runCommand("du", ["-s", "-l", "-B1", directory]);
    expect(await directoryBytes(directory)).toBe(Number(stdout.split("\t")[0]));
  });

  it("counts a folder that is not there as nothing", async () => {
    expect(await directoryBytes(join(directory, "missing"))).toBe(0);
  });

  it("goes on when files and folders vanish meanwhile", async () => {
    await makeTree();
    const [bytes] = await Promise.all([directoryBytes(directory), rm(directory, { recursive: true, force: true })]);
    expect(bytes).toBeGreaterThanOrEqual(0);
  });

  it("refuses to guess when a part may not be read", async () => {
    await chmod(directory, 0o755);
    await mkdir(join(directory, "closed"), { mode: 0o700 });
    const closed = asNobody(async () => {
      if (process.getuid?.() !== 0) await chmod(join(directory, "closed"), 0);
      return directoryBytes(directory);
    });
    await expect(closed).rejects.toMatchObject({ code: "permission-denied" });
  });

  it("stops when asked to", async () => {
    await makeTree();
    await expect(directoryBytes(directory, AbortSignal.abort())).rejects.toMatchObject({ code: "interrupted" });
  });
});
