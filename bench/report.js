/** Results as the Markdown that stands in docs/benchmarks.md. */

/**
 * @typedef {object} Row
 * @property {string} what  What was measured.
 * @property {string} ours
 * @property {string} [other]  What it is compared with, and its time.
 * @property {number} [ratio]  Ours / other, of the medians.
 * @property {number} [cpuRatio]
 * @property {string} [limit]
 * @property {boolean} [met]
 */

export function milliseconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

const MISSED = "**ABOVE THE LIMIT**";

/** A row that compares two medians; the wall clock decides. */
export function ratioRow(what, ours, otherName, other, limit) {
  const ratio = ours.wallMs / other.wallMs;
  const row = { what, ours: milliseconds(ours.wallMs), other: `${otherName}: ${milliseconds(other.wallMs)}`, ratio };
  const cpuRatio = other.cpuMs > 0 ? ours.cpuMs / other.cpuMs : undefined;
  return { ...row, cpuRatio, ...(limit === undefined ? {} : { limit: `${limit} ×`, met: ratio <= limit }) };
}

/**
 * @typedef {object} GoalRow  A row of the table whose figures are to be high.
 * @property {string} what
 * @property {string} ours
 * @property {string} [other]
 * @property {number} [wall]  Other / ours, of the medians.
 * @property {number} [cpu]  Other / ours.
 * @property {number} [memory]  Ours / other, of the peaks.
 * @property {string} goal  In words; "" when there is none.
 * @property {boolean} [met]
 */

/** A row that compares two medians. Goals are the least `wall` and `cpu`, and the most `memory`. */
export function fasterRow(what, ours, otherName, other, goals = {}) {
  const isTimed = ours.cpuMs > 0 && other.cpuMs > 0;
  const figures = {
    wall: other.wallMs / ours.wallMs,
    ...(isTimed ? { cpu: other.cpuMs / ours.cpuMs } : {}),
    ...(ours.peakBytes === undefined ? {} : { memory: ours.peakBytes / other.peakBytes }),
  };
  const words = {
    wall: (goal) => `${goal} × faster`,
    cpu: (goal) => `${goal} × less CPU`,
    memory: (goal) => `at most ${goal} × the memory`,
  };
  const isMet = ([name, goal]) => (name === "memory" ? figures[name] <= goal : figures[name] >= goal);
  const entries = Object.entries(goals).filter(([, goal]) => goal !== undefined);
  return {
    what,
    ours: milliseconds(ours.wallMs),
    other: `${otherName}: ${milliseconds(other.wallMs)}`,
    ...figures,
    goal: entries.map(([name, goal]) => words[name](goal)).join(", "),
    ...(entries.length === 0 ? {} : { met: entries.every(isMet) }),
  };
}

/** A row with a figure of its own. */
export function goalRow(what, ours, goal = "", met = undefined) {
  return { what, ours, goal, ...(met === undefined ? {} : { met }) };
}

/** `12.7 ×` */
export function times(value) {
  return `${value.toFixed(value < 100 ? 1 : 0)} ×`;
}

function goalCells({ what, ours, other, wall, cpu, memory, goal, met }) {
  const faster = wall === undefined ? "" : `${times(wall)} faster`;
  const less = cpu === undefined ? "" : `${times(cpu)} less`;
  const verdict = met === undefined ? "" : met ? "yes" : "**NO**";
  return [what, ours, other ?? "", faster, less, memory === undefined ? "" : `${memory.toFixed(2)} ×`, goal, verdict];
}

function cells({ what, ours, other, ratio, cpuRatio, limit, met }) {
  const number = (value) => (value === undefined ? "" : value.toFixed(2));
  const verdict = met === undefined ? "" : met ? "yes" : MISSED;
  return [what, ours, other ?? "", number(ratio), number(cpuRatio), limit ?? "", verdict];
}

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

const LIMIT_HEAD = ["what", "regctl", "compared with", "ratio", "CPU ratio", "limit", "met"];
const GOAL_HEAD = ["what", "regctl", "compared with", "time", "CPU", "peak memory", "goal", "met"];

/** The table of the rows with a limit, that of those with a goal, then a table for each list of steps. */
export function renderReport({ facts, rows, steps }) {
  const withLimit = rows.filter(({ goal }) => goal === undefined);
  const withGoal = rows.filter(({ goal }) => goal !== undefined);
  const parts = [
    facts,
    ...(withLimit.length === 0 ? [] : [table(LIMIT_HEAD, withLimit.map(cells))]),
    ...(withGoal.length === 0 ? [] : [table(GOAL_HEAD, withGoal.map(goalCells))]),
    ...steps.map(({ title, seconds }) =>
      [
        `${title}:`,
        table(
          ["step", "seconds"],
          seconds.map(([step, value]) => [step, value.toFixed(1)]),
        ),
      ].join("\n\n"),
    ),
  ];
  return parts.join("\n\n");
}
