import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as catalogTask from "../../../src/catalog/catalog-task.ts";
import { freedBytes } from "../../../src/catalog/freed-bytes.ts";
import type { RetentionPolicy } from "../../../src/config/config.ts";
import { createContext } from "../../../src/context.ts";
import { judgeAndWeigh } from "../../../src/operations/judge.ts";
import { readStore } from "../../../src/operations/store.ts";
import { randomFrom, randomStore } from "../../support/generated-store.mjs";
import { runs } from "../../support/property-runs.ts";
import { surroundingsFor } from "../../support/surroundings.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const NO_USE = { uses: [], hosts: [] };
const FLAGS = { json: false, quiet: true, verbose: false, debug: false, yes: true, input: false, color: false };

/** Keeps one or none of each repository, of some repositories only, and perhaps takes what has no tag. */
const policies = fc.record({
  repositories: fc.constantFrom(["**"], ["*a*"], ["*/**"]),
  newest: fc.constantFrom(0, 1),
  untagged: fc.boolean(),
});

describe("judgeAndWeigh", () => {
  it("frees what freedBytes says of the same selection, on any store", async () => {
    const ports = createContext(
      FLAGS,
      surroundingsFor({ now: () => new Date(Date.now() + 86_400_000) }),
      new AbortController().signal,
    );
    let withBytes = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), policies, async (seed, { repositories, ...chosen }) => {
        await using folder = temporaryDirectory();
        randomStore(folder.path, randomFrom(`judge ${seed}`));
        const policy: RetentionPolicy = {
          protect: [],
          protectInUse: false,
          rules: [
            { repositories, keep: { newest: chosen.newest, by: "push" } },
            ...(chosen.untagged ? [{ repositories, untagged: { olderThan: "1h" } }] : []),
          ],
        };
        await readStore(ports, folder.path, async (open) => {
          const { verdicts, revisions, bytes, problems } = await judgeAndWeigh(ports, open, policy, NO_USE);
          const given = verdicts.flatMap(({ repository, verdicts: all }) =>
            all.filter(({ keep }) => !keep).map(({ tag, digest }) => ({ repository, tag, hex: digest.slice(7) })),
          );
          const expected = await freedBytes(open.store, open.team(catalogTask), {
            repositories: [],
            tags: given.flatMap(({ repository, tag }) => (tag === undefined ? [] : [{ repository, tag }])),
            revisions: given.filter(({ tag }) => tag === undefined),
          });
          const named = (all: typeof revisions) => all.map(({ repository, hex }) => `${repository}@${hex}`).sort();
          expect({ bytes, revisions: named(revisions), problems: problems.length }).toEqual({
            bytes: expected.bytes,
            revisions: named(expected.revisions),
            problems: expected.problems.length,
          });
          if (bytes > 0) withBytes += 1;
        });
      }),
      { numRuns: runs(12) },
    );
    expect(withBytes).toBeGreaterThan(0);
  });
});
