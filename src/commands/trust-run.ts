import type { Context } from "../context.ts";
import { type KitOutcome, type KitRun, summarize } from "../operations/trust.ts";

/** Prints what a kit that ran did and saw; its exit code is the command's. */
export function runResult(context: Context, kind: string, run: KitRun, outcome: KitOutcome): number {
  const { checks, text } = summarize(outcome.events);
  const data =
    run.mode === "check"
      ? { needed: true, host: run.host ?? null, checks }
      : {
          needed: true,
          host: run.host ?? null,
          dryRun: run.dryRun ?? false,
          undo: run.undo ?? false,
          events: outcome.events.map((event) => ({ ...event, fix: event.fix ?? null })),
          checks,
        };
  context.output.result(kind, data, text);
  return outcome.exitCode;
}
