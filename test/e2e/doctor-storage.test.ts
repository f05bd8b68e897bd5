/** Disks that are full or closed, uploads and trash that were left: what doctor's checks say of a real storage. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { curl } from "../support/clients.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { type SmallDisk, smallDisk } from "../support/e2e-small-disk.ts";
import { pushProbe } from "../support/e2e-verifiers.ts";
import { examined, finding, verdicts } from "../support/examined.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const DAY_MS = 86_400_000;

let registry: Scenario;
let disk: SmallDisk;
let data: string;
beforeAll(async () => {
  const folder = keep(temporaryDirectory("regctl-test-disk-"));
  data = join(folder.path, "data");
  disk = keep(await smallDisk(data, 600));
  registry = keep(await deployed({ flags: ["--data", data] }));
  await pushProbe(registry);
});

const look = () => verdicts(registry.directory);
const inDays = (days: number) => ({ now: new Date(Date.now() + days * DAY_MS) });

describe("the disk of the images", () => {
  it("has room, takes writes", async () => {
    expect(await look()).toEqual({});
  });

  it("is full", async () => {
    await disk.fill();
    expect(await finding(registry.directory, "disk-space")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining(data),
      fix: expect.stringContaining("regctl gc --dry-run"),
    });
    await disk.free();
  });

  it("has no inode left, whatever bytes are free", async () => {
    const { stdout } = await mustRun("stat", ["--file-system", "--format", "%c %d", data]);
    const [total = 0, free = 0] = stdout.split(" ").map(Number);
    await mustRun("mount", ["-o", `remount,nr_inodes=${total - free + 100}`, data]);
    expect(await look()).toEqual({ "disk-inodes": "broken" });
    await mustRun("mount", ["-o", `remount,nr_inodes=${total}`, data]);
  });

  it("is closed to writes", async () => {
    await disk.protect(true);
    const found = await examined(registry.directory);
    await disk.protect(false);
    expect(found.get("disk-writable")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("read-only"),
    });
    expect(await look()).toEqual({});
  });
});

describe("what is left on it", () => {
  it("an upload nobody goes on with is spoken of a week later", async () => {
    const url = `https://localhost:${registry.port}/v2/chain/probe/blobs/uploads/`;
    const begun = await curl(url, { caFile: registry.caFile, credentials: registry.credentials, method: "POST" });
    expect(begun.status).toBe(202);
    const later = await examined(registry.directory, inDays(8));
    expect(later.get("stale-uploads")).toMatchObject({
      verdict: "warning",
      cause: expect.stringMatching(/^1 upload /),
    });
    expect(later.get("host-clock")?.verdict).toBe("broken");
    await rm(join(data, "docker/registry/v2/repositories/chain/probe/_uploads"), { recursive: true });
  });

  it("a repository removed by hand is spoken of a day before it is gone for good, and when it should be", async () => {
    await registry.must(["rm-repo", "chain/probe", "--yes", "--confirm", "chain/probe"]);
    const [id = ""] = await readdir(join(data, "regctl-trash"));
    expect(await look()).toEqual({});
    expect((await finding(registry.directory, "trash", inDays(6.5))).fix).toContain(`regctl undo ${id}`);
    expect((await finding(registry.directory, "trash", inDays(9))).cause).toContain("could have been purged");
    const file = join(data, "regctl-trash", id, "entry.json");
    const entry = await readFile(file, "utf8");
    await writeFile(file, entry.replace('"state":"kept"', '"state":"open"'));
    expect(await finding(registry.directory, "interrupted-removal")).toMatchObject({
      verdict: "warning",
      cause: expect.stringContaining(id),
    });
    await writeFile(file, entry);
    expect((await finding(registry.directory, "collection-age", inDays(200))).fix).toContain("regctl gc");
  });
});
