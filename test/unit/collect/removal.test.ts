import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  hasRepository,
  imageRemoval,
  type Removal,
  repositoryNames,
  repositoryRemoval,
  tagRemoval,
  tagsOf,
  tagTarget,
} from "../../../src/collect/removal.ts";
import {
  type BareStore,
  bareStoreIn,
  blobPath,
  hexOf,
  revisionPath,
  sha256,
  tagPath,
} from "../../support/bare-store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const V2 = "docker/registry/v2";
const storeOf = ({ root }: BareStore) => ({ root, name: root });

async function withStore(work: (store: BareStore) => void | Promise<void>): Promise<void> {
  await using folder = temporaryDirectory();
  await work(bareStoreIn(folder.path));
}

const remove = (store: BareStore, repository: string, digest: string): Removal =>
  imageRemoval(storeOf(store), repository, hexOf(digest));

/** The folders of a removal as tags and digests. */
function taken(repository: string, { paths }: Removal): { tags: string[]; digests: string[] } {
  const below = (folder: string) =>
    paths
      .filter((path) => path.startsWith(`${V2}/repositories/${repository}/_manifests/${folder}/`))
      .map((path) => path.slice(path.lastIndexOf("/") + 1))
      .sort();
  const [tags, digests] = [below("tags"), below("revisions/sha256").map((hex) => `sha256:${hex}`)];
  expect(tags.length + digests.length).toBe(paths.length);
  return { tags, digests };
}

describe("what removing a repository takes", () => {
  it("is its own three folders, manifests first, and nothing of those nested in it", () => {
    expect(repositoryRemoval(["a", "a/b"])).toEqual({
      kind: "rm-repo",
      removed: [{ repository: "a" }, { repository: "a/b" }],
      paths: ["a", "a/b"].flatMap((name) =>
        ["_manifests", "_layers", "_uploads"].map((part) => `${V2}/repositories/${name}/${part}`),
      ),
    });
  });

  it("is asked for by whole names: neither a prefix nor a folder of nested ones is a repository", () =>
    withStore((store) => {
      store.image("team/app", { tag: "1" });
      store.image("team/app-2", { tag: "1" });
      store.image("team/app/nested", { tag: "1" });
      const known = (name: string) => hasRepository(storeOf(store), name);
      expect(["team/app", "team/app-2", "team/app/nested"].filter(known)).toHaveLength(3);
      expect(["team", "team/ap", "team/app/nest", "team/app/_manifests", "a", ""].filter(known)).toEqual([]);
      expect(repositoryNames(storeOf(store))).toEqual(["team/app", "team/app/nested", "team/app-2"]);
    }));
});

describe("what removing a tag takes", () => {
  it("is that tag alone, with the digest it points at where that can be read", () =>
    withStore((store) => {
      const digest = store.image("a", { tag: "1" });
      store.tag("a", "2", digest);
      store.file(`${tagPath("a", "cut-off")}/current/link`, "");
      store.file(`${tagPath("a", "never-set")}/index/sha256/x`, "");
      const removal = tagRemoval(
        storeOf(store),
        ["1", "cut-off", "never-set"].map((tag) => ({ repository: "a", tag })),
      );
      expect(removal.removed).toEqual([
        { repository: "a", tag: "1", digest },
        { repository: "a", tag: "cut-off" },
        { repository: "a", tag: "never-set" },
      ]);
      expect(taken("a", removal)).toEqual({ tags: ["1", "cut-off", "never-set"], digests: [] });
      expect(tagTarget(storeOf(store), "a", "2")).toBe(hexOf(digest));
      expect(tagTarget(storeOf(store), "a", "none")).toBeUndefined();
      expect(tagsOf(storeOf(store), "a").sort()).toEqual(["1", "2", "cut-off", "never-set"]);
    }));
});

describe("what removing an image takes", () => {
  it("is its manifest and all its tags, and no other image's", () =>
    withStore((store) => {
      const digest = store.image("a", { tag: "1", layers: ["x"] });
      store.tag("a", "latest", digest);
      store.image("a", { tag: "2", layers: ["x", "y"] });
      expect(taken("a", remove(store, "a", digest))).toEqual({ tags: ["1", "latest"], digests: [digest] });
    }));

  it("is not a platform of an index that stays: that is refused, with the index's tag and what to do", () =>
    withStore((store) => {
      const child = store.image("a", { layers: ["amd"] });
      const index = store.index("a", [child], "multi");
      expect(() => remove(store, "a", child)).toThrow(
        expect.objectContaining({
          code: "conflict",
          message: expect.stringContaining("a:multi"),
          hint: `remove the index: regctl rm-image a@${index}`,
        }),
      );
      expect(taken("a", remove(store, "a", index))).toEqual({ tags: ["multi"], digests: [index] });
    }));

  it("is not a platform of an index without a tag either", () =>
    withStore((store) => {
      const child = store.image("a", { tag: "amd", layers: ["amd"] });
      store.index("a", [child]);
      expect(() => remove(store, "a", child)).toThrow(expect.objectContaining({ code: "conflict" }));
    }));

  it("is its signatures and SBOMs as well: by subject, and by the tag clients without referrers look for", () =>
    withStore((store) => {
      const digest = store.image("a", { tag: "1", layers: ["x"] });
      const other = store.image("a", { tag: "2", layers: ["y"] });
      const referrer = store.image("a", { layers: ["sbom"], subject: digest });
      const fallback = store.index("a", [referrer], `sha256-${hexOf(digest)}`);
      const cosign = store.image("a", { tag: `sha256-${hexOf(digest)}.sig`, layers: ["signature"] });
      store.image("a", { layers: ["sbom of 2"], subject: other });
      store.image("a", { tag: `sha256-${hexOf(other)}.sig`, layers: ["signature of 2"] });
      store.image("a", { tag: `sha256-${hexOf(digest)}0`, layers: ["no attachment"] });
      expect(taken("a", remove(store, "a", digest))).toEqual({
        tags: ["1", `sha256-${hexOf(digest)}`, `sha256-${hexOf(digest)}.sig`],
        digests: [digest, referrer, fallback, cosign].sort(),
      });
    }));

  it("is not what another tag or index needs as well", () =>
    withStore((store) => {
      const digest = store.image("a", { tag: "1", layers: ["x"] });
      const tagged = store.image("a", { tag: "kept", layers: ["sbom"], subject: digest });
      const signature = store.image("a", { tag: `sha256-${hexOf(digest)}.sig`, layers: ["signature"] });
      store.tag("a", "kept-signature", signature);
      const listed = store.image("a", { layers: ["listed"], subject: digest });
      store.index("a", [listed], "list");
      const { tags, digests } = taken("a", remove(store, "a", digest));
      expect(tags).toEqual(["1", `sha256-${hexOf(digest)}.sig`]);
      expect(digests).toEqual([digest]);
      expect(digests).not.toEqual(expect.arrayContaining([tagged, signature, listed]));
    }));

  it("is only what is there: a manifest of another repository, one without a link, one of nobody", () =>
    withStore((store) => {
      const theirs = store.image("b", { tag: "1", layers: ["theirs"] });
      store.image("a", { tag: "1", layers: ["x"] });
      const unlinked = store.image("a", { tag: "2", layers: ["y"] });
      rmSync(join(store.root, V2, revisionPath("a", unlinked), "link"));
      for (const digest of [theirs, unlinked, sha256("nobody's")])
        expect(() => remove(store, "a", digest)).toThrow(expect.objectContaining({ code: "not-found" }));
    }));

  it("is nothing while a manifest of the repository cannot be read: it may be an index that needs the image", () =>
    withStore((store) => {
      const digest = store.image("a", { tag: "1", layers: ["x"] });
      const broken = store.index("a", [digest], "multi");
      for (const content of ["", "{", "{}", "\0\0\0\0"]) {
        writeFileSync(join(store.root, V2, blobPath(broken), "data"), content);
        expect(() => remove(store, "a", digest)).toThrow(
          expect.objectContaining({ code: "precondition-failed", message: expect.stringContaining(broken) }),
        );
      }
    }));
});
