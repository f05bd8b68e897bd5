/** What our collector takes is what distribution's own takes, and what a model that knows nothing of either says. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { onStore } from "../harness/commands.ts";
import { startRunner } from "../harness/runner.ts";
import { type RandomStoreOptions, randomFrom, randomStore } from "../support/generated-store.mjs";
import { debianRegistry } from "../support/live-registry.ts";
import { memoryFolder } from "../support/memory-folder.ts";
import { blobsOf, collectable } from "../support/store-model.ts";
import { registry3Program, upstreamCollect, upstreamDryRun } from "../support/upstream-collect.ts";

const folder = memoryFolder();
const runner = startRunner();
afterAll(async () => {
  runner.end();
  await folder[Symbol.asyncDispose]();
});

let made = 0;

interface Made extends Disposable {
  readonly ours: string;
  /** The same store again, for whoever else collects. */
  readonly theirs: string;
}

function makeTwice(seed: number, options: RandomStoreOptions = {}): Made {
  const ours = join(folder.path, `ours-${made}`);
  const theirs = join(folder.path, `theirs-${made++}`);
  // Links written lately announce a push; these stores are at rest.
  for (const root of [ours, theirs])
    randomStore(root, randomFrom(`equality ${seed}`), { ...options, ageSeconds: 3600 });
  return {
    ours,
    theirs,
    [Symbol.dispose]() {
      for (const root of [ours, theirs]) rmSync(root, { recursive: true, force: true });
    },
  };
}

interface Collected {
  readonly deletable: { readonly blobs: readonly string[]; readonly manifests: readonly string[] };
  readonly blobs: { readonly total: number; readonly marked: number; readonly deleted: number };
}

async function collect(root: string, ...flags: readonly string[]): Promise<Collected> {
  const argv = onStore(["gc", "--grace", "0", "--list", ...flags], root);
  const result = await runner.run({ argv, nowOffsetMs: 0 });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return JSON.parse(result.stdout).data;
}

const sorted = (digests: Iterable<string>) => [...digests].sort();

/** Different stores in every run; what failed is told with its number. */
const manyStores = (numRuns: number, check: (seed: number) => Promise<void>) =>
  fc.assert(fc.asyncProperty(fc.nat(), check), { numRuns, endOnFailure: true });

describe("a plain collection", () => {
  it("names, and then takes, exactly the blobs distribution 2.8's takes", async () => {
    const program = await debianRegistry();
    let taken = 0;
    await manyStores(100, async (seed) => {
      using store = makeTwice(seed);
      const upstream = await upstreamDryRun(program, store.theirs);
      expect(upstream.aborted).toBeUndefined();
      const planned = await collect(store.ours, "--dry-run");
      expect(sorted(planned.deletable.blobs)).toEqual(sorted(upstream.blobs));
      expect(sorted(planned.deletable.blobs)).toEqual(sorted(collectable(store.ours, false).blobs));
      expect(planned.deletable.manifests).toEqual([]);
      const done = await collect(store.ours, "--stopped");
      expect(sorted(done.deletable.blobs)).toEqual(sorted(upstream.blobs));
      expect(done.blobs.deleted).toBe(upstream.blobs.size);
      await upstreamCollect(program, store.theirs);
      expect(sorted(blobsOf(store.ours))).toEqual(sorted(blobsOf(store.theirs)));
      // Nothing is left for a second one.
      expect((await collect(store.ours, "--stopped")).deletable.blobs).toEqual([]);
      taken += upstream.blobs.size;
    });
    expect(taken).toBeGreaterThan(0);
  });
});

describe("a collection of what is untagged", () => {
  it("takes what no tag needs: through indexes and subjects, repositories without tags left alone", async () => {
    let taken = 0;
    await manyStores(100, async (seed) => {
      using store = makeTwice(seed);
      const expected = collectable(store.ours, true);
      const kept = sorted([...blobsOf(store.ours)].filter((digest) => !expected.blobs.has(digest)));
      const planned = await collect(store.ours, "--untagged", "--dry-run");
      expect(sorted(planned.deletable.manifests)).toEqual(sorted(expected.manifests));
      expect(sorted(planned.deletable.blobs)).toEqual(sorted(expected.blobs));
      await collect(store.ours, "--untagged", "--stopped");
      expect(sorted(blobsOf(store.ours))).toEqual(kept);
      expect(collectable(store.ours, true).manifests).toEqual(new Set());
      taken += expected.manifests.size;
    });
    expect(taken).toBeGreaterThan(0);
  });

  const program3 = registry3Program();
  /** No 3.x binary is to be had from Debian: these are not missing where nobody gives one. */
  const on3: typeof it | (() => void) = program3 === undefined ? () => undefined : it;
  on3("takes what distribution 3.x's -m takes, where nothing has a subject", async () => {
    await manyStores(60, async (seed) => {
      using store = makeTwice(seed, { missingTagsFolders: false, referrers: false });
      const upstream = await upstreamDryRun(program3 as string, store.theirs, { deleteUntagged: true });
      expect(upstream.aborted).toBeUndefined();
      const planned = await collect(store.ours, "--untagged", "--dry-run");
      expect(sorted(planned.deletable.manifests)).toEqual(sorted(upstream.manifests));
      expect(sorted(planned.deletable.blobs)).toEqual(sorted(upstream.blobs));
    });
  });
});
