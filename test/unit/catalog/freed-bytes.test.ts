import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as catalogTask from "../../../src/catalog/catalog-task.ts";
import { type DeletionSelection, freedBytes } from "../../../src/catalog/freed-bytes.ts";
import { weighStore } from "../../../src/catalog/repository-sizes.ts";
import { createTeam } from "../../../src/storage/team.ts";
import { randomFrom, randomStore } from "../../support/generated-store.mjs";
import { runs } from "../../support/property-runs.ts";
import { smallStore } from "../../support/small-store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { type NaiveRepository, naiveRepositories, neededBlobs, sizeOf, without } from "./naive-store.ts";

const weighed = (root: string) =>
  weighStore(
    { root, name: root },
    createTeam(catalogTask, { signal: new AbortController().signal, maximumThreads: 1 }),
  );

const NOTHING: DeletionSelection = { repositories: [], tags: [], revisions: [] };

async function freed(root: string, selection: Partial<DeletionSelection>) {
  const team = createTeam(catalogTask, { signal: new AbortController().signal, maximumThreads: 1 });
  return freedBytes({ root, name: root }, team, { ...NOTHING, ...selection });
}

/** Chooses by the bits of a number: any number means some selection of any store. */
function choose(repositories: readonly NaiveRepository[], random: () => number): DeletionSelection {
  const among = <T>(all: readonly T[], probability: number) => all.filter(() => random() < probability);
  return {
    repositories: among(repositories, 0.15).map(({ name }) => name),
    tags: repositories.flatMap(({ name, tags }) =>
      among([...tags.keys()], 0.3).map((tag) => ({ repository: name, tag })),
    ),
    revisions: repositories.flatMap(({ name, revisions }) =>
      among([...revisions.keys()], 0.1).map((digest) => ({ repository: name, hex: digest.slice(7) })),
    ),
  };
}

function expected(root: string, repositories: readonly NaiveRepository[], selection: DeletionSelection) {
  const after = repositories
    .filter(({ name }) => !selection.repositories.includes(name))
    .map((repository) => {
      const own = ({ repository: name }: { readonly repository: string }) => name === repository.name;
      const tags = selection.tags.filter(own).map(({ tag }) => tag);
      return without(
        repository,
        tags,
        selection.revisions.filter(own).map(({ hex }) => `sha256:${hex}`),
      );
    });
  const needed = neededBlobs(after);
  const lost = [...neededBlobs(repositories)].filter((digest) => !needed.has(digest) && sizeOf(root, digest) > 0);
  const left = new Map(after.map(({ name, revisions }) => [name, revisions]));
  const gone = repositories.flatMap(({ name, revisions }) =>
    [...revisions.keys()].filter((digest) => left.get(name)?.has(digest) !== true).map((digest) => `${name}@${digest}`),
  );
  return { bytes: lost.reduce((sum, digest) => sum + sizeOf(root, digest), 0), blobs: lost.length, gone: gone.sort() };
}

describe("freedBytes", () => {
  it("is the difference between what manifests need before and after, on any store", async () => {
    let withBytes = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        await using folder = temporaryDirectory();
        const random = randomFrom(`freed ${seed}`);
        randomStore(folder.path, random);
        const repositories = naiveRepositories(folder.path);
        const selection = choose(repositories, random);
        const { bytes, blobs, revisions, problems } = await freed(folder.path, selection);
        const gone = revisions.map(({ repository, hex }) => `${repository}@sha256:${hex}`).sort();
        expect({ bytes, blobs, gone }).toEqual(expected(folder.path, repositories, selection));
        expect(problems).toEqual([]);
        if (bytes > 0) withBytes += 1;
      }),
      { numRuns: runs(20) },
    );
    expect(withBytes).toBeGreaterThan(runs(20) === 20 ? 7 : 0);
  }, 60_000);

  it("is nothing for what is not there", async () => {
    await using folder = temporaryDirectory();
    randomStore(folder.path, randomFrom("absent"));
    const selection = {
      repositories: ["none"],
      tags: [{ repository: "a", tag: "none" }],
      revisions: [{ repository: "none", hex: "0".repeat(64) }],
    };
    expect(await freed(folder.path, selection)).toEqual({ bytes: 0, blobs: 0, revisions: [], problems: [] });
  });

  it("does not count what a repository with an unreadable manifest links, and names it", async () => {
    await using folder = temporaryDirectory();
    const { path: root } = folder;
    randomStore(root, randomFrom("blind 3"));
    const repositories = naiveRepositories(root);
    const victim = repositories.find(({ revisions, tags }) => revisions.size > 1 && tags.size > 1) as NaiveRepository;
    const before = await freed(root, { repositories: [victim.name] });
    expect(before.bytes).toBeGreaterThan(0);
    // A repository that holds the same blobs, by a manifest nobody can read.
    const [digest] = [...victim.revisions.keys()] as [string];
    const base = join(root, "docker/registry/v2");
    const bad = "f".repeat(64);
    const link = (folder: string, text: string) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "link"), text);
    };
    link(join(base, "repositories/blind/_manifests/revisions/sha256", bad), `sha256:${bad}`);
    mkdirSync(join(base, "blobs/sha256/ff", bad), { recursive: true });
    writeFileSync(join(base, "blobs/sha256/ff", bad, "data"), "{}");
    const layers = [
      ...new Set(
        [...victim.revisions.values()].flatMap(({ references, children }) =>
          references.filter((one) => !children.includes(one)),
        ),
      ),
    ];
    for (const layer of layers) link(join(base, "repositories/blind/_layers/sha256", layer.slice(7)), layer);
    const after = await freed(root, { repositories: [victim.name] });
    expect(digest).toMatch(/^sha256:/);
    const manifests = [...victim.revisions.keys()].reduce((sum, one) => sum + sizeOf(root, one), 0);
    expect(after.bytes).toBeLessThanOrEqual(manifests);
    expect(after.problems).toEqual([expect.objectContaining({ kind: "corrupt-manifest", repository: "blind" })]);
    // Without the repository, nothing is in doubt.
    expect(await freed(root, { repositories: [victim.name, "blind"] })).toMatchObject({ bytes: before.bytes + 2 });
    rmSync(join(base, "repositories/blind"), { recursive: true });
  });

  it("keeps what a tag may point at that does not say so", async () => {
    await using folder = temporaryDirectory();
    const { path: root } = folder;
    randomStore(root, randomFrom("unsaid"));
    const { name, tags } = naiveRepositories(root).find((one) => one.tags.size > 1) as NaiveRepository;
    const [kept, removed] = [...tags.keys()] as [string, string];
    writeFileSync(join(root, "docker/registry/v2/repositories", name, "_manifests/tags", kept, "current/link"), "");
    const result = await freed(root, { tags: [{ repository: name, tag: removed }] });
    expect(result).toMatchObject({ bytes: 0, revisions: [], problems: [{ kind: "empty-link", tag: kept }] });
  });

  it("takes what is attached to a manifest along with it, whatever tags it has", async () => {
    await using folder = temporaryDirectory();
    const store = smallStore(folder.path);
    const image = store.image("app", ["layer"]);
    store.tag("app", "1", image);
    const all = await freed(store.root, { repositories: ["app"] });
    store.image("app", ["signature"], { manifest: { subject: image } });
    const withReferrer = await freed(store.root, { repositories: ["app"] });
    expect(withReferrer.bytes).toBeGreaterThan(all.bytes);
    const { bytes, revisions } = await freed(store.root, {
      revisions: [{ repository: "app", hex: image.digest.slice(7) }],
    });
    expect({ bytes, revisions: revisions.length }).toEqual({ bytes: withReferrer.bytes, revisions: 2 });
    expect(await freed(store.root, { tags: [{ repository: "app", tag: "1" }] })).toMatchObject({ bytes });
  });

  it("does not count what an unreadable manifest of the same repository may need, unless all of it goes", async () => {
    await using folder = temporaryDirectory();
    const store = smallStore(folder.path);
    const image = store.image("app", ["one", "two"]);
    store.tag("app", "1", image);
    const bad = store.image("app", ["three"]);
    writeFileSync(store.dataOf(bad.digest), "garbage");
    const tag = await freed(store.root, { tags: [{ repository: "app", tag: "1" }] });
    // What nobody can read may be an index that lists the image.
    expect(tag.bytes).toBe(0);
    expect(tag.problems).toEqual([expect.objectContaining({ kind: "corrupt-manifest", repository: "app" })]);
    const whole = await freed(store.root, { repositories: ["app"] });
    expect(whole.bytes).toBe((await weighed(store.root)).neededBytes);
  });
});
