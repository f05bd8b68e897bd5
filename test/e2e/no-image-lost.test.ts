/** Whatever happens in whatever order: an image a client was told is stored pulls and hashes, or was removed by its name. */
import { describe, expect, it } from "vitest";
import { runSchedules } from "../harness/schedules.ts";
import { debianRegistry } from "../support/live-registry.ts";
import { registry3Program } from "../support/upstream-collect.ts";

/** 300 where there is time, in CI; `npm run soak` asks for more of them, and from another seed. */
const SCHEDULES = Number(process.env.REGCTL_TEST_SCHEDULES ?? (process.env.CI === "true" ? "300" : "60"));
const SEED = Number(process.env.REGCTL_TEST_SEED ?? "1");
const TIMEOUT_MS = 24 * 3_600_000;

describe("no image is lost", () => {
  it(
    "by pushes, removals, undo, prune, collections, kills and restarts in random order and at the same time",
    async () => {
      const { failures, counts } = await runSchedules({
        program: await debianRegistry(),
        collector: "regctl",
        first: SEED,
        schedules: SCHEDULES,
        stopAfter: 3,
      });
      console.log(`schedules from seed ${SEED}: ${JSON.stringify(counts)}`);
      expect(failures.join("\n\n")).toBe("");
    },
    TIMEOUT_MS,
  );

  const program3 = registry3Program();
  /** No 3.x binary is to be had from Debian: these are not missing where nobody gives one. */
  const on3: typeof it | (() => void) = program3 === undefined ? () => undefined : it;
  on3(
    "nor on distribution 3.x",
    async () => {
      const { failures } = await runSchedules({
        program: program3 as string,
        collector: "regctl",
        first: SEED,
        schedules: SCHEDULES,
        stopAfter: 3,
      });
      expect(failures.join("\n\n")).toBe("");
    },
    TIMEOUT_MS,
  );

  it.each(["upstream", "upstream-plain"] as const)(
    "and the same schedules catch distribution's own collector at losing them (%s)",
    async (collector) => {
      const { failures } = await runSchedules({
        program: await debianRegistry(),
        collector,
        first: SEED,
        schedules: 200,
        stopAfter: 1,
      });
      expect(failures.join("\n")).toMatch(/lost: |half: /);
    },
    TIMEOUT_MS,
  );
});
