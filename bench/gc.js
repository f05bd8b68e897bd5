/** Finding garbage: the dry run of both collectors, warm and with a cold page cache. */
import { collectWithRegctl, deletableByRegctl, deletableByUpstream, requireSame } from "./collectors.js";
import { coldCacheObstacle, dropCaches } from "./machine.js";
import { interleave } from "./measure.js";
import { withCollector } from "./registry.js";
import { fasterRow, goalRow } from "./report.js";
import { ensureStore } from "./stores.js";

const OURS = "`regctl gc --dry-run`";
const THEIRS = "`registry garbage-collect --dry-run`";
const GOALS = {
  S: { memory: undefined },
  M: { wall: 12, cpu: 8, memory: 1.5 },
  L: { wall: 30, cpu: 13, memory: 1.5 },
};
const COLD_GOALS = { M: { wall: 7.5 } };

const MEASURED = { peak: true, discard: true };

function contestants(store, collect, before = () => {}) {
  return {
    regctl: async () => {
      await before();
      return collectWithRegctl(store, ["--dry-run", "-q"], MEASURED);
    },
    upstream: async () => {
      await before();
      return collect(["--dry-run"], MEASURED);
    },
  };
}

async function measureCold(size, store, collect, rounds) {
  const what = `${OURS}, ${size}, cold`;
  const obstacle = coldCacheObstacle();
  if (obstacle !== undefined) return goalRow(what, `not measured: needs ${obstacle}`);
  const { regctl, upstream } = await interleave(rounds, contestants(store, collect, dropCaches), { warmUp: false });
  return fasterRow(what, regctl, THEIRS, upstream, COLD_GOALS[size]);
}

export const gc = {
  needs: ["registry", "time"],
  async measure({ rounds, sizes, say }) {
    const rows = [];
    for (const size of sizes) {
      const { folder: store } = await ensureStore(size, say);
      await withCollector(store, async ({ collect, list }) => {
        const found = await deletableByRegctl(store);
        requireSame(found, await deletableByUpstream(list));
        say(`${size}: both would delete the same ${found.blobs.length} blobs`);
        const { regctl, upstream } = await interleave(
          size === "L" ? Math.min(rounds.few, 3) : rounds.few,
          contestants(store, collect),
        );
        rows.push(fasterRow(`${OURS}, ${size}, warm`, regctl, THEIRS, upstream, GOALS[size]));
        if (size !== "L") rows.push(await measureCold(size, store, collect, Math.min(rounds.few, 3)));
      });
    }
    return { rows };
  },
};
