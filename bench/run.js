/**
 * `npm run bench [-- NAME…]`: regctl against what it is compared with, both in one run. Markdown on stdout, as it stands in
 * docs/benchmarks.md; what goes on, and what is above its limit, on stderr. Never fails because of a time.
 */
import { adduser } from "./adduser.js";
import { fresh } from "./fresh.js";
import { gc } from "./gc.js";
import { gcReads } from "./gc-reads.js";
import { gcReal } from "./gc-real.js";
import { gcUntagged } from "./gc-untagged.js";
import { init } from "./init.js";
import { commit, machineFacts, missing } from "./machine.js";
import { memory } from "./memory.js";
import { prune } from "./prune.js";
import { renew } from "./renew.js";
import { renderReport, times } from "./report.js";
import { repos } from "./repos.js";
import { rmRepo } from "./rm-repo.js";
import { startup } from "./startup.js";
import { trust } from "./trust.js";
import { upNoop } from "./up.js";

const PARTS = {
  startup,
  init,
  "up-noop": upNoop,
  adduser,
  memory,
  fresh,
  gc,
  "gc-untagged": gcUntagged,
  "gc-real": gcReal,
  "gc-reads": gcReads,
  prune,
  repos,
  "rm-repo": rmRepo,
  trust,
  renew,
};
const MANY = Number(process.env.REGCTL_BENCH_ROUNDS ?? 21);
/** `many` for what takes a fraction of a second, `few` for what takes seconds, `fewest` for what takes minutes. */
const ROUNDS = { many: MANY, few: Math.min(MANY, 5), fewest: Math.min(MANY, 2) };
/** Stores to measure on, from small to large. */
const SIZES = (process.env.REGCTL_BENCH_SIZES ?? "S,M").split(",");

const say = (text) => process.stderr.write(`bench: ${text}\n`);

async function measurePart(name) {
  const { needs, measure } = PARTS[name];
  const lacks = missing(needs);
  if (lacks.length > 0) {
    for (const reason of lacks) say(`${name} is NOT MEASURED, it needs ${reason}`);
    return { rows: [{ what: name, ours: `not measured: needs ${lacks.join(", ")}` }], steps: [] };
  }
  say(`${name} …`);
  const started = performance.now();
  try {
    const { rows, steps = [] } = await measure({ rounds: ROUNDS, sizes: SIZES, say });
    say(`${name} took ${((performance.now() - started) / 1000).toFixed(0)} s`);
    return { rows, steps };
  } catch (error) {
    say(`${name} FAILED: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    return { rows: [{ what: name, ours: "failed" }], steps: [] };
  }
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(PARTS, name));
const unknownSizes = SIZES.filter((size) => !/^[SML]$/.test(size));
if (unknownSizes.length > 0) {
  say(`REGCTL_BENCH_SIZES is S, M and L with commas between, not ${unknownSizes.join(", ")}`);
  process.exitCode = 2;
} else if (unknown.length > 0) {
  say(`no part is called ${unknown.join(", ")}; the parts are ${Object.keys(PARTS).join(", ")}`);
  process.exitCode = 2;
} else {
  const facts = `${machineFacts()}; ${commit()}; ${ROUNDS.many} rounds (${ROUNDS.few} of what takes seconds).`;
  const results = [];
  for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) results.push(await measurePart(name));
  const rows = results.flatMap((result) => result.rows);
  console.log(renderReport({ facts, rows, steps: results.flatMap((result) => result.steps) }));
  for (const row of rows.filter(({ met, goal }) => met === false && goal !== undefined)) {
    const figures = [
      row.wall === undefined ? row.ours : `${times(row.wall)} faster`,
      ...(row.cpu === undefined ? [] : [`${times(row.cpu)} less CPU`]),
      ...(row.memory === undefined ? [] : [`${row.memory.toFixed(2)} × the memory`]),
    ];
    say(`BELOW THE GOAL: ${row.what} is ${figures.join(", ")}; the goal is ${row.goal}`);
  }
  for (const row of rows.filter(({ met, goal }) => met === false && goal === undefined)) {
    say(
      `ABOVE THE LIMIT: ${row.what} is ${row.ratio === undefined ? row.ours : `${row.ratio.toFixed(2)} ×`}, the limit is ${row.limit}`,
    );
  }
}
