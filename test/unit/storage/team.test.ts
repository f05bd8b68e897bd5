import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTeam, join, type Phase, takeFrom } from "../../../src/storage/team.ts";
import { runs } from "../../support/property-runs.ts";

const TASK = { taskUrl: import.meta.url };

const alone = (signal = new AbortController().signal) => createTeam(TASK, { signal, maximumThreads: 1 });

const takeAll: Phase<undefined, number[]> = function* (_, next) {
  const taken: number[] = [];
  for (let item = next(); item >= 0; item = next()) {
    taken.push(item);
    yield;
  }
  return taken;
};

describe("a team of one", () => {
  it("takes every item once, in order, whatever their number", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 500 }), async (count) => {
        const team = alone();
        const expected = Array.from({ length: count }, (_, at) => at);
        expect(await team.run("takeAll", takeAll, undefined, { count })).toEqual([expected]);
        expect(await team.run("takeAll", takeAll, undefined, { count })).toEqual([expected]);
        await team.close();
      }),
      { numRuns: runs(30) },
    );
  });

  const busy: Phase<number, number> = function* (itemMs, next) {
    let done = 0;
    for (let item = next(); item >= 0; item = next()) {
      const until = performance.now() + itemMs;
      while (performance.now() < until);
      done++;
      yield;
    }
    return done;
  };

  it("stops soon after it was told to, with the reason it was told", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    setImmediate(() => controller.abort(reason));
    const began = performance.now();
    await expect(alone(controller.signal).run("busy", busy, 1, { count: 100_000 })).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it("tells how far it is, never more than there is", async () => {
    const told: number[] = [];
    const onProgress = (taken: number) => void told.push(taken);
    expect(await alone().run("busy", busy, 1, { count: 130, onProgress })).toEqual([130]);
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(Math.max(...told)).toBeLessThanOrEqual(130);
  });

  it("fails with the code of the item that failed", async () => {
    const failing: Phase<undefined, void> = function* (_, next) {
      for (let item = next(); item >= 0; item = next()) {
        if (item === 3) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        yield;
      }
    };
    await expect(alone().run("failing", failing, undefined, { count: 9 })).rejects.toMatchObject({ code: "ENOSPC" });
  });
});

describe("items shared between threads", () => {
  it("are each taken by one, however they take turns", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.array(fc.nat(3), { maxLength: 120 }), (count, turns) => {
        const control = new Int32Array(new SharedArrayBuffer(8));
        const takers = Array.from({ length: 4 }, () => takeFrom(control, count));
        const taken = turns.map((turn) => (takers[turn] as () => number)()).filter((item) => item >= 0);
        expect(taken).toEqual(Array.from({ length: Math.min(count, turns.length) }, (_, at) => at));
      }),
    );
  });

  it("can be joined until the phase is over", () => {
    const control = new Int32Array(new SharedArrayBuffer(8));
    expect([join(control), join(control)]).toEqual([true, true]);
    expect(Atomics.or(control, 1, 1 << 30)).toBe(2);
    expect([join(control), join(control)]).toEqual([false, false]);
  });
});
