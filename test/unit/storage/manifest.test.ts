import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseManifest } from "../../../src/storage/manifest.ts";
import { runs } from "../../support/property-runs.ts";

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const descriptor = (digit: string, mediaType = "application/vnd.example") => ({
  mediaType,
  digest: digest(digit),
  size: 1,
});
const DOCKER = "application/vnd.docker.distribution.manifest";
const OCI = "application/vnd.oci.image";
const parse = (value: unknown) => parseManifest(JSON.stringify(value));

describe("what a manifest refers to", () => {
  it.each<[string, object, object]>([
    [
      "a Docker image",
      { schemaVersion: 2, mediaType: `${DOCKER}.v2+json`, config: descriptor("a"), layers: [descriptor("b")] },
      { kind: "image", blobs: [digest("a"), digest("b")], children: [], subject: undefined },
    ],
    [
      "an OCI image without a media type",
      { schemaVersion: 2, config: descriptor("a"), layers: [descriptor("b"), descriptor("c"), descriptor("b")] },
      { kind: "image", blobs: [digest("a"), digest("b"), digest("c"), digest("b")], children: [], subject: undefined },
    ],
    [
      "an image of a configuration alone",
      { schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config: descriptor("a"), layers: null },
      { kind: "image", blobs: [digest("a")], children: [], subject: undefined },
    ],
    [
      "an artifact attached to an image",
      {
        schemaVersion: 2,
        mediaType: `${OCI}.manifest.v1+json`,
        artifactType: "application/vnd.example.signature",
        config: descriptor("a", "application/vnd.oci.empty.v1+json"),
        layers: [descriptor("b")],
        subject: descriptor("c"),
        annotations: { config: digest("d") },
      },
      { kind: "image", blobs: [digest("a"), digest("b")], children: [], subject: digest("c") },
    ],
    [
      "an OCI index attached to another",
      {
        schemaVersion: 2,
        mediaType: `${OCI}.index.v1+json`,
        manifests: [{ ...descriptor("a"), platform: { os: "linux", digest: digest("d") } }, descriptor("b")],
        subject: descriptor("c"),
      },
      { kind: "index", blobs: [], children: [digest("a"), digest("b")], subject: digest("c") },
    ],
    [
      "a Docker manifest list",
      { schemaVersion: 2, mediaType: `${DOCKER}.list.v2+json`, manifests: [descriptor("a")] },
      { kind: "index", blobs: [], children: [digest("a")], subject: undefined },
    ],
    [
      "an index of nothing",
      { schemaVersion: 2, manifests: [] },
      { kind: "index", blobs: [], children: [], subject: undefined },
    ],
    [
      "schema 1",
      {
        schemaVersion: 1,
        name: "team/app",
        fsLayers: [{ blobSum: digest("a") }, { blobSum: digest("b") }],
        history: [{ v1Compatibility: "{}" }],
        signatures: [{ signature: "x" }],
      },
      { kind: "schema1", blobs: [digest("a"), digest("b")], children: [], subject: undefined },
    ],
    [
      "digests of other algorithms",
      { schemaVersion: 2, config: { digest: `sha512:${"a".repeat(128)}` }, layers: [{ digest: digest("b") }] },
      { kind: "image", blobs: [`sha512:${"a".repeat(128)}`, digest("b")], children: [], subject: undefined },
    ],
  ])("%s", (_, manifest, references) => {
    expect(parse(manifest)).toEqual(references);
  });

  /** Each was put into a docker-registry 2.8.2, which answered 201. */
  it.each<[string, object, object]>([
    [
      "an index whose list is null, as Go writes an empty one",
      { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: null },
      { kind: "index", blobs: [], children: [] },
    ],
    [
      "a manifest list without a list",
      { schemaVersion: 2, mediaType: `${DOCKER}.list.v2+json` },
      { kind: "index", blobs: [], children: [] },
    ],
    [
      "keys in another case, which Go takes for the same",
      { schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, Config: descriptor("a"), LAYERS: [descriptor("b")] },
      { kind: "image", blobs: [digest("a"), digest("b")] },
    ],
    [
      "only some keys in another case",
      { schemaVersion: 2, config: descriptor("a"), Layers: [{ Digest: digest("b") }], layers: [descriptor("c")] },
      { kind: "image", blobs: expect.arrayContaining([digest("a"), digest("b"), digest("c")]) },
    ],
    [
      "a subject that is no descriptor",
      { schemaVersion: 2, config: descriptor("a"), subject: "x" },
      { kind: "image", blobs: [digest("a")], subject: undefined },
    ],
    [
      "a subject with no digest",
      { schemaVersion: 2, config: descriptor("a"), subject: { mediaType: "x", digest: "garbage", size: 1 } },
      { kind: "image", blobs: [digest("a")], subject: undefined },
    ],
    [
      "layers of schema 1 in schema 2",
      { schemaVersion: 2, config: descriptor("a"), fsLayers: "x" },
      { kind: "image", blobs: [digest("a")] },
    ],
  ])("what registries store although no client should send it: %s", (_, manifest, references) => {
    expect(parse(manifest)).toMatchObject(references);
  });
});

describe("what is no manifest", () => {
  it.each<[string, string]>([
    ["nothing", ""],
    ["zeros, as a crash leaves", "\0".repeat(600)],
    ["a manifest cut off", JSON.stringify({ config: descriptor("a"), layers: [] }).slice(0, -3)],
    ["two in one", "{}{}"],
    ["null", "null"],
    ["a list", "[]"],
    ["a number", "7"],
    ["a text", '"manifest"'],
    ["an empty object", "{}"],
    ["an image configuration", JSON.stringify({ architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } })],
    ["a configuration that is null", '{"config":null,"layers":[]}'],
    ["a configuration that is no descriptor", '{"config":{},"layers":[]}'],
    ["a configuration that is a text", `{"config":"${digest("a")}"}`],
    ["layers without a configuration", JSON.stringify({ layers: [descriptor("a")] })],
    ["layers that are no list", JSON.stringify({ config: descriptor("a"), layers: descriptor("b") })],
    ["manifests that are no list", JSON.stringify({ config: descriptor("a"), manifests: "none" })],
    ["a layer that is null", JSON.stringify({ config: descriptor("a"), layers: [null] })],
    ["a child without a digest", JSON.stringify({ manifests: [{ size: 1 }] })],
    ["a digest without an algorithm", JSON.stringify({ manifests: [{ digest: "a".repeat(64) }] })],
    ["a digest that is a path", JSON.stringify({ manifests: [{ digest: `sha256:../../${"a".repeat(64)}` }] })],
    ["an algorithm that is a path", JSON.stringify({ manifests: [{ digest: `../../x:${"a".repeat(64)}` }] })],
    ["a digest with a line end", JSON.stringify({ manifests: [{ digest: `${digest("a")}\n` }] })],
    ["a digest that is a list", JSON.stringify({ manifests: [{ digest: [digest("a")] }] })],
    ["schema 1 without digests", JSON.stringify({ schemaVersion: 1, fsLayers: [{}] })],
    ["inherited keys", '{"__proto__":{"config":{"digest":"x"}}}'],
  ])("is refused, never taken for one that needs nothing: %s", (_, text) => {
    expect(() => parseManifest(text)).toThrow(Error);
  });

  it("is refused whatever it is; what is taken for an image names its configuration at least", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json({ maxDepth: 4 }),
      fc
        .dictionary(
          fc.constantFrom(
            "config",
            "Config",
            "layers",
            "manifests",
            "fsLayers",
            "subject",
            "mediaType",
            "schemaVersion",
          ),
          fc.oneof(
            fc.jsonValue({ maxDepth: 2 }),
            fc.constantFrom(descriptor("a"), [descriptor("b")], [], {}, 2, `${OCI}.index.v1+json`),
          ),
        )
        .map((fields) => JSON.stringify(fields)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let references: ReturnType<typeof parseManifest>;
        try {
          references = parseManifest(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        const written = JSON.parse(text);
        if (references.kind === "image") expect(references.blobs.length).toBeGreaterThan(0);
        else expect(Array.isArray(written.manifests ?? written.fsLayers) || "mediaType" in written).toBe(true);
        for (const one of [...references.blobs, ...references.children]) expect(text).toContain(one);
      }),
      { numRuns: runs(300) },
    );
  });
});
