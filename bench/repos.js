/** Listing repositories: their names from disk and over the API, and with what each of them weighs. */
import { interleave } from "./measure.js";
import { withRegistry } from "./registry.js";
import { fasterRow, goalRow, milliseconds } from "./report.js";
import { ensureStore } from "./stores.js";
import { build, work } from "./work.js";

const NAMES_GOALS = { L: { wall: 6 } };
const SIZES_GOAL_MS = 2_000;

async function compareNames(size, rounds, say) {
  const { folder: store } = await ensureStore(size, say);
  const found = new Set();
  const checked = async (task, options) => {
    const one = await work(task, options);
    found.add(one.digest);
    return one;
  };
  return withRegistry(store, async ({ url, pid }) => {
    const { disk, api } = await interleave(rounds, {
      disk: () => checked("names-disk", { store }),
      api: () => checked("names-api", { url, pid }),
    });
    if (found.size !== 1) throw new Error("the folder and the API do not name the same repositories");
    const what = `names of ${disk.count.toLocaleString("en")} repositories from disk, the work alone, ${size}`;
    return fasterRow(what, disk, "`_catalog?n=1000`, all pages", api, NAMES_GOALS[size]);
  });
}

async function weigh(size, rounds, say) {
  const { folder: store } = await ensureStore(size, say);
  const { disk } = await interleave(rounds, { disk: () => work("sizes-disk", { store }) });
  const isMet = disk.wallMs < SIZES_GOAL_MS;
  const goal = `less than ${milliseconds(SIZES_GOAL_MS)}`;
  const what = `the same with what each weighs, ${size}`;
  const ours = `${milliseconds(disk.wallMs)} (${milliseconds(disk.cpuMs)} of CPU)`;
  return size === "M" ? goalRow(what, ours, goal, isMet) : goalRow(what, ours);
}

export const repos = {
  needs: ["registry"],
  async measure({ rounds, sizes, say }) {
    await build();
    const rows = [];
    for (const size of sizes) {
      rows.push(await compareNames(size, rounds.few, say), await weigh(size, rounds.few, say));
    }
    return { rows };
  },
};
