import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { type SmallStore, smallStore, type Written } from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
let store: SmallStore;
let amd64: Written;
let arm64: Written;
let multi: Written;
const PUSHED = new Date("2026-01-02T00:00:00Z");
const NOW = new Date("2026-01-05T00:00:00Z");

beforeAll(() => {
  store = smallStore(folder.path);
  amd64 = store.image("team/app", ["base", "amd64"], { config: { created: "2025-12-29T00:00:00Z" } });
  arm64 = store.image("team/app", ["base", "arm64"], {
    config: { architecture: "arm64", variant: "v8", created: "2026-01-01T02:00:00+02:00" },
  });
  multi = store.index("team/app", [
    { ...amd64, platform: { os: "linux", architecture: "amd64" } },
    { ...arm64, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
  ]);
  store.tag("team/app", "1", multi, PUSHED);
  store.tag("team/app", "latest", multi, new Date("2026-01-03T00:00:00Z"));
  store.tag("team/app", "amd64", amd64, new Date("2026-01-04T00:00:00Z"));
  store.tag("team/app", `sha256-${multi.digest.slice(7)}.sig`, store.image("team/app", ["signature"]), PUSHED);
});

const tags = (...argv: string[]) => run(["tags", "--data", folder.path, ...argv], { now: NOW });

describe("tags", () => {
  it("shows digest, platforms, age and siblings", async () => {
    const { exitCode, stdout, stderr } = await tags("team/app");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^TAG +DIGEST +KIND +PLATFORMS +SIZE +PUSHED +BUILT +NOTE$/);
    const short = multi.digest.slice(0, 19);
    expect(lines[1]).toMatch(
      new RegExp(`^1 +${short} +index +linux/amd64,linux/arm64/v8 +\\S+ \\S+ +3 days ago +4 days ago +same as latest$`),
    );
    expect(lines[2]).toMatch(/^amd64 +\S+ +image +linux\/amd64 +\S+ B +1 day ago +1 week ago$/);
    expect(lines[4]).toMatch(new RegExp(`signature of ${short}$`));
  });

  it("prints exact sizes: of an index everything that its platforms need, each blob once", async () => {
    const { data } = JSON.parse((await tags("team/app", "--json")).stdout);
    expect(data).toMatchObject({ source: "disk", repository: "team/app" });
    const sizeOf = (digest: string) => data.tags.find((one: { digest: string }) => one.digest === digest).sizeBytes;
    const { data: inner } = JSON.parse(
      (await run(["du", `team/app@${multi.digest}`, "--data", folder.path, "--json"])).stdout,
    );
    expect(inner.freed.bytes).toBeGreaterThan(0);
    const configs = [amd64, arm64].map(({ digest }) => {
      const { config } = JSON.parse(readFileSync(store.dataOf(digest), "utf8"));
      return config.size as number;
    });
    const blobs = "base".length + "amd64".length + "arm64".length;
    expect(sizeOf(multi.digest)).toBe(
      multi.size + amd64.size + arm64.size + blobs + (configs[0] ?? 0) + (configs[1] ?? 0),
    );
    expect(data.tags[0]).toEqual({
      tag: "1",
      digest: multi.digest,
      sizeBytes: expect.any(Number),
      platforms: ["linux/amd64", "linux/arm64/v8"],
      pushed: PUSHED.toISOString(),
      created: "2026-01-01T00:00:00.000Z",
      kind: "index",
      mediaType: multi.mediaType,
      siblings: ["latest"],
      attachedTo: null,
      problem: null,
    });
    expect(data.tags[3].attachedTo).toEqual({ digest: multi.digest, kind: "signature" });
  });

  it("sorts by push and size", async () => {
    const order = async (by: string) => (await tags("team/app", "-q", "--sort", by)).stdout.trimEnd().split("\n");
    expect((await order("pushed")).slice(0, 2)).toEqual(["amd64", "latest"]);
    expect((await order("size")).slice(0, 2)).toEqual(["1", "latest"]);
  });

  it("names what is broken and shows the rest", async () => {
    await using other = temporaryDirectory();
    const broken = smallStore(other.path);
    const good = broken.image("app", ["one"]);
    const lost = broken.image("app", ["two"]);
    broken.tag("app", "good", good);
    broken.tag("app", "lost", lost);
    broken.tag("app", "empty", "");
    broken.tag("app", "unlinked", `sha256:${"0".repeat(64)}`);
    rmSync(broken.dataOf(lost.digest));
    mkdirSync(broken.pathOf("repositories/app/_manifests/tags/bare"));
    const { exitCode, stdout, stderr } = await run(["tags", "app", "--data", other.path]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^good .*image/m);
    expect(stderr).toContain("app:lost: its content is missing");
    expect(stderr).toContain("app:empty: it does not say what it points at: its link is damaged");
    expect(stderr).toContain("app:bare: it does not say what it points at: its link is missing");
    expect(stderr).toContain("app:unlinked: its content is missing");
  });

  it("knows an unknown repository, and refuses what is none", async () => {
    expect(await tags("team/apq")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is it team/app?") });
    for (const name of ["../..", "/etc/passwd", "TEAM/app", "a".repeat(300)]) {
      expect(await tags("--", name)).toMatchObject({ exitCode: 2, stdout: "" });
    }
    expect(await tags("team/app:1")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("regctl inspect team/app:1"),
    });
  });

  it("says so when there are none", async () => {
    await using other = temporaryDirectory();
    smallStore(other.path).image("app", ["one"]);
    expect(await run(["tags", "app", "--data", other.path])).toMatchObject({
      exitCode: 0,
      stdout: "app has no tags\n",
    });
  });
});
