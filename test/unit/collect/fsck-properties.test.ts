/** Random stores, whole and with one thing broken: a check says exactly what was broken, and a repair heals what can be healed. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { undoEntry } from "../../../src/collect/recover.ts";
import { findEntry } from "../../../src/collect/trash-entry.ts";
import { type RandomStore, randomFrom, randomStore, setAge } from "../../support/generated-store.mjs";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { check, contentOf, removeTree } from "./fsck-store.ts";

const TWO_HOURS = 7200;
const RUNS = 15;
const TIMEOUT_MS = 120_000;
const blobFolder = (root: string, digest: string) =>
  join(root, "docker/registry/v2/blobs/sha256", digest.slice(7, 9), digest.slice(7));
const repositoryFolder = (root: string, name: string) => join(root, "docker/registry/v2/repositories", name);

interface Manifest {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

const readManifest = (root: string, digest: string): Manifest =>
  JSON.parse(readFileSync(join(blobFolder(root, digest), "data"), "utf8")) as Manifest;
const blobsOf = ({ config, layers = [] }: Manifest): string[] =>
  [...(config === undefined ? [] : [config]), ...layers].map(({ digest }) => digest);

function uploadsOf(root: string, name: string): string[] {
  const folder = join(repositoryFolder(root, name), "_uploads");
  return existsSync(folder) ? readdirSync(folder).map((id) => join(folder, id)) : [];
}

/** What a valid store has that is worth telling, worked out from how it was made. */
function expectedIn(root: string, store: RandomStore): string[] {
  const expected = [...new Set(store.emptyBlobs)].map((digest) => `blob-without-data - ${digest}`);
  for (const { name, kind, revisions } of store.repositories) {
    for (const _ of uploadsOf(root, name)) expected.push(`stale-upload ${name} -`);
    if (kind !== "uploads only" && revisions.length === 0) expected.push(`orphaned-layers ${name} -`);
    const children = revisions.flatMap((digest) => readManifest(root, digest).manifests ?? []);
    const deleted = new Set(children.map(({ digest }) => digest).filter((digest) => !revisions.includes(digest)));
    for (const digest of deleted) expected.push(`missing-link ${name} ${digest}`);
  }
  return expected.sort();
}

const found = async (root: string) =>
  (await check(root)).problems
    .map(({ kind, repository, digest }) => `${kind} ${repository ?? "-"} ${digest ?? "-"}`)
    .sort();

/** A store of which nothing is worth telling. */
function wholeStore(root: string, seed: number): RandomStore {
  const store = randomStore(root, randomFrom(`${seed}`), { deletedChildren: false });
  for (const digest of store.emptyBlobs) rmSync(blobFolder(root, digest), { recursive: true, force: true });
  for (const { name, revisions } of store.repositories) {
    for (const upload of uploadsOf(root, name)) rmSync(upload, { recursive: true });
    if (revisions.length > 0) continue;
    for (const part of ["_layers", "_manifests"])
      rmSync(join(repositoryFolder(root, name), part), { recursive: true, force: true });
  }
  setAge(root, TWO_HOURS);
  return store;
}

const linksIn = (root: string): string[] =>
  Object.keys(contentOf(root)).filter((path) => path.endsWith("/link") && statSync(path).isFile());

describe("a random valid store", () => {
  it(
    "has no other problem than those it was made with",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (seed) => {
          await using folder = temporaryDirectory();
          const store = randomStore(folder.path, randomFrom(`${seed}`), { ageSeconds: TWO_HOURS });
          expect(await found(folder.path)).toEqual(expectedIn(folder.path, store));
        }),
        { numRuns: runs(RUNS) },
      );
    },
    TIMEOUT_MS,
  );
});

describe("one empty link", () => {
  it(
    "is found wherever it is, and healed so that the store is as it was",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), async (seed, choice) => {
          await using folder = temporaryDirectory();
          wholeStore(folder.path, seed);
          expect(await found(folder.path)).toEqual([]);
          const before = contentOf(folder.path);
          const links = linksIn(folder.path);
          if (links.length === 0) return;
          const link = links[choice % links.length] as string;
          truncateSync(link);
          setAge(dirname(link), TWO_HOURS);
          const { problems } = await check(folder.path);
          expect(problems.map(({ kind, path }) => [kind, join(folder.path, path as string)])).toEqual([
            ["empty-link", link],
          ]);
          const repair = await check(folder.path, { repair: true });
          if (problems[0]?.repairable !== true) {
            expect(link).toMatch(/\/tags\/[^/]+\/current\/link$/);
            expect(repair.problems.length).toBe(1);
            return;
          }
          expect(repair.problems).toEqual([]);
          if (existsSync(link)) expect(withoutDeleted(contentOf(folder.path))).toEqual(withoutDeleted(before));
          // A tag's history may name a manifest that was deleted since.
          else expect(link).toMatch(/\/tags\/[^/]+\/index\//);
        }),
        { numRuns: runs(RUNS) },
      );
    },
    TIMEOUT_MS,
  );
});

/** A repair clears the folders that deleted manifests leave. */
function withoutDeleted(content: Record<string, string>): Record<string, string> {
  const isFolder = (path: string) => /\/revisions\/sha256\/[0-9a-f]{64}$/.test(path);
  return Object.fromEntries(Object.entries(content).filter(([path]) => !isFolder(path)));
}

describe("one damaged or lost blob", () => {
  it(
    "is told with every image that needs it and with nothing else; undo brings back what a repair took",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), fc.boolean(), async (seed, choice, isLost) => {
          await using folder = temporaryDirectory();
          const store = wholeStore(folder.path, seed);
          const digests = [...store.blobs.keys()];
          if (digests.length === 0) return;
          const digest = digests[choice % digests.length] as string;
          const data = join(blobFolder(folder.path, digest), "data");
          const expected = new Set<string>();
          for (const { name, revisions, tags, layers } of store.repositories) {
            const manifests = revisions.map((one) => readManifest(folder.path, one));
            const isRevision = revisions.includes(digest);
            const isNeeded = manifests.some((manifest) => blobsOf(manifest).includes(digest));
            const isChild = manifests.some((manifest) => manifest.manifests?.some((child) => child.digest === digest));
            if (isRevision) expected.add(`${isLost ? "missing" : "corrupt"}-manifest ${name} ${digest}`);
            if (isNeeded) expected.add(`${isLost ? "missing" : "corrupt"}-blob ${name} ${digest}`);
            if (!isLost) continue;
            if (isChild) expected.add(`missing-blob ${name} ${digest}`);
            for (const target of Object.values(tags))
              if (target === digest) expected.add(`dangling-tag ${name} ${digest}`);
            if (layers.includes(digest) && !isNeeded && revisions.length > 0)
              expected.add(`dangling-layer-link ${name} ${digest}`);
          }
          if (!isLost && expected.size === 0) expected.add(`corrupt-blob - ${digest}`);
          if (isLost) rmSync(dirname(data), { recursive: true });
          else truncateSync(data, statSync(data).size - 1);
          setAge(folder.path, TWO_HOURS);
          expect(new Set(await found(folder.path))).toEqual(expected);

          const broken = contentOf(folder.path);
          const { trashId, problems } = await check(folder.path, { repair: true });
          for (const problem of problems) expect(problem).toMatchObject({ repairable: false, kind: "missing-blob" });
          if (trashId === undefined) return;
          const where = { root: folder.path, name: folder.path };
          await undoEntry(where, findEntry(where, trashId), removeTree);
          expect(contentOf(folder.path)).toEqual(broken);
        }),
        { numRuns: runs(RUNS) },
      );
    },
    TIMEOUT_MS,
  );
});
