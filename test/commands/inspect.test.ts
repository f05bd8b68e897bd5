import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { type SmallStore, smallStore, type Written } from "../support/small-store.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
let store: SmallStore;
let amd64: Written;
let multi: Written;
let sbom: Written;
let provenance: Written;
let signature: Written;

beforeAll(() => {
  store = smallStore(folder.path);
  amd64 = store.image("team/app", ["base", "amd64"], {
    config: {
      created: "2026-01-01T00:00:00Z",
      config: {
        Labels: { "org.opencontainers.image.title": "app", hostile: "a\u001b[2Jb\nc" },
        Env: ["PATH=/bin"],
        Entrypoint: ["/app", "with space"],
        Cmd: ["serve"],
      },
    },
    manifest: { annotations: { note: "kept" } },
  });
  multi = store.index("team/app", [{ ...amd64, platform: { os: "linux", architecture: "amd64" } }]);
  const empty = store.layer("team/app", "{}", "application/vnd.oci.empty.v1+json");
  const attach = (content: string, artifactType: string, subject?: Written) =>
    store.manifest(
      "team/app",
      {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactType,
        config: empty,
        layers: [store.layer("team/app", content, artifactType)],
        ...(subject === undefined ? {} : { subject }),
      },
      "application/vnd.oci.image.manifest.v1+json",
    );
  sbom = attach("bill", "application/spdx+json", multi);
  provenance = attach("origin", "application/vnd.in-toto+json");
  signature = attach("signed", "application/vnd.dev.cosign.simplesigning.v1+json");
  const hex = multi.digest.slice(7);
  store.tag("team/app", "1", multi, new Date("2026-01-02T00:00:00Z"));
  store.tag("team/app", "latest", multi);
  store.tag(
    "team/app",
    `sha256-${hex}`,
    store.index("team/app", [{ ...provenance, artifactType: "application/vnd.in-toto+json" }]),
  );
  store.tag("team/app", `sha256-${hex}.sig`, signature);
});

const inspect = (...argv: string[]) => run(["inspect", "--data", folder.path, ...argv]);
const json = async (image: string) => JSON.parse((await inspect(image, "--json")).stdout).data;

describe("inspect", () => {
  it("shows an index with its manifests, tags and everything attached to it", async () => {
    const data = await json("team/app:1");
    expect(data).toMatchObject({
      source: "disk",
      repository: "team/app",
      tag: "1",
      digest: multi.digest,
      kind: "index",
      platforms: ["linux/amd64"],
      pushed: "2026-01-02T00:00:00.000Z",
      created: "2026-01-01T00:00:00.000Z",
      tags: ["1", "latest"],
      manifests: [
        { digest: amd64.digest, platform: { os: "linux", architecture: "amd64" }, config: { cmd: ["serve"] } },
      ],
      missing: [],
      problem: null,
    });
    expect(data.referrers).toEqual([
      { digest: sbom.digest, purpose: "sbom", artifactType: "application/spdx+json", by: "subject", tag: null },
      {
        digest: provenance.digest,
        purpose: "attestation",
        artifactType: "application/vnd.in-toto+json",
        by: "referrers tag",
        tag: `sha256-${multi.digest.slice(7)}`,
      },
      {
        digest: signature.digest,
        purpose: "signature",
        artifactType: "application/vnd.dev.cosign.simplesigning.v1+json",
        by: "tag",
        tag: `sha256-${multi.digest.slice(7)}.sig`,
      },
    ]);
  });

  it("shows an image: configuration, layers, which index it is part of", async () => {
    const { exitCode, stdout, stderr } = await inspect(`team/app@${amd64.digest}`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`Part of:    ${multi.digest}\n`);
    expect(stdout).toMatch(/^Tags: +none$/m);
    expect(stdout).toMatch(/^Entrypoint: \/app "with space"$/m);
    expect(stdout).toContain("  org.opencontainers.image.title=app\n");
    expect(stdout).toContain("  hostile=a\\u001b[2Jb\\u000ac\n");
    expect(stdout).toContain("Annotations:\n  note=kept");
    expect(stdout).toContain("Environment:\n  PATH=/bin");
    expect(stdout).not.toContain("\u001b");
    const data = await json(`team/app@${amd64.digest}`);
    expect(data.layers.map(({ sizeBytes }: { sizeBytes: number }) => sizeBytes)).toEqual([4, 5]);
    expect(data.tag).toBeNull();
  });

  it("--raw prints the very bytes", async () => {
    expect((await inspect("team/app:1", "--raw")).stdout).toBe(readFileSync(store.dataOf(multi.digest), "utf8"));
  });

  it("takes latest where nothing is said", async () => {
    expect((await json("team/app")).digest).toBe(multi.digest);
  });

  it.each([
    ["team/app:lates", "is it team/app:latest?"],
    ["team/apq:1", "is it team/app?"],
    [`team/app@sha256:${"0".repeat(64)}`, "regctl tags team/app"],
    [`team/app:${"0".repeat(64)}`, `write team/app@sha256:${"0".repeat(64)}`],
    ["team/app@sha256:12", "64 lower-case hexadecimal digits"],
    ["../../etc:1", "has .. in it"],
  ])("%s: %s", async (image, hint) => {
    const { exitCode, stdout, stderr } = await inspect(image);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(hint);
  });

  it("exits with 3 and names the parts that are missing", async () => {
    await using other = temporaryDirectory();
    const broken = smallStore(other.path);
    const image = broken.image("app", ["first", "second"]);
    broken.tag("app", "1", image);
    const { layers } = JSON.parse(readFileSync(broken.dataOf(image.digest), "utf8"));
    const [first, second] = layers.map(({ digest }: Written) => digest) as [string, string];
    rmSync(broken.dataOf(first));
    rmSync(broken.pathOf("repositories/app/_layers/sha256", second.slice(7)), { recursive: true });
    const { exitCode, stdout } = await run(["inspect", "app:1", "--data", other.path, "--json"]);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout).data.missing).toEqual([
      { digest: first, what: "layer", why: "its content is missing" },
      { digest: second, what: "layer", why: "app does not link it" },
    ]);
    writeFileSync(broken.dataOf(image.digest), "{}");
    const damaged = await run(["inspect", "app:1", "--data", other.path]);
    expect(damaged.exitCode).toBe(3);
    expect(damaged.stderr).toContain("its content does not have its digest");
    expect(await run(["inspect", "app:1", "--raw", "--data", other.path])).toMatchObject({ exitCode: 1, stdout: "" });
  });
});
