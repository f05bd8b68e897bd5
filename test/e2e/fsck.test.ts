/** The check and repair of a store that the real registry wrote and serves. */
import { chownSync, cpSync, lstatSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setAge } from "../support/generated-store.mjs";
import { killAt, stepsOf, worthKilling } from "../support/kill-at.ts";
import { debianRegistry, liveRegistry } from "../support/live-registry.ts";
import { type PushClient, pushClient } from "../support/push-client.ts";
import { regctl } from "../support/regctl.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { upstreamDryRun } from "../support/upstream-collect.ts";

const V2 = "docker/registry/v2";
const NOBODY = 65_534;
const MOST_KILLS = 24;
const folderOf = (root: string, digest: string) => join(root, V2, "blobs/sha256", digest.slice(7, 9), digest.slice(7));
const repository = (root: string, path: string) => join(root, V2, "repositories/team/app", path);
const fsck = (root: string, ...flags: string[]) => regctl(["fsck", "--data", root, ...flags]);

async function problemsOf(root: string): Promise<string[]> {
  const { stdout, stderr } = await fsck(root, "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout).data.problems.map(({ kind }: { readonly kind: string }) => kind);
}

const layersOf = (name: string) => [Buffer.from("shared by all"), Buffer.from(`of ${name} alone `.repeat(5000))];

async function pushAll(client: PushClient): Promise<readonly string[]> {
  const image = (name: string, tag?: string) =>
    client.pushImage({ repository: "team/app", layers: layersOf(name), ...(tag === undefined ? {} : { tag }) });
  await image("one", "1.0");
  await image("two", "2.0");
  await image("three", "latest");
  await client.pushIndex({
    repository: "team/app",
    tag: "multi",
    manifests: [await image("arm"), await image("s390")],
  });
  return ["1.0", "2.0", "latest", "multi"];
}

/** What a power cut leaves of links that were just written, everywhere; or of so many. */
function emptyLinks(root: string, most?: number): number {
  const links = readdirSync(repository(root, ""), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("/link"))
    .sort()
    .slice(0, most);
  for (const link of links) truncateSync(repository(root, link));
  return links.length;
}

describe("a power cut that left every link of a repository empty", () => {
  it("stops the registry's own collector and every pull; a repair brings all images back", async () => {
    await using store = temporaryDirectory();
    await using registry = await liveRegistry({ store: store.path });
    using client = pushClient(registry.host);
    const tags = await pushAll(client);
    expect((await fsck(store.path)).exitCode).toBe(0);
    const links = emptyLinks(store.path);
    expect((await upstreamDryRun(await debianRegistry(), store.path)).aborted).toContain("invalid checksum digest");
    for (const tag of tags) await expect(client.verifyImage("team/app", tag)).rejects.toThrow();

    const repair = await fsck(store.path, "--repair");
    expect(repair.stdout.match(/^repaired empty-link: .* \(link written\)$/gm)).toHaveLength(links);
    expect(repair.exitCode).toBe(0);
    for (const tag of tags) expect((await client.verifyImage("team/app", tag)).size).toBeGreaterThan(0);
    expect((await upstreamDryRun(await debianRegistry(), store.path)).aborted).toBeUndefined();
  });
});

describe("a layer with a bit turned", () => {
  it("is moved aside while the registry runs, and the next push uploads it again", async () => {
    await using store = temporaryDirectory();
    await using registry = await liveRegistry({ store: store.path });
    using client = pushClient(registry.host);
    await pushAll(client);
    const manifest = await client.getManifest("team/app", "2.0");
    const layer = manifest?.content.layers?.at(1)?.digest as string;
    writeFileSync(join(folderOf(store.path, layer), "data"), "x".repeat(manifest?.content.layers?.at(1)?.size ?? 0));

    const check = await fsck(store.path);
    expect(check.exitCode).toBe(3);
    expect(check.stdout).toContain(`corrupt-blob: team/app:2.0 needs ${layer}, which is damaged\n`);
    // Before, a push takes what is damaged for stored.
    await client.pushImage({ repository: "team/app", tag: "2.0", layers: layersOf("two") });
    await expect(client.verifyImage("team/app", "2.0")).rejects.toThrow();

    const repair = await fsck(store.path, "--repair");
    expect(repair.exitCode).toBe(3);
    expect(repair.stdout).toContain(`missing-blob: team/app:2.0 needs ${layer}, which is not in the store: push`);
    await client.pushImage({ repository: "team/app", tag: "2.0", layers: layersOf("two") });
    await client.verifyImage("team/app", "2.0");
    expect((await fsck(store.path)).exitCode).toBe(0);
  });
});

describe("a store in use", () => {
  it("has no problem because somebody pushes, retags and deletes", async () => {
    await using store = temporaryDirectory();
    await using registry = await liveRegistry({ store: store.path });
    using client = pushClient(registry.host);
    await pushAll(client);
    let isOver = false;
    let pushes = 0;
    const work = async (worker: number) => {
      while (!isOver) {
        pushes += 1;
        const name = `team/app-${worker}-${pushes % 5}`;
        const layers = [Buffer.from(`layer ${pushes}`.repeat(20_000))];
        const { digest } = await client.pushImage({ repository: name, tag: `v${pushes % 3}`, layers });
        if (pushes % 4 === 0) await client.deleteManifest(name, digest);
      }
    };
    const workers = [1, 2, 3].map(work);
    const seen: string[][] = [];
    try {
      for (let round = 0; round < 4; round++) seen.push(await problemsOf(store.path));
    } finally {
      isOver = true;
      await Promise.all(workers);
    }
    expect(pushes).toBeGreaterThan(10);
    expect(seen).toEqual([[], [], [], []]);
  });
});

describe("a repair that is killed", () => {
  it("is taken back or finished by the next one, whatever step it was at", async () => {
    await using folder = temporaryDirectory();
    const broken = join(folder.path, "broken");
    await using registry = await liveRegistry({ store: broken });
    using client = pushClient(registry.host);
    const tags = await pushAll(client);
    await registry.stop();
    emptyLinks(broken, 2);
    const lost = `sha256:${"e".repeat(64)}`;
    for (const name of ["_layers/sha256/", "_manifests/revisions/sha256/"]) {
      const path = repository(broken, name + lost.slice(7));
      cpSync(repository(broken, "_manifests/tags/1.0/current"), path, { recursive: true });
      writeFileSync(join(path, "link"), lost);
    }
    setAge(broken, 7200);

    const copy = () => {
      const root = join(folder.path, "copy");
      rmSync(root, { recursive: true, force: true });
      cpSync(broken, root, { recursive: true, preserveTimestamps: true });
      return root;
    };
    const args = (root: string) => ["fsck", "--repair", "--no-hash", "--data", root];
    const { result, steps } = await stepsOf(args(copy()));
    expect(result.exitCode).toBe(0);
    expect(steps.length).toBeGreaterThan(20);
    const kills = worthKilling(steps);
    const stride = Math.ceil(kills.length / MOST_KILLS);
    for (const { number } of kills.filter((_, at) => at % stride === 0)) {
      const root = copy();
      await killAt(number, args(root));
      const { exitCode, stderr } = await regctl(args(root));
      expect({ number, exitCode, stderr }).toMatchObject({ number, exitCode: 0 });
    }
    await using served = await liveRegistry({ store: join(folder.path, "copy") });
    using puller = pushClient(served.host);
    for (const tag of tags) await puller.verifyImage("team/app", tag);
  });
});

describe.runIf(process.getuid?.() === 0)("a store of somebody else, repaired by root", () => {
  it("stays theirs", async () => {
    await using store = temporaryDirectory();
    await using registry = await liveRegistry({ store: store.path });
    using client = pushClient(registry.host);
    await pushAll(client);
    emptyLinks(store.path);
    const all = (): string[] => readdirSync(store.path, { recursive: true, encoding: "utf8" });
    chownSync(store.path, NOBODY, NOBODY);
    for (const path of all()) chownSync(join(store.path, path), NOBODY, NOBODY);
    expect((await fsck(store.path, "--repair")).exitCode).toBe(0);
    const owners = new Set(all().map((path) => lstatSync(join(store.path, path)).uid));
    expect([...owners]).toEqual([NOBODY]);
  });
});
