import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapConcurrently } from "../../../src/registry/concurrency.ts";
import { runs } from "../../support/property-runs.ts";

async function* generated(count: number, onReturn?: () => void): AsyncGenerator<number> {
  try {
    for (let index = 0; index < count; index += 1) {
      await turn();
      yield index;
    }
  } finally {
    onReturn?.();
  }
}

describe("mapConcurrently", () => {
  it("gives results in the order of the items, with never more at once than allowed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        async (items, limit) => {
          let running = 0;
          let most = 0;
          const results = await mapConcurrently(items, limit, async (turns, index) => {
            running += 1;
            most = Math.max(most, running);
            for (let turned = 0; turned < turns; turned += 1) await turn();
            running -= 1;
            return `${index}:${turns}`;
          });
          expect(results).toEqual(items.map((turns, index) => `${index}:${turns}`));
          expect(most).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it("takes what a generator yields while it works", async () => {
    expect(await mapConcurrently(generated(10), 3, async (item) => item * 2)).toEqual([
      0, 2, 4, 6, 8, 10, 12, 14, 16, 18,
    ]);
  });

  it("begins nothing more after a failure, waits for what runs and closes the generator", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    let isClosed = false;
    const mapped = mapConcurrently(
      generated(100, () => {
        isClosed = true;
      }),
      4,
      async (item) => {
        begun.push(item);
        if (item === 5) throw new Error("five");
        for (let turned = 0; turned < 20; turned += 1) await turn();
        ended.push(item);
      },
    );
    await expect(mapped).rejects.toThrow("five");
    expect(begun.length).toBeLessThan(10);
    expect(ended).toEqual(begun.filter((item) => item !== 5));
    expect(isClosed).toBe(true);
  });
});
