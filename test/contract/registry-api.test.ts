/** Our client of `/v2/` against Debian's registry; what it should find is pushed and looked up by other clients. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import bcrypt from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRegistryApi, type RegistryApi } from "../../src/registry/api.ts";
import { describeManifest } from "../../src/registry/describe.ts";
import { Secret } from "../../src/secret.ts";
import { busyboxArchive } from "../support/busybox-image.ts";
import { configuredRegistry } from "../support/configured-registry.ts";
import { type LiveRegistry, liveRegistry } from "../support/live-registry.ts";
import { type PushClient, pushClient } from "../support/push-client.ts";
import { gather, rejection } from "../support/scripted-registry.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const run = promisify(execFile);

let folder: TemporaryDirectory;
let registry: LiveRegistry;
let pusher: PushClient;
let api: RegistryApi;

beforeAll(async () => {
  folder = temporaryDirectory();
  registry = await liveRegistry({ store: join(folder.path, "store") });
  pusher = pushClient(registry.host);
  api = createRegistryApi({ url: registry.url });
});

afterAll(async () => {
  api?.close();
  pusher?.[Symbol.dispose]();
  await registry?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const sha256 = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

describe("the catalog", () => {
  it("has every one of 2,345 repositories, nested ones too, in three pages", async () => {
    const store = join(folder.path, "many");
    const names = Array.from({ length: 2_345 }, (_, index) => (index % 5 === 0 ? `r${index}/sub/x` : `r${index}`));
    for (const name of names) {
      mkdirSync(join(store, "docker/registry/v2/repositories", name, "_layers"), { recursive: true });
    }
    await using many = await liveRegistry({ store });
    const client = createRegistryApi({ url: many.url });
    const listed = await gather(client.catalog());
    client.close();
    expect(listed).toHaveLength(2_345);
    expect(listed.sort()).toEqual(names.sort());
  });

  it("is read with shorter pages where the registry allows no longer ones", async () => {
    await using small = await configuredRegistry({ catalog: { maxentries: 2 } });
    const client = createRegistryApi({ url: small.url });
    const push = pushClient(small.host);
    for (const repository of ["a", "b", "c/d", "e", "f"]) await push.pushImage({ repository, tag: "1", layers: [] });
    expect(await gather(client.catalog())).toEqual(["a", "b", "c/d", "e", "f"]);
    push[Symbol.dispose]();
    client.close();
  });

  it("is read under a prefix", async () => {
    await using prefixed = await configuredRegistry({ http: { prefix: "/behind/" }, catalog: { maxentries: 1 } });
    const client = createRegistryApi({ url: prefixed.url, prefix: "/behind/" });
    for (const repository of ["a", "b"]) {
      const digest = await client.pushBlob(repository, Buffer.from("{}"));
      const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
      const manifest = JSON.stringify({ schemaVersion: 2, config, layers: [] });
      await client.putManifest(repository, "1", Buffer.from(manifest), "application/vnd.oci.image.manifest.v1+json");
    }
    expect(await gather(client.catalog())).toEqual(["a", "b"]);
    expect(await client.tags("b")).toEqual(["1"]);
    client.close();
  });
});

describe("tags and manifests", () => {
  it("lists tags, tells an empty repository from an unknown one", async () => {
    const image = await pusher.pushImage({ repository: "tags/listed", tag: "b", layers: [Buffer.from("1")] });
    await pusher.pushImage({ repository: "tags/listed", tag: "a", layers: [Buffer.from("1")] });
    expect(await api.tags("tags/listed")).toEqual(["a", "b"]);
    expect(await api.deleteManifest("tags/listed", image.digest)).toBe(true);
    expect(await api.tags("tags/listed")).toEqual([]);
    expect(await api.tags("tags/unknown")).toBeUndefined();
    expect(await api.deleteManifest("tags/listed", image.digest)).toBe(false);
  });

  it.each(["oci", "docker"] as const)("reads %s images and indexes as they were pushed", async (kind) => {
    const repository = `read/${kind}`;
    const children = [];
    for (const layer of ["x", "y"]) {
      children.push(await pusher.pushImage({ repository, layers: [Buffer.from(layer)], kind }));
    }
    const index = await pusher.pushIndex({ repository, tag: "multi", manifests: children, kind });
    const read = await api.manifest(repository, "multi");
    expect(read).toMatchObject({ digest: index.digest, mediaType: index.mediaType });
    expect(sha256(read.bytes)).toBe(index.digest);
    expect(describeManifest(read.bytes, read.mediaType)).toMatchObject({
      kind: "index",
      children: children.map(({ digest, size }) => ({ digest, sizeBytes: size })),
    });
    expect(await api.headManifest(repository, "multi")).toEqual({
      digest: index.digest,
      mediaType: index.mediaType,
      sizeBytes: index.size,
    });
    const child = await api.manifest(repository, children[0]?.digest as string);
    const image = describeManifest(child.bytes, child.mediaType);
    expect(image).toMatchObject({ kind: "image", layers: [{ digest: sha256(Buffer.from("x")), sizeBytes: 1 }] });
    const config = await api.blob(repository, image.config?.digest as string);
    expect(JSON.parse(String(config))).toMatchObject({ architecture: "amd64" });
    expect(await api.headManifest(repository, "none")).toBeUndefined();
    expect(await rejection(api.manifest(repository, "none"))).toMatchObject({
      code: "not-found",
      details: { reason: "not-found", codes: ["MANIFEST_UNKNOWN"] },
    });
  });

  it("verifies a signed schema1 manifest, whose digest is of its payload", async () => {
    await using old = await configuredRegistry({ compatibility: { schema1: { enabled: true } } });
    const archive = join(folder.path, "busybox.tar");
    writeFileSync(archive, await busyboxArchive());
    const target = `docker://${old.host}/old:1`;
    await run("skopeo", [
      "copy",
      "-q",
      "--dest-tls-verify=false",
      "--format",
      "v2s1",
      `docker-archive:${archive}`,
      target,
    ]);
    const client = createRegistryApi({ url: old.url });
    const head = await client.headManifest("old", "1");
    expect(head?.mediaType).toBe("application/vnd.docker.distribution.manifest.v1+prettyjws");
    const manifest = await client.manifest("old", head?.digest as string);
    expect(manifest.digest).toBe(head?.digest);
    expect(sha256(manifest.bytes)).not.toBe(head?.digest);
    expect((await client.manifest("old", "1")).digest).toBe(head?.digest);
    expect(describeManifest(manifest.bytes, manifest.mediaType)).toMatchObject({
      kind: "schema1",
      platform: { os: "linux", architecture: "amd64" },
    });
    client.close();
  });

  it("rejects what is damaged on the disk", async () => {
    const { digest } = await pusher.pushImage({ repository: "damaged", tag: "1", layers: [Buffer.from("whole")] });
    const layer = sha256(Buffer.from("whole")).slice("sha256:".length);
    const blobs = join(registry.store, "docker/registry/v2/blobs/sha256");
    writeFileSync(join(blobs, layer.slice(0, 2), layer, "data"), "holey");
    expect(await rejection(api.blob("damaged", `sha256:${layer}`))).toMatchObject({ details: { reason: "corrupt" } });
    expect((await api.manifest("damaged", digest)).digest).toBe(digest);
  });
});

describe("deleting a tag of 2.8", () => {
  it("leaves the tags on the same digest, the manifest and everything below it", async () => {
    const repository = "siblings/app";
    const child = await pusher.pushImage({ repository, layers: [Buffer.from("layer")] });
    const index = await pusher.pushIndex({ repository, tag: "1.0", manifests: [child] });
    const { bytes, mediaType } = await api.manifest(repository, "1.0");
    for (const tag of ["1", "latest"]) await api.putManifest(repository, tag, bytes, mediaType);

    expect(await api.deleteTag(repository, "1")).toBe(true);
    expect(await pusher.tags(repository)).toEqual(["1.0", "latest"]);
    expect(await api.deleteTag(repository, "1")).toBe(false);
    expect(await api.deleteTag(repository, "1.0")).toBe(true);
    expect(await pusher.tags(repository)).toEqual(["latest"]);
    expect((await pusher.getManifest(repository, "latest"))?.digest).toBe(index.digest);
    expect(await api.deleteTag(repository, "latest")).toBe(true);
    expect(await pusher.tags(repository)).toEqual([]);
    expect(await pusher.verifyImage(repository, index.digest)).toContain(child.digest);
    expect(await api.deleteTag("siblings/none", "1")).toBe(false);
  });

  it("does not touch it when the registry does not delete, or takes no changes", async () => {
    const store = join(folder.path, "kept");
    await using kept = await liveRegistry({ store, deleteEnabled: false });
    const push = pushClient(kept.host);
    const { digest } = await push.pushImage({ repository: "kept", tag: "1", layers: [] });
    const client = createRegistryApi({ url: kept.url });
    const unsupported = { code: "registry-failed", details: { reason: "unsupported", status: 405 } };
    expect(await rejection(client.deleteTag("kept", "1"))).toMatchObject(unsupported);
    expect(await rejection(client.deleteManifest("kept", digest))).toMatchObject(unsupported);
    await kept.restart({ deleteEnabled: true, readonly: true });
    expect(await rejection(client.deleteTag("kept", "1"))).toMatchObject(unsupported);
    expect((await push.getManifest("kept", "1"))?.digest).toBe(digest);
    push[Symbol.dispose]();
    client.close();
  });
});

describe("with htpasswd", () => {
  it("works with the right password, says how to log in with none or a wrong one", async () => {
    const htpasswd = `alice:${await bcrypt.hash("correct horse", 4)}\n`;
    await using closed = await liveRegistry({ store: join(folder.path, "closed"), htpasswd });
    const credentials = { username: "alice", password: new Secret("correct horse") };
    const alice = createRegistryApi({ url: closed.url, credentials });
    await alice.pushBlob("mine", Buffer.from("{}"));
    expect(await gather(alice.catalog())).toEqual(["mine"]);
    expect(await alice.map(Array.from({ length: 40 }), () => alice.headManifest("mine", "none"))).toHaveLength(40);
    alice.close();
    for (const wrong of [undefined, { username: "alice", password: new Secret("battery staple") }]) {
      const client = createRegistryApi({ url: closed.url, credentials: wrong });
      const error = await rejection(client.tags("mine"));
      expect(error).toMatchObject({
        code: "registry-failed",
        hint: `log in: \`docker login ${closed.host}\``,
        details: { reason: "unauthorized", status: 401 },
      });
      expect(String((error as Error).message)).not.toContain("battery");
      client.close();
    }
  });
});
