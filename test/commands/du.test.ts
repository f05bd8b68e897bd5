import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { type SmallStore, smallStore, type Written } from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
let store: SmallStore;
let app: Written;

beforeAll(() => {
  store = smallStore(folder.path);
  app = store.image("team/app", ["base", "x".repeat(2000)]);
  store.tag("team/app", "1", app);
  store.tag("team/app", "latest", app);
  store.tag("team/api", "1", store.image("team/api", ["base", "y".repeat(500)]));
  store.blob("nobody needs this");
});

const du = (...argv: string[]) => run(["du", "--data", folder.path, ...argv]);
const freed = async (...argv: string[]) => JSON.parse((await du("--json", ...argv)).stdout).data.freed;

describe("du", () => {
  it("shows what the storage is filled with", async () => {
    const { exitCode, stdout } = await du();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^blobs +8 +/m);
    expect(stdout).toMatch(/^ {2}of these manifests +2 +/m);
    expect(stdout).toMatch(/^ {2}unreferenced \(gc --grace 0\) +1 +17 B$/m);
    const { data } = JSON.parse((await du("--json")).stdout);
    expect(data).toMatchObject({
      repositories: 2,
      blobs: { count: 8 },
      unreferenced: { count: 1, bytes: 17 },
      trash: { count: 0, bytes: 0 },
    });
  });

  it("counts several names as one deletion: what two share is freed with both", async () => {
    const [one, other, both] = [await freed("team/app"), await freed("team/api"), await freed("team/app", "team/api")];
    expect(both.bytes).toBe(one.bytes + other.bytes + "base".length);
    expect(both).toMatchObject({ blobs: 7, manifests: 2 });
  });

  it("frees nothing with one of two tags, all with both or the digest", async () => {
    expect(await freed("team/app:1")).toEqual({ bytes: 0, blobs: 0, manifests: 0 });
    const whole = await freed("team/app");
    expect(await freed("team/app:1", "team/app:latest")).toEqual(whole);
    expect(await freed(`team/app@${app.digest}`)).toEqual(whole);
    expect((await du("team/app:1", "team/app:latest")).stdout).toMatch(
      /^deleting these 2 would free \d\.\d KiB: 3 blobs, of 1 manifest\n$/,
    );
  });

  it("refuses names that are not there, or none", async () => {
    expect(await du("team/aqp")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is it team/app?") });
    expect(await du("team/app:2")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is it team/app:1?") });
    expect(await du("../..")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("has .. in it") });
  });

  it("says that it does not know where a manifest cannot be read", async () => {
    await using other = temporaryDirectory();
    const broken = smallStore(other.path);
    writeFileSync(broken.dataOf(broken.image("app", ["one"]).digest), "garbage");
    const { exitCode, stdout, stderr } = await run(["du", "--data", other.path]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/unreferenced .*unknown/);
    expect(stderr).toContain("of app cannot be read");
  });
});
