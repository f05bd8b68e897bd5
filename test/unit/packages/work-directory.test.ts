import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { createWorkPlace } from "../../../src/packages/work-directory.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "regctl-work-"));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

async function deadPid(): Promise<number> {
  return Number((await runCommand("sh", ["-c", "echo $$"])).stdout);
}

describe("createWorkPlace", () => {
  it("makes a folder only its owner can read, a new one each time", async () => {
    const places = await Promise.all([1, 2, 3].map(() => createWorkPlace(join(parent, "cache"))));
    expect(new Set(places.map((place) => place.directory)).size).toBe(3);
    expect((await stat(places[0]!.directory)).mode & 0o777).toBe(0o700);
  });

  it("removes what a killed run left, and nothing else", async () => {
    const pid = await deadPid();
    await mkdir(join(parent, `assemble-${pid}-0123456789ab`, "root"), { recursive: true });
    await writeFile(join(parent, `assemble-${pid}-0123456789ab.tar`), "");
    await writeFile(join(parent, `assemble-${process.pid}-0123456789ab.tar`), "");
    await writeFile(join(parent, `notes-${pid}.tar`), "");
    const place = await createWorkPlace(parent);
    expect((await readdir(parent)).map((name) => join(parent, name)).sort()).toEqual(
      [
        place.directory,
        join(parent, `assemble-${process.pid}-0123456789ab.tar`),
        join(parent, `notes-${pid}.tar`),
      ].sort(),
    );
  });
});
