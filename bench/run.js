/**
 * `npm run bench [-- NAME…]`: regctl against what it is compared with, both in one run. Markdown on stdout, as it stands in
 * docs/benchmarks.md; what goes on, and what is above its limit, on stderr. Never fails because of a time.
 */
import { adduser } from "./adduser.js";
import { fresh } from "./fresh.js";
import { init } from "./init.js";
import { commit, machineFacts, missing } from "./machine.js";
import { memory } from "./memory.js";
import { renderReport } from "./report.js";
import { startup } from "./startup.js";
import { upNoop } from "./up.js";

const PARTS = { startup, init, "up-noop": upNoop, adduser, memory, fresh };
/** `many` for what takes a fraction of a second, `few` for what takes seconds. */
const ROUNDS = { many: Number(process.env.REGCTL_BENCH_ROUNDS ?? 21), few: 5 };

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
    const { rows, steps = [] } = await measure({ rounds: ROUNDS });
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
if (unknown.length > 0) {
  say(`no part is called ${unknown.join(", ")}; the parts are ${Object.keys(PARTS).join(", ")}`);
  process.exitCode = 2;
} else {
  const facts = `${machineFacts()}; ${commit()}; ${ROUNDS.many} rounds (${ROUNDS.few} of what takes seconds).`;
  const results = [];
  for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) results.push(await measurePart(name));
  const rows = results.flatMap((result) => result.rows);
  console.log(renderReport({ facts, rows, steps: results.flatMap((result) => result.steps) }));
  for (const row of rows.filter(({ met }) => met === false)) {
    say(
      `ABOVE THE LIMIT: ${row.what} is ${row.ratio === undefined ? row.ours : `${row.ratio.toFixed(2)} ×`}, the limit is ${row.limit}`,
    );
  }
}
