import { lstatSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as catalogTask from "../../../src/catalog/catalog-task.ts";
import { weighStore } from "../../../src/catalog/repository-sizes.ts";
import { storeUsage } from "../../../src/catalog/store-usage.ts";
import { createTeam } from "../../../src/storage/team.ts";
import { randomFrom, randomStore } from "../../support/generated-store.mjs";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { type NaiveRepository, naiveBlobs, naiveRepositories, neededBlobs, sizeOf } from "./naive-store.ts";

const team = () => createTeam(catalogTask, { signal: new AbortController().signal, maximumThreads: 1 });
const weigh = (root: string) => weighStore({ root, name: root }, team());
const usage = (root: string) => storeUsage({ root, name: root }, team());

const sum = (root: string, digests: Iterable<string>) =>
  [...digests].reduce((bytes, digest) => bytes + sizeOf(root, digest), 0);

/** The repository's size, and the part of it that is in no other's. */
function expected(root: string, all: readonly NaiveRepository[], one: NaiveRepository) {
  const own = neededBlobs([one]);
  const others = neededBlobs(all.filter((other) => other !== one));
  const pushed = [...one.tags.keys()].map(
    (tag) =>
      lstatSync(join(root, "docker/registry/v2/repositories", one.name, "_manifests/tags", tag, "current/link"))
        .mtimeMs,
  );
  return {
    name: one.name,
    tags: one.tags.size,
    sizeBytes: sum(root, own),
    exclusiveBytes: sum(
      root,
      [...own].filter((digest) => !others.has(digest)),
    ),
    pushedMs: pushed.length === 0 ? undefined : Math.max(...pushed),
  };
}

describe("weighStore", () => {
  it("agrees with adding up by hand, on any store", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        await using folder = temporaryDirectory();
        const { repositories: made } = randomStore(folder.path, randomFrom(`sizes ${seed}`));
        const all = naiveRepositories(folder.path);
        const { repositories, neededBytes, problems } = await weigh(folder.path);
        // 2.x's catalog is of what has a `_layers`; regctl also shows what has only `_manifests`.
        const listed = made.filter(({ kind }) => kind !== "uploads only").map(({ name }) => name);
        expect(repositories.map(({ name }) => name).sort()).toEqual(listed.sort());
        for (const repository of repositories) {
          const naive = all.find(({ name }) => name === repository.name) as NaiveRepository;
          expect(repository).toEqual(expected(folder.path, all, naive));
        }
        expect(neededBytes).toBe(sum(folder.path, neededBlobs(all)));
        expect(problems).toEqual([]);
      }),
      { numRuns: runs(25) },
    );
  }, 60_000);

  it("counts everything a repository links when a manifest of it cannot be read, and names it", async () => {
    await using folder = temporaryDirectory();
    const { path: root } = folder;
    const random = randomStore(root, randomFrom("unreadable 1"));
    const { name, layers, revisions } = random.repositories.find(
      (one) => one.layers.length > 2,
    ) as (typeof random.repositories)[number];
    for (const digest of revisions) {
      writeFileSync(join(root, "docker/registry/v2/blobs/sha256", digest.slice(7, 9), digest.slice(7), "data"), "{");
    }
    const { repositories, problems } = await weigh(root);
    const found = repositories.find((one) => one.name === name);
    expect(found?.sizeBytes).toBe(sum(root, [...layers, ...revisions]));
    expect(problems).toContainEqual(expect.objectContaining({ kind: "corrupt-manifest", repository: name }));
  });

  it("follows no link out of the store", async () => {
    await using folder = temporaryDirectory();
    await using elsewhere = temporaryDirectory();
    const { path: root } = folder;
    randomStore(root, randomFrom("links 1"));
    mkdirSync(join(elsewhere.path, "_manifests"));
    symlinkSync(elsewhere.path, join(root, "docker/registry/v2/repositories/outside"));
    const { repositories } = await weigh(root);
    expect(repositories.map(({ name }) => name)).not.toContain("outside");
  });
});

describe("storeUsage", () => {
  it("agrees with adding up by hand, on any store", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        await using folder = temporaryDirectory();
        const { path: root } = folder;
        randomStore(root, randomFrom(`usage ${seed}`));
        const all = naiveRepositories(root);
        const blobs = naiveBlobs(root);
        const needed = neededBlobs(all);
        const manifests = new Set(all.flatMap(({ revisions }) => [...revisions.keys()]));
        const amount = (digests: readonly string[]) => ({ count: digests.length, bytes: sum(root, digests) });
        expect(await usage(root)).toMatchObject({
          blobs: amount(blobs),
          manifests: amount([...manifests]),
          unreferenced: amount(blobs.filter((digest) => !needed.has(digest))),
          trash: { count: 0, bytes: 0 },
          heldByTrash: { count: 0, bytes: 0 },
          problems: [],
        });
      }),
      { numRuns: runs(20) },
    );
  }, 60_000);

  it("tells apart what the trash holds back, and says nothing of what it cannot know", async () => {
    await using folder = temporaryDirectory();
    const { path: root } = folder;
    randomStore(root, randomFrom("trash 2"));
    const before = await usage(root);
    const weighed = await weigh(root);
    const [largest] = [...weighed.repositories].sort((a, b) => b.exclusiveBytes - a.exclusiveBytes);
    const id = "20260101-0a1b2c";
    const entry = join(root, "regctl-trash", id);
    const repositories = "docker/registry/v2/repositories";
    const name = largest?.name ?? "";
    mkdirSync(join(entry, repositories, name), { recursive: true });
    const { renameSync } = await import("node:fs");
    renameSync(join(root, repositories, name, "_manifests"), join(entry, repositories, name, "_manifests"));
    const created = "2026-01-01T00:00:00.000Z";
    writeFileSync(
      join(entry, "entry.json"),
      JSON.stringify({
        version: 1,
        id,
        kind: "rm-repo",
        state: "kept",
        created,
        expires: created,
        removed: [{ repository: name }],
      }),
    );
    const held = await usage(root);
    expect(held.heldByTrash.bytes).toBe(largest?.exclusiveBytes);
    expect(held.heldByTrash.bytes).toBeGreaterThan(0);
    expect(held.unreferenced).toEqual(before.unreferenced);
    expect(held.trash.count).toBe(1);

    rmSync(entry, { recursive: true });
    const after = await usage(root);
    expect(after.unreferenced?.bytes).toBe((before.unreferenced?.bytes ?? 0) + (largest?.exclusiveBytes ?? 0));

    const [victim] = naiveRepositories(root).filter(({ revisions }) => revisions.size > 0);
    const [digest = ""] = [...(victim?.revisions.keys() ?? [])];
    writeFileSync(join(root, "docker/registry/v2/blobs/sha256", digest.slice(7, 9), digest.slice(7), "data"), "[]");
    expect((await usage(root)).unreferenced).toBeUndefined();
  });

  it("counts uploads with what was received", async () => {
    await using folder = temporaryDirectory();
    const { path: root } = folder;
    randomStore(root, randomFrom("uploads"), { repositories: 1 });
    const before = await usage(root);
    const upload = join(root, "docker/registry/v2/repositories/b/_uploads/0b1c");
    mkdirSync(upload, { recursive: true });
    writeFileSync(join(upload, "data"), "received");
    writeFileSync(join(upload, "startedat"), "2026-01-01T00:00:00Z");
    utimesSync(upload, 0, 0);
    expect((await usage(root)).uploads).toEqual({
      count: before.uploads.count + 1,
      bytes: before.uploads.bytes + "received2026-01-01T00:00:00Z".length,
    });
  });
});
