import type { Context } from "../context.ts";
import type { JobState } from "../host/schedule.ts";
import { locateDeployment } from "../operations/locate.ts";
import { installSchedule, removeSchedule, showSchedule } from "../operations/schedule.ts";
import { renderFacts } from "../terminal/table.ts";

export interface ScheduleFlags {
  readonly at?: string;
  readonly prune?: boolean;
  readonly gc?: boolean;
}

const UNSATISFIED = 3;
const TITLES: Readonly<Record<string, string>> = {
  renew: "renew the certificate when it is due",
  prune: "prune",
  gc: "collect garbage",
};

function render(state: JobState | undefined): string {
  if (state === undefined) return "nothing is scheduled; `regctl certs schedule install` does it";
  const { lastRun } = state;
  return renderFacts([
    ["Runs", `every day at ${state.at}, by ${state.by} (${state.files.join(", ")})`],
    ["Does", state.tasks.map((task) => TITLES[task] ?? task).join(", ")],
    ["Will run", state.stopped === undefined ? "yes" : `NO: ${state.stopped}`],
    ...(state.next === undefined ? [] : ([["Next", state.next]] as const)),
    ["Last run", lastRun === undefined ? "none yet" : `${lastRun.at}, exit code ${lastRun.exitCode}`],
  ]);
}

function dataOf(state: JobState | undefined) {
  return {
    installed: state !== undefined,
    by: state?.by ?? null,
    at: state?.at ?? null,
    tasks: state?.tasks ?? [],
    files: state?.files ?? [],
    willRun: state !== undefined && state.stopped === undefined,
    why: state?.stopped ?? null,
    next: state?.next ?? null,
    lastRun: state?.lastRun ?? null,
  };
}

export async function scheduleInstall(context: Context, flags: ScheduleFlags): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const { changed, state } = await installSchedule(context, directory, {
    at: flags.at,
    prune: flags.prune ?? false,
    gc: flags.gc ?? false,
    programPath: context.programPath,
  });
  if (state.stopped !== undefined) context.output.warn(`it will not run: ${state.stopped}`);
  const text = changed ? render(state) : "no changes";
  context.output.result("certs-schedule", { changed, ...dataOf(state) }, text);
}

/** Exit 3 when nothing is scheduled, or what is will not run. */
export async function scheduleShow(context: Context): Promise<number> {
  const directory = await locateDeployment(context, context.options.dir);
  const state = await showSchedule(context, directory);
  context.output.result("certs-schedule", dataOf(state), render(state));
  return state !== undefined && state.stopped === undefined ? 0 : UNSATISFIED;
}

export async function scheduleRemove(context: Context): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const removed = await removeSchedule(context, directory);
  const text = removed.length === 0 ? "no changes" : `removed ${removed.join(", ")}`;
  context.output.result("certs-schedule-remove", { removed }, text);
}
