/** Removing a repository with many tags: into the trash, and tag after tag over the API. */
import { REGCTL } from "./machine.js";
import { interleave, run } from "./measure.js";
import { withRegistry } from "./registry.js";
import { fasterRow, goalRow, times } from "./report.js";
import { ensureStore, withCopy } from "./stores.js";
import { build, work } from "./work.js";

const REPOSITORY = "service-00000";
const GOAL = { wall: 50 };
const TAGS = 1_000;
const [FEW_TAGS, MANY_TAGS] = [100, 10_000];

/** Removes it, and brings it back outside of the time. */
async function removeOnce(store, flags) {
  const removed = await run(REGCTL, ["rm-repo", REPOSITORY, "--yes", "--data", store, "-q", ...flags]);
  await run(REGCTL, ["undo", removed.stdout.trim(), "--data", store]);
  return removed;
}

async function deleteOnce(store) {
  const deleted = await withCopy(store, (copy) =>
    withRegistry(copy, ({ url, pid }) => work("delete-api", { url, pid, repository: REPOSITORY })),
  );
  if (deleted.deleted !== TAGS) throw new Error(`${deleted.deleted} of ${deleted.tags} manifests were deleted`);
  return deleted;
}

async function againstApi(rounds, say) {
  const { folder: store } = await ensureStore(`one-${TAGS}`, say);
  return withCopy(store, async (copy) => {
    const { sizes, names, api } = await interleave(rounds, {
      sizes: () => removeOnce(copy, []),
      names: () => removeOnce(copy, ["--no-sizes"]),
      api: () => deleteOnce(store),
    });
    const other = "HEAD and DELETE of every tag over the API, 16 connections";
    const what = (flags) => `\`regctl rm-repo${flags}\`, ${TAGS.toLocaleString("en")} tags, the whole process`;
    return [fasterRow(what(""), sizes, other, api, GOAL), fasterRow(what(" --no-sizes"), names, other, api, GOAL)];
  });
}

async function growth(rounds, say) {
  const few = await ensureStore(`one-${FEW_TAGS}`, say);
  const many = await ensureStore(`one-${MANY_TAGS}`, say);
  const measured = await withCopy(few.folder, (small) =>
    withCopy(many.folder, (large) =>
      interleave(rounds, {
        few: () => removeOnce(small, ["--no-sizes"]),
        many: () => removeOnce(large, ["--no-sizes"]),
      }),
    ),
  );
  return goalRow(
    `\`regctl rm-repo --no-sizes\`, ${MANY_TAGS.toLocaleString("en")} tags against ${FEW_TAGS}`,
    `${times(measured.many.wallMs / measured.few.wallMs)} the time, ${times(measured.many.cpuMs / measured.few.cpuMs)} the CPU`,
    "independent of the tags",
  );
}

export const rmRepo = {
  needs: ["registry"],
  async measure({ rounds, say }) {
    await build();
    return { rows: [...(await againstApi(Math.min(rounds.few, 3), say)), await growth(rounds.few, say)] };
  },
};
