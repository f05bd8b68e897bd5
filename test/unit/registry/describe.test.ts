import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { describeManifest, storedBytes } from "../../../src/registry/describe.ts";
import { describeConfig } from "../../../src/registry/describe-config.ts";
import { runs } from "../../support/property-runs.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const part = (letter: string, size: number, mediaType: string, extra: object = {}) => ({
  mediaType,
  digest: digest(letter),
  size,
  ...extra,
});
const bytesOf = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

describe("an image", () => {
  const image = {
    schemaVersion: 2,
    mediaType: OCI,
    config: part("c", 100, CONFIG),
    layers: [
      part("1", 1_000, LAYER),
      part("1", 1_000, LAYER),
      part("2", 500, LAYER),
      part("f", 9_000, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
    ],
    annotations: { "org.opencontainers.image.title": "an image", odd: 1 },
  };

  it("has its configuration, its layers in order, and the bytes a registry stores of it", () => {
    const bytes = bytesOf(image);
    const described = describeManifest(bytes);
    expect(described).toMatchObject({
      kind: "image",
      mediaType: OCI,
      artifactType: undefined,
      purpose: undefined,
      subject: undefined,
      children: [],
      annotations: { "org.opencontainers.image.title": "an image" },
    });
    expect(described.config?.digest).toBe(digest("c"));
    expect(described.layers.map((layer) => layer.digest)).toEqual(["1", "1", "2", "f"].map(digest));
    expect(described.sizeBytes).toBe(bytes.length + 100 + 1_000 + 500);
    expect(described.annotations).not.toHaveProperty("odd");
  });

  it("is known by its own type, the registry's, or its looks", () => {
    const { mediaType: _, ...untyped } = image;
    expect(describeManifest(bytesOf(untyped)).mediaType).toBe(OCI);
    const docker = "application/vnd.docker.distribution.manifest.v2+json";
    expect(describeManifest(bytesOf(untyped), `${docker}; charset=utf-8`).mediaType).toBe(docker);
    expect(describeManifest(bytesOf(image), "text/plain").mediaType).toBe(OCI);
    expect(describeManifest(bytesOf({ manifests: [] }), "application/json").kind).toBe("index");
  });
});

describe("names", () => {
  it("are read in any case, as distribution reads them: it stores and follows such manifests", () => {
    const layers = [part("1", 7, LAYER)];
    const written = {
      SchemaVersion: 2,
      Config: part("c", 1, CONFIG),
      LAYERS: layers,
      "\u017fubject": part("a", 1, OCI),
    };
    expect(describeManifest(bytesOf(written))).toMatchObject({
      kind: "image",
      layers: [{ digest: digest("1") }],
      subject: { digest: digest("a") },
    });
    expect(describeManifest(bytesOf({ Manifests: [part("a", 1, OCI)] })).children).toHaveLength(1);
  });
});

describe("an index", () => {
  it("has children with platforms, and BuildKit's attestations apart", () => {
    const described = describeManifest(
      bytesOf({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [
          part("a", 10, OCI, { platform: { os: "linux", architecture: "amd64" } }),
          part("b", 11, OCI, { platform: { os: "linux", architecture: "arm64", variant: "v8" } }),
          part("d", 12, OCI, { platform: { os: "windows", architecture: "amd64", "os.version": "10.0.1" } }),
          part("e", 13, OCI, {
            platform: { os: "unknown", architecture: "unknown" },
            annotations: {
              "vnd.docker.reference.type": "attestation-manifest",
              "vnd.docker.reference.digest": digest("a"),
            },
          }),
        ],
      }),
    );
    expect(described.kind).toBe("index");
    expect(described.children.map(({ platform, attests, purpose }) => ({ platform, attests, purpose }))).toEqual([
      {
        platform: { os: "linux", architecture: "amd64", variant: undefined, osVersion: undefined },
        attests: undefined,
        purpose: undefined,
      },
      {
        platform: { os: "linux", architecture: "arm64", variant: "v8", osVersion: undefined },
        attests: undefined,
        purpose: undefined,
      },
      {
        platform: { os: "windows", architecture: "amd64", variant: undefined, osVersion: "10.0.1" },
        attests: undefined,
        purpose: undefined,
      },
      { platform: undefined, attests: digest("a"), purpose: "attestation" },
    ]);
  });

  it("of referrers says what each of them is", () => {
    const described = describeManifest(
      bytesOf({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [
          part("a", 1, OCI, { artifactType: "application/vnd.cyclonedx+json" }),
          part("b", 1, OCI, { artifactType: "application/vnd.cncf.notary.signature" }),
          part("d", 1, OCI, {
            artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
            annotations: { "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1" },
          }),
        ],
      }),
    );
    expect(described.children.map((child) => child.purpose)).toEqual(["sbom", "signature", "provenance"]);
  });
});

describe("an artifact", () => {
  const made = (config: object, layers: object[], extra: object = {}) =>
    describeManifest(bytesOf({ schemaVersion: 2, mediaType: OCI, config, layers, ...extra }));
  const image = part("c", 2, CONFIG);
  const empty = part("c", 2, "application/vnd.oci.empty.v1+json");
  const intoto = (predicate: string) =>
    part("1", 9, "application/vnd.in-toto+json", { annotations: { "in-toto.io/predicate-type": predicate } });

  it.each([
    ["cosign signature", made(image, [part("1", 9, "application/vnd.dev.cosign.simplesigning.v1+json")]), "signature"],
    ["cosign attestation", made(image, [part("1", 9, "application/vnd.dsse.envelope.v1+json")]), "attestation"],
    ["cosign SBOM", made(image, [part("1", 9, "text/spdx+json")]), "sbom"],
    ["CycloneDX", made(image, [part("1", 9, "application/vnd.cyclonedx+json")]), "sbom"],
    ["BuildKit SBOM", made(image, [intoto("https://spdx.dev/Document")]), "sbom"],
    ["BuildKit provenance", made(image, [intoto("https://slsa.dev/provenance/v0.2")]), "provenance"],
    ["some attestation", made(image, [intoto("https://example.com/test-result/v1")]), "attestation"],
    ["Helm chart", made(part("c", 9, "application/vnd.cncf.helm.config.v1+json"), []), "chart"],
    ["anything", made(empty, [part("1", 9, "text/plain")], { artifactType: "application/x" }), "other"],
    ["something empty", made(empty, [part("1", 9, "text/plain")]), "other"],
  ])("%s", (_, described, purpose) => {
    expect(described).toMatchObject({ kind: "artifact", purpose });
  });

  it("has a type of its own or its configuration's, and what it is attached to", () => {
    const subject = part("a", 7, OCI);
    expect(made(empty, [], { artifactType: "application/x", subject })).toMatchObject({
      artifactType: "application/x",
      subject: { digest: digest("a"), sizeBytes: 7 },
    });
    expect(made(part("c", 2, "application/y"), [])).toMatchObject({ kind: "artifact", artifactType: "application/y" });
  });

  it("may be of the type that OCI withdrew", () => {
    const mediaType = "application/vnd.oci.artifact.manifest.v1+json";
    const described = describeManifest(bytesOf({ mediaType, artifactType: "text/x", blobs: [part("1", 9, "text/x")] }));
    expect(described).toMatchObject({ kind: "artifact", config: undefined, layers: [{ digest: digest("1") }] });
  });
});

describe("what is no manifest", () => {
  const config = part("c", 1, CONFIG);
  it.each([
    "",
    "null",
    "[]",
    '"sha256"',
    "{}",
    "{",
    '{"schemaVersion":2,"layers":[]}',
    { mediaType: INDEX },
    { mediaType: INDEX, manifests: {} },
    { mediaType: INDEX, manifests: [null] },
    { mediaType: OCI, manifests: [] },
    { mediaType: OCI, config: null, layers: [] },
    { config, layers: "none" },
    { config, layers: [{ ...config, digest: "sha256:../../x" }] },
    { config, layers: [{ ...config, digest: undefined }] },
    { config, layers: [{ ...config, size: -1 }] },
    { config, layers: [{ ...config, size: "12" }] },
    { config: { ...config, size: 1e300 }, layers: [] },
    { config, layers: [], subject: { digest: "x" } },
    { schemaVersion: 1, fsLayers: [] },
    { schemaVersion: 1, fsLayers: [{ blobSum: "tarsum" }] },
  ])("is never taken for one without references: %j", (value) => {
    expect(() => describeManifest(bytesOf(value))).toThrow(RegctlError);
    expect(() => describeManifest(bytesOf(value))).toThrow(/^this is no manifest: /);
  });

  it("either describes any document or refuses it, never fails otherwise", () => {
    const descriptor = fc.record(
      {
        mediaType: fc.oneof(fc.constant(LAYER), fc.anything()),
        digest: fc.oneof(fc.constant(digest("a")), fc.anything()),
        size: fc.oneof(fc.nat(), fc.anything()),
        annotations: fc.anything(),
        platform: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const some = fc.oneof(descriptor, fc.array(descriptor, { maxLength: 3 }), fc.anything());
    const keys = {
      config: some,
      layers: some,
      manifests: some,
      fsLayers: some,
      subject: some,
      annotations: fc.anything(),
    };
    const types = fc.constantFrom(OCI, INDEX, "application/vnd.docker.distribution.manifest.v1+json", "");
    fc.assert(
      fc.property(fc.record({ mediaType: types, ...keys }, { requiredKeys: [] }), (document) => {
        let text: string | undefined;
        try {
          text = JSON.stringify(document);
        } catch {
          return;
        }
        try {
          expect(describeManifest(Buffer.from(text)).sizeBytes).toBeGreaterThanOrEqual(Buffer.byteLength(text));
        } catch (error) {
          expect(error).toBeInstanceOf(RegctlError);
        }
      }),
      { numRuns: runs(1_000) },
    );
  });
});

describe("storedBytes", () => {
  it("counts what is shared once", () => {
    const described = describeManifest(
      bytesOf({ config: part("c", 5, CONFIG), layers: [part("1", 7, LAYER), part("2", 11, LAYER)] }),
    );
    expect(
      storedBytes([...described.layers, ...described.layers, ...(described.config ? [described.config] : [])]),
    ).toBe(23);
  });
});

describe("describeConfig", () => {
  it("has what inspect shows", () => {
    const described = describeConfig(
      bytesOf({
        created: "2026-01-02T03:04:05.678Z",
        architecture: "arm64",
        variant: "v8",
        os: "linux",
        author: "someone",
        config: {
          User: "1000:1000",
          ExposedPorts: { "8080/tcp": {} },
          Env: ["PATH=/bin"],
          Entrypoint: ["/app"],
          Cmd: ["serve"],
          Volumes: { "/data": {} },
          WorkingDir: "/srv",
          Labels: { "org.opencontainers.image.version": "1.2" },
          StopSignal: "SIGINT",
        },
        history: [{ created_by: "COPY . ." }, { created_by: "CMD", empty_layer: true }],
      }),
    );
    expect(described).toEqual({
      platform: { os: "linux", architecture: "arm64", variant: "v8", osVersion: undefined },
      created: "2026-01-02T03:04:05.678Z",
      author: "someone",
      labels: { "org.opencontainers.image.version": "1.2" },
      environment: ["PATH=/bin"],
      entrypoint: ["/app"],
      command: ["serve"],
      user: "1000:1000",
      workingDirectory: "/srv",
      exposedPorts: ["8080/tcp"],
      volumes: ["/data"],
      stopSignal: "SIGINT",
      history: [
        { createdBy: "COPY . .", isEmptyLayer: false },
        { createdBy: "CMD", isEmptyLayer: true },
      ],
    });
  });

  it("takes anything that is an object, and nothing else", () => {
    expect(describeConfig(bytesOf("{}"))).toMatchObject({ platform: undefined, created: undefined, labels: {} });
    expect(describeConfig(bytesOf({ created: "yesterday", config: null, history: 1 })).created).toBeUndefined();
    for (const text of ["", "null", "[]", "1"]) expect(() => describeConfig(bytesOf(text))).toThrow(RegctlError);
  });
});
