import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blobNames, inCatalogOrder, namesIn, walkRepositories } from "../../../src/storage/repositories.ts";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PARTS = ["_manifests", "_layers", "_uploads"];

function make(root: string, repositories: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, parts] of Object.entries(repositories))
    for (const part of parts) mkdirSync(join(root, name, part), { recursive: true });
}

/** By name, component by component: what a registry's walk gives. */
function byComponents(left: string, right: string): number {
  const [a, b] = [left.split("/"), right.split("/")];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    if (a[at] !== b[at]) return (a[at] as string) < (b[at] as string) ? -1 : 1;
  }
  return a.length - b.length;
}

describe("walkRepositories", () => {
  it("names what has a part of a repository, nested ones as well, in the order of the catalog", async () => {
    const component = fc.constantFrom("a", "b", "a-b", "a.b", "a__b", "ab", "0", "z-1");
    const name = fc.array(component, { minLength: 1, maxLength: 4 }).map((components) => components.join("/"));
    const parts = fc.subarray(PARTS, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, parts, { maxKeys: 12, noNullPrototype: true }), async (repositories) => {
        await using folder = temporaryDirectory();
        make(folder.path, repositories);
        const found = [...walkRepositories(folder.path)];
        expect(found.map((repository) => repository.name)).toEqual(Object.keys(repositories).sort(byComponents));
        expect(inCatalogOrder(found.toReversed())).toEqual(found);
        for (const repository of found)
          expect([...repository.parts].sort()).toEqual([...(repositories[repository.name] as string[])].sort());
      }),
      { numRuns: runs(25) },
    );
  });

  it("tells a, a/b, a-b and ab apart", async () => {
    await using folder = temporaryDirectory();
    make(folder.path, { "a-b": PARTS, ab: PARTS, "a/b": PARTS, a: PARTS, "only/nested/c": ["_uploads"] });
    const names = [...walkRepositories(folder.path)].map(({ name }) => name);
    expect(names).toEqual(["a", "a/b", "a-b", "ab", "only/nested/c"]);
  });

  it("follows no link, ends in loops, and takes files and unknown folders for nothing", async () => {
    await using folder = temporaryDirectory();
    await using outside = temporaryDirectory();
    const at = (path: string) => {
      mkdirSync(join(folder.path, dirname(path)), { recursive: true });
      return join(folder.path, path);
    };
    make(folder.path, { real: PARTS });
    make(outside.path, { theirs: PARTS });
    symlinkSync(outside.path, at("linked"));
    symlinkSync(join(outside.path, "theirs/_manifests"), at("half/_manifests"));
    symlinkSync("..", at("real/up"));
    symlinkSync(folder.path, at("loop"));
    writeFileSync(at("file"), "");
    writeFileSync(at("fake/_manifests"), "");
    mkdirSync(at("_x"));
    make(join(folder.path, "_x"), { hidden: PARTS });
    make(folder.path, { "real/_manifests/tags/inside": PARTS });
    mkdirSync(at("_manifests"));
    expect([...walkRepositories(folder.path)].map(({ name }) => name)).toEqual(["real"]);
  });

  it("finds none where there is no folder", () => {
    expect([...walkRepositories("/nonexistent/repositories")]).toEqual([]);
    expect(namesIn("/etc/hostname")).toEqual([]);
  });
});

describe("blobNames", () => {
  it("are the digests alone", async () => {
    await using folder = temporaryDirectory();
    const blobs = join(folder.path, "docker/registry/v2/blobs/sha256");
    const hex = `ab${"1".repeat(62)}`;
    for (const path of [`ab/${hex}`, "ab/half", "tmp/x"]) mkdirSync(join(blobs, path), { recursive: true });
    writeFileSync(join(blobs, "file"), "");
    expect(blobNames(folder.path)).toEqual([hex]);
  });
});
