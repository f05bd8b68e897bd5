/** What a retention rule gives up, found from disk and over the API. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REGCTL } from "./machine.js";
import { interleave, run } from "./measure.js";
import { withRegistry } from "./registry.js";
import { fasterRow } from "./report.js";
import { ensureStore } from "./stores.js";
import { build, work } from "./work.js";

const RULE = ["--keep", "10", "--by", "build", "--no-protect-in-use"];
const GOALS = { M: { plan: { wall: 60 }, memory: { wall: 3.5 } } };

export const prune = {
  needs: ["registry"],
  async measure({ rounds, sizes, say }) {
    await build();
    const size = sizes.includes("M") ? "M" : sizes.at(-1);
    const goals = GOALS[size] ?? {};
    const { folder: store } = await ensureStore(size, say);
    const folder = await mkdtemp(join(tmpdir(), "regctl-bench-prune-"));
    await mkdir(join(folder, ".regctl"));
    const found = new Set();
    const checked = async (task, options) => {
      const one = await work(task, options);
      found.add(`${one.count} tags, ${one.digest}`);
      return one;
    };
    try {
      return await withRegistry(store, async ({ url, pid }) => {
        // Warms what all of them read, and has something to remember.
        await checked("decision-api", { url, pid, folder });
        const { plan, decision, whole, api, remembered } = await interleave(
          rounds.fewest,
          {
            plan: () => checked("plan-disk", { store }),
            decision: () => checked("decision-disk", { store }),
            whole: () => run(REGCTL, ["prune", "--data", store, ...RULE, "-q"], { discard: true }),
            api: () => checked("decision-api", { url, pid }),
            remembered: () => checked("decision-api", { url, pid, folder, remembers: true }),
          },
          { warmUp: false },
        );
        if (found.size !== 1) throw new Error(`not everybody gives up the same:\n${[...found].join("\n")}`);
        say(`${size}: all give up the same ${plan.count} tags`);
        const other = "the same decision over the API, 16 connections";
        return {
          rows: [
            fasterRow(
              `prune: the plan from disk with its bytes, the work alone, ${size}`,
              plan,
              other,
              api,
              goals.plan,
            ),
            fasterRow(`prune: the decision alone, without the bytes, ${size}`, decision, other, api, goals.plan),
            fasterRow(`prune: \`regctl prune\`, the whole process, ${size}`, whole, other, api),
            fasterRow(
              `prune over the API with a memory of digests, ${size}`,
              remembered,
              "without the memory",
              api,
              goals.memory,
            ),
          ],
        };
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
