import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { type SmallStore, smallStore } from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
let store: SmallStore;
const PUSHED = new Date("2026-01-02T00:00:00Z");
const NOW = new Date("2026-01-05T00:00:00Z");

beforeAll(() => {
  store = smallStore(folder.path);
  const app = store.image("team/app", ["base", "x".repeat(2000)]);
  store.tag("team/app", "1", app, new Date("2026-01-01T00:00:00Z"));
  store.tag("team/app", "latest", app, PUSHED);
  store.tag("team/api", "1", store.image("team/api", ["base", "y".repeat(500)]), new Date("2025-01-01T00:00:00Z"));
  store.image("untagged", ["z".repeat(100)]);
  mkdirSync(store.pathOf("repositories/begun/_uploads"), { recursive: true });
  mkdirSync(store.pathOf("repositories/emptied/_layers"), { recursive: true });
});

const repos = (...argv: string[]) => run(["repos", "--data", folder.path, ...argv], { now: NOW });
const names = async (...argv: string[]) => (await repos("-q", ...argv)).stdout.trimEnd().split("\n");

describe("repos", () => {
  it("shows tags, sizes and the last push", async () => {
    const { exitCode, stdout } = await repos();
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^REPOSITORY +TAGS +SIZE +EXCLUSIVE +SHARED +LAST PUSH$/);
    expect(lines).toContainEqual(expect.stringMatching(/^team\/app +2 +\S+ \S+ +\S+ \S+ +4 B +3 days ago$/));
    expect(lines).toContainEqual(expect.stringMatching(/^untagged +0 +\S+ B +\S+ B +0 B$/));
    expect(lines).toContainEqual(expect.stringMatching(/^emptied +0 +0 B/));
    expect(lines.at(-1)).toMatch(/^4 repositories; all in the registry need \S+ KiB$/);
    expect(stdout).not.toContain("begun");
  });

  it("prints what the table says as JSON", async () => {
    const { data } = JSON.parse((await repos("--json", "team/app")).stdout);
    const [app] = data.repositories;
    expect(data).toEqual({ source: "disk", repositories: [app], bytes: { needed: expect.any(Number) } });
    expect(app).toEqual({
      name: "team/app",
      tags: 2,
      sizeBytes: app.exclusiveBytes + "base".length,
      exclusiveBytes: expect.any(Number),
      sharedBytes: "base".length,
      lastPush: PUSHED.toISOString(),
    });
    expect(app.exclusiveBytes).toBeGreaterThan(2000);
  });

  it("sorts, and matches globs and names", async () => {
    expect(await names()).toEqual(["emptied", "team/api", "team/app", "untagged"]);
    expect(await names("--sort", "size")).toEqual(["team/app", "team/api", "untagged", "emptied"]);
    expect(await names("--sort", "exclusive", "team/*")).toEqual(["team/app", "team/api"]);
    expect(await names("--sort", "pushed", "team/*", "untagged")).toEqual(["team/app", "team/api", "untagged"]);
    expect(await names("team/api", "unt*")).toEqual(["team/api", "untagged"]);
  });

  it("--no-sizes gives the names alone", async () => {
    expect((await repos("--no-sizes", "team/*")).stdout).toBe("team/api\nteam/app\n");
    const { data } = JSON.parse((await repos("--no-sizes", "--json", "team/api")).stdout);
    const unknown = { tags: null, sizeBytes: null, exclusiveBytes: null, sharedBytes: null, lastPush: null };
    expect(data.repositories).toEqual([{ name: "team/api", ...unknown }]);
  });

  it("says which repository may have been meant", async () => {
    expect(await repos("team/ap")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is it team/ap") });
    expect(await repos("app")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is it team/app?") });
    expect(await repos("team")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("below it are team/api, team/app"),
    });
    expect(await repos("nothing/*")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("no repository matches"),
    });
  });

  it.each([
    ["../..", "has .. in it"],
    ["/etc", "begins with a slash"],
    ["Team/app", "lower case: team/app"],
    ["a".repeat(300), "255"],
    ["team/app:1", "names an image"],
    ["a b", "is no repository's name"],
  ])("refuses %s", async (name, why) => {
    const { exitCode, stdout, stderr } = await repos("--", name);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(why);
    expect(stderr).toContain("hint:");
  });

  it("refuses --data beside --api, and a password without a user", async () => {
    expect(await repos("--api")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("give one of them") });
    expect(await repos("--password-stdin")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--user NAME"),
    });
  });

  it("warns of a manifest it cannot read, and shows hostile names quoted", async () => {
    await using other = temporaryDirectory();
    const broken = smallStore(other.path);
    const image = broken.image("good", ["layer"]);
    writeFileSync(broken.dataOf(image.digest), "garbage");
    mkdirSync(join(broken.pathOf("repositories"), "evil\u001b[2J", "_layers"), { recursive: true });
    const { exitCode, stdout, stderr } = await run(["repos", "--data", other.path]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`warning: the manifest ${image.digest} of good cannot be read`);
    expect(stdout).toContain('"evil\\u001b[2J"');
    expect(stdout).not.toContain("\u001b");
  });

  it("says so when there is nothing", async () => {
    await using other = temporaryDirectory();
    smallStore(other.path);
    expect(await run(["repos", "--data", other.path])).toMatchObject({ exitCode: 0, stdout: "no repositories\n" });
    expect(await run(["repos", "--data", join(other.path, "none")])).toMatchObject({ exitCode: 2 });
  });
});
