/** Finding untagged manifests as well, and how that grows with the tags of a repository. */
import { collectWithRegctl, deletableByRegctl, deletableByUpstream, requireWithin } from "./collectors.js";
import { interleave } from "./measure.js";
import { withCollector } from "./registry.js";
import { fasterRow, goalRow, times } from "./report.js";
import { ensureStore } from "./stores.js";

const OURS = "`regctl gc --untagged --dry-run`";
const THEIRS = "`registry garbage-collect -m --dry-run`";
const MEASURED = { peak: true, discard: true };
const GOALS = { M: { wall: 25 }, "one-2000": { wall: 300 } };
const GROWTH = 4.5;

const ours = (store) => () => collectWithRegctl(store, ["--untagged", "--dry-run", "-q"], MEASURED);

/** Throws when regctl would delete something that the other would not. */
async function check(name, store, list, say) {
  const found = await deletableByRegctl(store, ["--untagged"]);
  const theirs = await deletableByUpstream(list, ["-m"]);
  requireWithin(found, theirs);
  const count = ({ manifests, blobs }) => `${manifests.length} manifests and ${blobs.length} blobs`;
  say(`${name}: regctl would delete ${count(found)}, the registry's collector ${count(theirs)}`);
}

/** Of what takes the other minutes, its run that would warm up and the one that would check are left out. */
async function compare(name, what, { rounds, say, isLong = false }) {
  const { folder: store } = await ensureStore(name, say);
  return withCollector(store, async ({ collect, list }) => {
    if (isLong) await ours(store)();
    else await check(name, store, list, say);
    const contestants = { regctl: ours(store), upstream: () => collect(["-m", "--dry-run"], MEASURED) };
    const { regctl, upstream } = await interleave(rounds, contestants, { warmUp: !isLong });
    return fasterRow(`${OURS}, ${what}`, regctl, THEIRS, upstream, GOALS[name]);
  });
}

async function growth(rounds, say) {
  const [small, large] = [await ensureStore("one-500", say), await ensureStore("one-2000", say)];
  const { few, many } = await interleave(rounds, { few: ours(small.folder), many: ours(large.folder) });
  const ratio = many.wallMs / few.wallMs;
  return goalRow(
    `${OURS}: one repository of 2,000 tags against 500`,
    `${times(ratio)} the time, ${times(many.cpuMs / few.cpuMs)} the CPU`,
    `at most ${GROWTH} × the time`,
    ratio <= GROWTH,
  );
}

export const gcUntagged = {
  needs: ["registry", "time"],
  async measure({ rounds, sizes, say }) {
    const rows = [];
    for (const size of sizes) rows.push(await compare(size, size, { rounds: Math.min(rounds.few, 3), say }));
    const one = { rounds: rounds.fewest, say, isLong: true };
    rows.push(await compare("one-2000", "one repository of 2,000 tags", one));
    rows.push(await growth(rounds.few, say));
    return { rows };
  },
};
