/** What registries store, made from names alone: the same name gives the same bytes and digests on every machine. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export const OCI = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

export const DOCKER = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

export const PLATFORMS = [
  { architecture: "amd64", os: "linux" },
  { architecture: "arm64", os: "linux", variant: "v8" },
  { architecture: "s390x", os: "linux" },
];

export function digestOf(data) {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Four independent streams' worth of bits from one text (sfc32 seeded by its hash): numbers in [0, 1). */
export function randomFrom(text) {
  const seed = createHash("sha256").update(text).digest();
  let [a, b, c, d] = [seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), seed.readInt32LE(12)];
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
}

/** A layer of one small file, `data` as it is stored (tar, gzip) and the digest of the tar. */
export function makeLayer(name) {
  const content = Buffer.from(
    `${name}\n${createHash("sha512").update(name).digest("hex")}\n`.repeat(1 + (name.length % 4)),
  );
  const padded = Math.ceil(content.length / 512) * 512;
  const tar = Buffer.alloc(512 + padded + 1024);
  tar.write(`content-${digestOf(name).slice(7, 19)}`, 0, "latin1");
  tar.write("0000644\u00000000000\u00000000000\u0000", 100, "latin1");
  tar.write(`${content.length.toString(8).padStart(11, "0")}\u000000000000000\u0000        0`, 124, "latin1");
  tar.write("ustar\u000000", 257, "latin1");
  let sum = 0;
  for (let at = 0; at < 512; at += 1) sum += tar[at];
  tar.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  content.copy(tar, 512);
  // Level 0: other levels give other bytes with other versions of zlib.
  const data = gzipSync(tar, { level: 0 });
  return { data, digest: digestOf(data), size: data.length, diffId: digestOf(tar) };
}

const JSON_BLOB = (value) => {
  const data = Buffer.from(JSON.stringify(value));
  return { data, digest: digestOf(data), size: data.length };
};

/** An image's configuration; `name` makes it unlike others. */
export function makeConfig(name, layers, created, platform = PLATFORMS[0]) {
  return JSON_BLOB({
    ...platform,
    created,
    config: { Cmd: ["/content"], Labels: { "org.opencontainers.image.title": name } },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created, created_by: name })),
  });
}

const descriptor = (mediaType, { digest, size }) => ({ mediaType, digest, size });

/** @param extra  fields beside: `subject`, `annotations`, `artifactType`, or `mediaType: undefined` to leave it out. */
export function makeManifest(types, config, layers, extra = {}) {
  const made = JSON_BLOB({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(config.mediaType ?? types.config, config),
    layers: layers.map((layer) => descriptor(types.layer, layer)),
    ...extra,
  });
  return { ...made, mediaType: types.manifest };
}

/** @param children  manifests, each with its own `mediaType`; Docker's list wants a platform for each. */
export function makeIndex(types, children, extra = {}) {
  const manifests = children.map((child, at) => ({
    ...descriptor(child.mediaType, child),
    platform: PLATFORMS[at % PLATFORMS.length],
  }));
  return { ...JSON_BLOB({ schemaVersion: 2, mediaType: types.index, manifests, ...extra }), mediaType: types.index };
}
