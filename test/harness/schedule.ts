/** A schedule: actions drawn from a seed, alone or at the same time, and what must be true after them. */
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { upstreamCollect } from "../support/upstream-collect.ts";
import { type Choices, choicesFrom } from "./choices.ts";
import { type DrawnCommand, drawCommand, drawGc, NO_COMMAND, onStore } from "./commands.ts";
import { emptyFacts, type Facts } from "./facts.ts";
import type { Collector, Lane } from "./lane.ts";
import { mendHalfWritten } from "./mend.ts";
import { forgetMended, learn, type TrashListing } from "./outcome.ts";
import { drawPush, type Material, materialFrom, type Push, type PushAction } from "./pushes.ts";
import { type CommandResult, errorCode } from "./runner.ts";
import { findLosses } from "./verify.ts";

export interface ScheduleOptions {
  readonly seed: number;
  readonly collector: Collector;
  /** How long a collection waits for pushes; more for slow machines. */
  readonly settleMs: number;
}

export interface ScheduleReport {
  readonly losses: readonly string[];
  readonly trace: readonly string[];
  /** A manifest took so long to be stored that a collection did not wait for it: nothing is proven. */
  readonly isInconclusive: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

const HOUR = 3_600_000;
const EXPECTED = new Set(["not-found", "conflict"]);
interface State {
  readonly lane: Lane;
  readonly options: ScheduleOptions;
  readonly choices: Choices;
  readonly facts: Facts;
  readonly material: Material;
  readonly trace: string[];
  readonly losses: string[];
  readonly counts: Record<string, number>;
  listing: readonly TrashListing[];
  nowOffsetMs: number;
  slowestMs: number;
}

interface Ran {
  readonly command: DrawnCommand;
  readonly result: CommandResult;
}

async function runRegctl(state: State, runner: 0 | 1, command: DrawnCommand, mayDie: boolean): Promise<Ran> {
  const { lane, choices } = state;
  // The first changes of a command are its lock and its journal; the later, the fewer commands have them.
  const killAt = mayDie && choices.chance(0.12) ? 1 + Math.floor(choices.below(100) ** 2 / 150) : 0;
  const stalls = Array.from({ length: choices.chance(0.4) ? 1 + choices.below(3) : 0 }, () => {
    return [1 + choices.below(choices.among([60, 250, 800])), 10 + choices.below(70)] as const;
  });
  const startMs = choices.chance(0.3) ? choices.below(40) : 0;
  if (startMs > 0) await delay(startMs);
  const argv = onStore(command.argv, lane.store);
  const result = await lane.runners[runner].run({ argv, nowOffsetMs: state.nowOffsetMs, killAt, stalls });
  const end = result.exitCode === undefined ? `killed after change ${killAt}` : `exit ${result.exitCode}`;
  const failed = result.exitCode === 0 || result.exitCode === undefined ? "" : ` ${errorCode(result)}`;
  state.trace.push(`regctl ${command.argv.join(" ")} -> ${end}${failed}`);
  count(state, result.exitCode === undefined ? "killed" : (command.argv[0] as string));
  return { command, result };
}

function count(state: State, what: string): void {
  state.counts[what] = (state.counts[what] ?? 0) + 1;
}

async function runUpstream({ lane, options, trace }: State, { isUntagged }: DrawnCommand): Promise<void> {
  const deleteUntagged = isUntagged && options.collector === "upstream";
  const { aborted } = await upstreamCollect(lane.program, lane.store, { deleteUntagged });
  trace.push(`garbage-collect${deleteUntagged ? " -m" : ""} -> ${aborted === undefined ? "done" : "gave up"}`);
}

async function runPush(state: State, action: PushAction): Promise<Push[]> {
  const pushes = await action.run(state.lane.client());
  for (const { tookMs } of pushes) state.slowestMs = Math.max(state.slowestMs, tookMs);
  const answers = pushes.map(({ manifest, outcome }) => `${manifest.digest.slice(7, 15)} ${outcome}`);
  state.trace.push(`${action.name} -> ${answers.join(", ") || "no manifest"}`);
  count(state, "push");
  return pushes;
}

async function disturbRegistry(state: State, isKill: boolean): Promise<string[]> {
  const { lane, trace } = state;
  let mended: string[] = [];
  if (isKill) {
    await lane.registry.kill9();
    mended = mendHalfWritten(lane.store);
    if (mended.length > 0) count(state, "mended");
  } else await lane.registry.stop();
  await lane.registry.start();
  lane.renewClient();
  trace.push(`registry ${isKill ? `killed${mended.length > 0 ? `, which left ${mended}` : ""}` : "restarted"}`);
  count(state, isKill ? "registry killed" : "registry restarted");
  return mended;
}

interface Group {
  readonly pushes: readonly PushAction[];
  readonly commands: readonly DrawnCommand[];
  readonly disturbance: "kill" | "restart" | undefined;
}

function drawGroup({ choices, facts, material, listing, options }: State): Group {
  const isUpstream = options.collector !== "regctl";
  const hasCommand = choices.chance(0.5);
  const isParallel = choices.chance(0.65);
  const pushCount = hasCommand ? (isParallel ? 1 + choices.below(4) : 0) : isParallel ? 2 + choices.below(3) : 1;
  const settleMs = pushCount === 0 ? 0 : options.settleMs;
  const draw = () => (isUpstream ? drawGc(choices, settleMs) : drawCommand(choices, facts, listing, settleMs));
  const commands = hasCommand ? [draw()] : [];
  if (hasCommand && choices.chance(0.15)) commands.push(drawGc(choices, settleMs));
  const within = commands.some(({ isGc }) => isGc) ? options.settleMs + 100 : 60;
  const pushes = Array.from({ length: pushCount }, () =>
    drawPush(choices, facts, material, {
      startMs: hasCommand && choices.chance(0.7) ? choices.below(within) : 0,
      pauseMs: choices.chance(0.3) ? choices.below(within) : 0,
    }),
  );
  const disturbance = choices.chance(0.05) ? (choices.chance(0.6) ? "kill" : "restart") : undefined;
  return { pushes, commands, disturbance };
}

async function runGroup(state: State, group: Group): Promise<void> {
  const { options, choices } = state;
  state.trace.push(`-- ${group.pushes.length} pushes, ${group.commands.length} commands`);
  const disturb = async (): Promise<string[]> => {
    if (group.disturbance === undefined) return [];
    await delay(choices.below(80));
    return disturbRegistry(state, group.disturbance === "kill");
  };
  const [pushes, ran, mended] = await Promise.all([
    Promise.all(group.pushes.map((action) => runPush(state, action))),
    Promise.all(
      group.commands.map(async (command, at) => {
        if (options.collector === "regctl") return runRegctl(state, at === 0 ? 0 : 1, command, true);
        await runUpstream(state, command);
        return undefined;
      }),
    ),
    disturb(),
  ]);
  if (options.collector !== "regctl") {
    learn(state.facts, {
      pushes: pushes.flat(),
      listing: [],
      purged: [],
      undone: new Map(),
      isPurgeable: () => true,
      isUntaggedCollected: options.collector === "upstream" && group.commands.some(({ isUntagged }) => isUntagged),
    });
    return;
  }
  const commands = ran.filter((one) => one !== undefined);
  for (const { command, result } of commands) {
    if (result.exitCode === 0 || result.exitCode === undefined) continue;
    const code = errorCode(result);
    const isExpected =
      EXPECTED.has(code) ||
      (command.undoes.length > 0 && result.exitCode === 5) ||
      (code === "precondition-failed" && mended.length > 0);
    if (!isExpected) state.losses.push(`regctl ${command.argv.join(" ")}: ${result.stderr}`);
  }
  const killed = commands.some(({ result }) => result.exitCode === undefined);
  if (killed) await recover(state);
  await learnFrom(state, pushes.flat(), commands);
  forgetMended(state.facts, mended);
}

/** Whatever the next command is: it finishes or takes back what was begun. */
async function recover(state: State): Promise<void> {
  const { choices } = state;
  const argv = choices.among([
    ["rm-tag", "nowhere/at-all:latest", "--no-sizes"],
    ["undo", "20200101-000000"],
    ["gc", "--grace", "1h", "--settle", "0", "--stopped"],
  ]);
  await runRegctl(state, 0, { ...NO_COMMAND, argv }, false);
}

async function learnFrom(state: State, pushes: readonly Push[], commands: readonly Ran[]): Promise<void> {
  const { lane, facts } = state;
  const argv = onStore(["trash"], lane.store);
  const { stdout, stderr } = await lane.runners[0].run({ argv, nowOffsetMs: state.nowOffsetMs });
  if (stdout === "") throw new Error(`regctl trash: ${stderr}`);
  state.listing = JSON.parse(stdout).data.entries;
  const unfinished = state.listing.filter(({ state: how }) => how !== "kept");
  if (unfinished.length > 0) state.losses.push(`unfinished: ${JSON.stringify(unfinished)}`);
  const named = new Set(commands.flatMap(({ command }) => command.purges));
  const latest = Date.now() + state.nowOffsetMs;
  const purged = commands.flatMap(({ command, result }, at) =>
    command.isForGood && result.exitCode === 0
      ? [
          {
            id: `for good ${at}`,
            kind: command.argv[0] as string,
            state: "purged",
            expires: new Date(0).toISOString(),
            removed: JSON.parse(result.stdout).data.removed,
          },
        ]
      : [],
  );
  state.losses.push(
    ...learn(facts, {
      pushes,
      listing: state.listing,
      purged,
      undone: new Map(
        commands.flatMap(({ command, result }) =>
          [undefined, 0, 5].includes(result.exitCode)
            ? command.undoes.map((id) => [id, result.exitCode !== undefined] as const)
            : [],
        ),
      ),
      isPurgeable: (id, expires) => named.has(id) || expires <= latest,
      isUntaggedCollected: commands.some(({ command }) => command.isUntagged),
    }),
  );
}

/** The clock jumps, or somebody touches files. */
function jump(state: State): void {
  const { choices, lane } = state;
  if (choices.chance(0.5)) {
    state.nowOffsetMs = choices.among([0, 0, -24 * HOUR, HOUR, 8 * 24 * HOUR, -400 * 24 * HOUR]);
    state.trace.push(`clock off by ${state.nowOffsetMs / HOUR} h`);
    return;
  }
  const offset = choices.among([-48 * HOUR, 48 * HOUR, 0]);
  const time = (Date.now() + offset) / 1000;
  const root = join(lane.store, "docker/registry/v2");
  for (const path of readdirSync(root, { recursive: true, encoding: "utf8" }))
    if (choices.chance(0.7)) utimesSync(join(root, path), time, time);
  state.trace.push(`files touched: ${offset / HOUR} h`);
}

async function check(state: State, when: string): Promise<void> {
  const { lane, facts, losses, trace } = state;
  trace.push(`-- look: ${when}`);
  for (const loss of await findLosses(lane.store, lane.client(), facts)) losses.push(`${when}: ${loss}`);
}

async function end(state: State): Promise<void> {
  const { lane, options } = state;
  state.nowOffsetMs = 0;
  if (options.collector === "regctl") {
    const argv = ["gc", "--grace", "0", "--settle", "0", "--stopped"];
    const ran = await runRegctl(state, 0, { ...NO_COMMAND, argv }, false);
    if (ran.result.exitCode !== 0) state.losses.push(`the last gc: ${ran.result.stderr}`);
    await learnFrom(state, [], []);
  }
  await lane.registry.restart();
  lane.renewClient();
  await check(state, "after the last collection");
  if (options.collector !== "regctl" || state.losses.length > 0 || state.listing.length === 0) return;
  for (const { id } of [...state.listing].reverse()) {
    const command = { ...NO_COMMAND, argv: ["undo", id], undoes: [id] };
    const ran = await runRegctl(state, 0, command, false);
    if (ran.result.exitCode !== 0 && ran.result.exitCode !== 5) state.losses.push(`undo: ${ran.result.stderr}`);
    await learnFrom(state, [], [ran]);
  }
  await check(state, "after everything was brought back");
}

export async function runSchedule(lane: Lane, options: ScheduleOptions): Promise<ScheduleReport> {
  lane.wipe();
  const choices = choicesFrom(`schedule ${options.seed}`);
  const state: State = {
    lane,
    options,
    choices,
    facts: emptyFacts(),
    material: materialFrom(choices, String(options.seed)),
    trace: [],
    losses: [],
    counts: {},
    listing: [],
    nowOffsetMs: 0,
    slowestMs: 0,
  };
  const actions = 12 + choices.below(19);
  for (let done = 0; done < actions && state.losses.length === 0; ) {
    if (choices.chance(0.05) && options.collector === "regctl") jump(state);
    const group = drawGroup(state);
    await runGroup(state, group);
    done += group.pushes.length + group.commands.length;
    if (choices.chance(0.08)) await check(state, "in between");
  }
  if (state.losses.length === 0) await end(state);
  const { losses, trace, counts } = state;
  return { losses, trace, counts, isInconclusive: state.slowestMs > options.settleMs * 0.8 };
}
