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

function cells({ what, ours, other, ratio, cpuRatio, limit, met }) {
  const number = (value) => (value === undefined ? "" : value.toFixed(2));
  const verdict = met === undefined ? "" : met ? "yes" : MISSED;
  return [what, ours, other ?? "", number(ratio), number(cpuRatio), limit ?? "", verdict];
}

function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The table of all rows, then a table for each list of steps. */
export function renderReport({ facts, rows, steps }) {
  const parts = [
    facts,
    table(["what", "regctl", "compared with", "ratio", "CPU ratio", "limit", "met"], rows.map(cells)),
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
