/** The stores tests and benchmarks make by hand are what a real registry serves, and the tools around them tell the truth. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import bcrypt from "bcryptjs";
import { afterAll, describe, expect, it } from "vitest";
import {
  generateStore,
  oneRepository,
  type RandomStore,
  type RandomStoreOptions,
  randomFrom,
  randomStore,
  repositoryName,
} from "../support/generated-store.mjs";
import { debianRegistry, liveRegistry } from "../support/live-registry.ts";
import { digestOf, pushClient } from "../support/push-client.ts";
import { mustRun } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { parseCollection, registry3Program, upstreamCollect, upstreamDryRun } from "../support/upstream-collect.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
let made = 0;
const newFolder = () => {
  made += 1;
  return join(folder.path, `store-${made}`);
};
const blobFile = (root: string, digest: string) =>
  join(root, "docker/registry/v2/blobs/sha256", digest.slice(7, 9), digest.slice(7), "data");

/** Every path below the folder with a hash of what is in it. */
function fingerprint(root: string): string {
  const hash = createHash("sha256");
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
  for (const path of paths) {
    hash.update(`${path}\n`);
    if (statSync(join(root, path)).isFile()) hash.update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

async function skopeoPulls(host: string, reference: string): Promise<void> {
  const target = newFolder();
  await mustRun("skopeo", [
    "copy",
    "--all",
    "--src-tls-verify=false",
    `docker://${host}/${reference}`,
    `dir:${target}`,
  ]);
  expect(existsSync(join(target, "manifest.json"))).toBe(true);
}

describe("a generated store", () => {
  const size = { repositories: 20, tags: 6, seed: 7 };

  it("is served whole by the real registry, each of its tags", async () => {
    const store = newFolder();
    const counts = await generateStore(store, size);
    await using registry = await liveRegistry({ store });
    using client = pushClient(registry.host);
    const names = Array.from({ length: size.repositories }, (_, place) => repositoryName(place));
    expect(await client.catalog()).toEqual([...names].sort());
    const reached = new Set<string>();
    let tags = 0;
    let indexes = 0;
    for (const name of names) {
      for (const tag of await client.tags(name)) {
        tags += 1;
        for (const digest of await client.verifyImage(name, tag)) reached.add(digest);
        if ((await client.getManifest(name, tag))?.content.manifests !== undefined) indexes += 1;
      }
    }
    expect(tags).toBe(counts.tags);
    expect(tags).toBe(size.repositories * size.tags + 1);
    expect(indexes).toBe(size.repositories);
    // Nothing that a tag reaches may be what upstream would delete.
    const collection = await upstreamDryRun(await debianRegistry(), store);
    expect(collection.aborted).toBeUndefined();
    expect(collection.blobs.size).toBeGreaterThan(0);
    expect([...collection.blobs].filter((digest) => reached.has(digest))).toEqual([]);
  });

  it("is pulled by skopeo: OCI, Docker, an index, from a repository within another", async () => {
    const store = newFolder();
    await generateStore(store, size);
    await using registry = await liveRegistry({ store });
    for (const tag of ["latest", "1.0.1", "1.0.5"]) await skopeoPulls(registry.host, `${repositoryName(11)}:${tag}`);
  });

  it("has layers whose content is what the configuration says", async () => {
    const store = newFolder();
    await oneRepository(store, 6);
    await using registry = await liveRegistry({ store });
    using client = pushClient(registry.host);
    const manifest = await client.getManifest("service-00000", "latest");
    const pull = async (digest: string) => (await client.send("GET", `/v2/service-00000/blobs/${digest}`)).body;
    const { rootfs } = JSON.parse(String(await pull(manifest?.content.config?.digest ?? "")));
    const layers = await Promise.all((manifest?.content.layers ?? []).map((layer) => pull(layer.digest)));
    expect(layers.map((layer) => digestOf(gunzipSync(layer)))).toEqual(rootfs.diff_ids);
    expect(layers).toHaveLength(5);
  });

  it("comes out the same from the same seed, and another from another", async () => {
    const [first, second, other] = [newFolder(), newFolder(), newFolder()];
    await generateStore(first, size);
    await generateStore(second, size);
    await generateStore(other, { ...size, seed: 8 });
    expect(fingerprint(second)).toBe(fingerprint(first));
    expect(fingerprint(other)).not.toBe(fingerprint(first));
  });

  it("shows that upstream's -m destroys the children of tagged indexes", async () => {
    const store = newFolder();
    const counts = await generateStore(store, size);
    const collection = await upstreamDryRun(await debianRegistry(), store, { deleteUntagged: true });
    expect(collection.aborted).toBeUndefined();
    // An index a repository with two children each; beside them and their parents only what is tagged is kept.
    expect(collection.manifests.size).toBe(counts.manifests - counts.tagged);
  });

  it("is as old as it was asked to be, and is never written over another", async () => {
    const store = newFolder();
    await oneRepository(store, 2, { ageSeconds: 3_600 });
    for (const path of readdirSync(store, { recursive: true, encoding: "utf8" })) {
      expect(Date.now() - statSync(join(store, path)).mtimeMs).toBeGreaterThan(3_599_000);
    }
    await expect(oneRepository(store, 2)).rejects.toThrow("exists already");
  });
});

describe("a random store", () => {
  const SEEDS = Array.from({ length: 30 }, (_, at) => `contract-${at}`);
  const write = (root: string, seed: string, options: RandomStoreOptions = {}): RandomStore =>
    randomStore(root, randomFrom(seed), options);

  it.each(SEEDS.slice(0, 15))("is on the real registry what its description says (%s)", async (seed) => {
    const store = newFolder();
    const described = write(store, seed);
    await using registry = await liveRegistry({ store });
    using client = pushClient(registry.host);
    const status = async (path: string) => (await client.send("HEAD", path)).status;
    const listed = described.repositories.filter((repository) => repository.inCatalog);
    expect(await client.catalog()).toEqual(listed.map((repository) => repository.name).sort());
    for (const { name, tags, revisions, deleted, layers, pullable } of described.repositories) {
      expect(await client.tags(name)).toEqual(Object.keys(tags).sort());
      for (const [tag, digest] of Object.entries(tags)) {
        expect((await client.getManifest(name, tag))?.digest).toBe(digest);
        if (pullable.includes(tag)) expect(await client.verifyImage(name, tag)).toContain(digest);
        else await expect(client.verifyImage(name, tag)).rejects.toThrow(/manifest sha256:\w+ is missing/);
      }
      for (const digest of revisions) expect((await client.getManifest(name, digest))?.digest).toBe(digest);
      for (const digest of deleted) expect(await client.getManifest(name, digest)).toBeUndefined();
      for (const digest of layers) expect(await status(`/v2/${name}/blobs/${digest}`)).toBe(200);
    }
  });

  it("is understood by upstream's dry run, which sees its blobs and no others", async () => {
    for (const seed of SEEDS) {
      const store = newFolder();
      const { blobs } = write(store, seed);
      const collection = await upstreamDryRun(await debianRegistry(), store);
      expect(collection.aborted, seed).toBeUndefined();
      expect(
        [...collection.blobs].filter((digest) => !blobs.has(digest)),
        seed,
      ).toEqual([]);
    }
  });

  it("makes 2.8's -m give up only where a repository has no tags folder", async () => {
    const aborted = { with: 0, without: 0 };
    for (const seed of SEEDS) {
      const [store, other] = [newFolder(), newFolder()];
      write(store, seed, { missingTagsFolders: true });
      write(other, seed, { missingTagsFolders: false });
      const program = await debianRegistry();
      const options = { deleteUntagged: true };
      if ((await upstreamDryRun(program, store, options)).aborted !== undefined) aborted.with += 1;
      if ((await upstreamDryRun(program, other, options)).aborted !== undefined) aborted.without += 1;
    }
    expect(aborted.with).toBeGreaterThan(0);
    expect(aborted.without).toBe(0);
  });

  const program3 = registry3Program();
  if (program3 !== undefined) {
    it("is understood by 3.x", async () => {
      for (const seed of SEEDS) {
        const store = newFolder();
        write(store, seed);
        for (const deleteUntagged of [false, true]) {
          expect((await upstreamDryRun(program3, store, { deleteUntagged })).aborted, seed).toBeUndefined();
        }
      }
    });
  }

  it("comes in every shape, and the same one from the same numbers", () => {
    const seen = new Map<string, number>();
    const note = (shape: string, isThere: boolean) => seen.set(shape, (seen.get(shape) ?? 0) + Number(isThere));
    for (const seed of SEEDS) {
      const store = newFolder();
      const { repositories, blobs, emptyBlobs } = write(store, seed);
      const json = (digest: string) => JSON.parse(readFileSync(blobFile(store, digest), "utf8"));
      const link = (name: string, path: string) => join(store, "docker/registry/v2/repositories", name, path);
      const names = repositories.map((repository) => repository.name);
      note("a repository within another", names.includes("a") && names.includes("a/b"));
      note("a blob folder without data", emptyBlobs.length > 0 && !existsSync(blobFile(store, emptyBlobs[0] ?? "")));
      const mentioned = new Set(repositories.flatMap((one) => [...one.layers, ...one.revisions, ...one.deleted]));
      note(
        "an orphan blob",
        [...blobs.keys()].some((digest) => !mentioned.has(digest)),
      );
      note("a blob of two repositories", repositories.flatMap((one) => one.layers).length > mentioned.size / 2);
      for (const { name, kind, tags, revisions, deleted, pullable } of repositories) {
        note(kind, true);
        note("a repository without a tag", revisions.length > 0 && Object.keys(tags).length === 0);
        note(
          "a deleted manifest",
          deleted.some((digest) => existsSync(link(name, revision(digest)))),
        );
        note("an index with a deleted child", pullable.length < Object.keys(tags).length);
        note(
          "a fallback tag",
          Object.keys(tags).some((tag) => tag.startsWith("sha256-")),
        );
        const manifests = revisions.map(json);
        const children = manifests.flatMap((manifest) => manifest.manifests ?? []).map((child) => child.digest);
        const isIndex = (digest: string) => blobs.has(digest) && json(digest).manifests !== undefined;
        note("an index within an index", children.some(isIndex));
        note(
          "a subject",
          manifests.some((manifest) => manifest.subject !== undefined),
        );
        note(
          "a manifest without mediaType",
          manifests.some((manifest) => manifest.mediaType === undefined),
        );
        const configs = manifests.flatMap((manifest) => manifest.config?.digest ?? []);
        note("a shared configuration", new Set(configs).size < configs.length);
        for (const tag of Object.keys(tags)) {
          note("a moved tag", readdirSync(link(name, `_manifests/tags/${tag}/index/sha256`)).length > 1);
        }
      }
    }
    expect(Object.fromEntries([...seen].filter(([, count]) => count === 0))).toEqual({});
    expect(seen.size).toBe(18);
    const [first, second] = [newFolder(), newFolder()];
    expect(write(second, "same")).toEqual(write(first, "same"));
    expect(fingerprint(second)).toBe(fingerprint(first));
  });

  it("leaves out what it is told to leave out", () => {
    for (const seed of SEEDS) {
      const store = newFolder();
      const { repositories } = write(store, seed, { referrers: false, nestedIndexes: false, deletedChildren: false });
      for (const { tags, revisions, pullable } of repositories) {
        expect([...pullable].sort()).toEqual(Object.keys(tags).sort());
        const manifests = revisions.map((digest) => JSON.parse(readFileSync(blobFile(store, digest), "utf8")));
        expect(manifests.filter((manifest) => manifest.subject !== undefined)).toEqual([]);
        const indexes = revisions.filter((_, at) => manifests[at].manifests !== undefined);
        const children = manifests.flatMap((manifest) => manifest.manifests ?? []).map((child) => child.digest);
        expect(children.filter((digest) => indexes.includes(digest))).toEqual([]);
      }
    }
  });
});

const revision = (digest: string) => `_manifests/revisions/sha256/${digest.slice(7)}`;

describe("upstream's answer", () => {
  const end = { exitCode: 0, signal: undefined, stderr: "" };
  const [one, two] = [digestOf(Buffer.from("1")), digestOf(Buffer.from("2"))];

  it("needs the line that proves it ran to its end", () => {
    expect(() => parseCollection({ ...end, stdout: "Usage:\n  registry garbage-collect\n" })).toThrow("did not run");
    const proof = "\n3 blobs marked, 1 blobs and 0 manifests eligible for deletion\n";
    expect(() => parseCollection({ ...end, stdout: proof })).toThrow("0 and 0 are named");
    const { marked, blobs } = parseCollection({ ...end, stdout: `${proof}blob eligible for deletion: ${one}\n` });
    expect([marked, [...blobs]]).toEqual([3, [one]]);
  });

  it("names manifests with their repository, as 2.x prints them and as 3.x does", () => {
    const proof = "\n0 blobs marked, 0 blobs and 2 manifests eligible for deletion\n";
    const old = `a/b\nmanifest eligible for deletion: ${one}\na-b\nmanifest eligible for deletion: ${two}\n${proof}`;
    const recent = `a/b\na-b\nmanifest eligible for deletion: {a/b ${one} [1.0 x]}\nmanifest eligible for deletion: {a-b ${two} []}\n${proof}`;
    const expected = [`a/b@${one}`, `a-b@${two}`];
    expect([...parseCollection({ ...end, stdout: old }).manifests]).toEqual(expected);
    expect([...parseCollection({ ...end, stdout: recent }).manifests]).toEqual(expected);
  });

  it("tells why it gave up", async () => {
    const store = newFolder();
    await oneRepository(store, 2);
    const revisions = join(store, "docker/registry/v2/repositories/service-00000/_manifests/revisions/sha256");
    const found = readdirSync(revisions).find((hex) => existsSync(join(revisions, hex, "link")));
    writeFileSync(join(revisions, found ?? "", "link"), "");
    expect((await upstreamDryRun(await debianRegistry(), store)).aborted).toContain("invalid checksum digest format");
  });
});

describe("a live registry", () => {
  it("keeps what was pushed over a restart and over kill -9", async () => {
    await using registry = await liveRegistry({ store: newFolder() });
    using client = pushClient(registry.host);
    await client.pushImage({ repository: "a", tag: "1", layers: [Buffer.from("first")] });
    const before = registry.pid();
    await registry.restart();
    expect(registry.pid()).not.toBe(before);
    await client.verifyImage("a", "1");
    await client.pushImage({ repository: "a/b", tag: "1", layers: [Buffer.from("second")] });
    await registry.kill9();
    await expect(client.tags("a")).rejects.toThrow();
    await registry.start();
    await client.verifyImage("a", "1");
    await client.verifyImage("a/b", "1");
  });

  it("obeys its settings: read-only, no deletion, users, the debug port", async () => {
    const htpasswd = `u:${await bcrypt.hash("p", 4)}\n`;
    await using registry = await liveRegistry({ store: newFolder(), htpasswd, debug: true });
    using stranger = pushClient(registry.host);
    using client = pushClient(registry.host, "u:p");
    expect((await stranger.send("GET", "/v2/")).status).toBe(401);
    const { digest } = await client.pushImage({ repository: "a", tag: "1", layers: [] });
    expect((await fetch(`http://${registry.debugHost}/debug/health`)).status).toBe(200);
    await registry.restart({ readonly: true });
    await expect(client.pushBlob("a", Buffer.from("new"))).rejects.toThrow("405");
    await registry.restart({ readonly: false, deleteEnabled: false });
    await expect(client.deleteManifest("a", digest)).rejects.toThrow("405");
    await registry.restart({ deleteEnabled: true });
    await client.deleteManifest("a", digest);
    expect(await client.tags("a")).toEqual([]);
  });

  it("says why it does not start", async () => {
    const program = join(folder.path, "no-registry");
    writeFileSync(program, "#!/bin/sh\necho out of order\nexit 3\n", { mode: 0o755 });
    await expect(liveRegistry({ store: newFolder(), program })).rejects.toThrow(/ended with 3\nout of order/);
  });
});

describe("the push client", () => {
  it("pushes images, indexes, referrers and mounts that skopeo pulls", async () => {
    await using registry = await liveRegistry({ store: newFolder() });
    using client = pushClient(registry.host);
    const children = await Promise.all(
      (["oci", "docker"] as const).map((kind) =>
        client.pushImage({ repository: "a", layers: [Buffer.from(`layer ${kind}`)], kind }),
      ),
    );
    const index = await client.pushIndex({ repository: "a", tag: "all", manifests: children });
    await client.pushIndex({ repository: "a", tag: "docker", manifests: children.slice(1), kind: "docker" });
    await client.pushImage({ repository: "a", tag: "signature", layers: [Buffer.from("s")], subject: index });
    for (const tag of ["all", "docker", "signature"]) {
      await client.verifyImage("a", tag);
      await skopeoPulls(registry.host, `a:${tag}`);
    }
    const layer = digestOf(Buffer.from("layer oci"));
    expect(await client.mount("b", layer, "a")).toBe(true);
    expect((await client.send("HEAD", `/v2/b/blobs/${layer}`)).status).toBe(200);
    expect(await client.mount("b", digestOf(Buffer.from("nowhere")), "a")).toBe(false);
    expect(await client.catalog()).toEqual(["a", "b"]);
    expect(await client.tags("a")).toEqual(["all", "docker", "signature"]);
  });

  it("uploads nothing the registry has, and finds everything that is gone or differs", async () => {
    const store = newFolder();
    await using registry = await liveRegistry({ store });
    using client = pushClient(registry.host);
    const layers = ["kept", "gone", "altered"].map((text) => Buffer.from(text));
    const image = await client.pushImage({ repository: "a", layers });
    await client.pushIndex({ repository: "a", tag: "1", manifests: [image] });
    await client.verifyImage("a", "1");
    const [kept, gone, altered] = layers.map(digestOf) as [string, string, string];
    const { ino } = statSync(blobFile(store, kept));
    await client.pushBlob("a", Buffer.from("kept"));
    expect(statSync(blobFile(store, kept)).ino).toBe(ino);
    rmSync(blobFile(store, gone));
    writeFileSync(blobFile(store, altered), "ALTERED");
    const failure = await client.verifyImage("a", "1").catch(String);
    expect(failure).toContain(`blob ${gone} of manifest ${image.digest} is missing`);
    expect(failure).toContain(`blob ${altered} of manifest ${image.digest} differs`);
    expect(failure).not.toContain(kept);
    rmSync(blobFile(store, image.digest));
    await expect(client.verifyImage("a", "1")).rejects.toThrow(`manifest ${image.digest} is missing`);
  });

  it("sees the cut answers of a registry whose cache outlived a blob", async () => {
    const store = newFolder();
    await using registry = await liveRegistry({ store, cache: "inmemory" });
    using client = pushClient(registry.host);
    const layer = Buffer.from("layer");
    const { digest } = await client.pushImage({ repository: "a", tag: "1", layers: [layer] });
    await client.verifyImage("a", "1");
    await client.deleteManifest("a", digest);
    expect((await upstreamCollect(await debianRegistry(), store)).blobs).toContain(digestOf(layer));
    await client.pushImage({ repository: "a", tag: "2", layers: [layer], annotations: { another: "manifest" } });
    await expect(client.verifyImage("a", "2")).rejects.toThrow(`blob ${digestOf(layer)}`);
  });
});
