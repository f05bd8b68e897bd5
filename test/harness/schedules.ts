/** Many schedules, two at once, each with a registry and a store of its own. */
import type { Collector } from "./lane.ts";
import { openLane } from "./lane.ts";
import { runSchedule, type ScheduleReport } from "./schedule.ts";

export interface SchedulesOptions {
  readonly program: string;
  readonly collector: Collector;
  /** Seed of the first; the next has the next number. */
  readonly first: number;
  readonly schedules: number;
  /** After so many failures no more are begun. */
  readonly stopAfter: number;
  readonly lanes?: number;
}

export interface SchedulesReport {
  readonly failures: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

const SETTLE_MS = 150;
const PATIENT_SETTLE_MS = 2_000;

function describeFailure(seed: number, { losses, trace }: ScheduleReport): string {
  return [
    `schedule ${seed} lost something; alone: npm run soak -- --schedules 1 --seed ${seed}`,
    ...losses,
    ...trace.map((line) => `    ${line}`),
  ].join("\n");
}

export async function runSchedules(options: SchedulesOptions): Promise<SchedulesReport> {
  const { program, collector } = options;
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  let next = options.first;
  const last = options.first + options.schedules;
  const work = async (): Promise<void> => {
    await using lane = await openLane(program);
    while (next < last && failures.length < options.stopAfter) {
      const seed = next++;
      let report = await runSchedule(lane, { seed, collector, settleMs: SETTLE_MS });
      if (report.losses.length > 0 && report.isInconclusive && collector === "regctl") {
        // The machine was so busy that a push took longer than the collection waited.
        counts.repeated = (counts.repeated ?? 0) + 1;
        report = await runSchedule(lane, { seed, collector, settleMs: PATIENT_SETTLE_MS });
      }
      if (report.losses.length > 0) failures.push(describeFailure(seed, report));
      for (const [what, number] of Object.entries(report.counts)) counts[what] = (counts[what] ?? 0) + number;
      counts.schedules = (counts.schedules ?? 0) + 1;
      if (process.env.REGCTL_TEST_PROGRESS === "1" && counts.schedules % 50 === 0)
        console.log(`${counts.schedules} of ${options.schedules} schedules`);
    }
  };
  await Promise.all(Array.from({ length: options.lanes ?? 3 }, work));
  return { failures, counts };
}
