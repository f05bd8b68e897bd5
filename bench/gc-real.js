/** Deleting garbage, from a copy of the store that no registry serves. */
import { createHash } from "node:crypto";
import { collectWithRegctl } from "./collectors.js";
import { interleave, run } from "./measure.js";
import { withCollector } from "./registry.js";
import { fasterRow } from "./report.js";
import { ensureStore, withCopy } from "./stores.js";

const GOALS = { M: { wall: 7 } };

/** How many blob files there are, and a digest of their sorted paths. */
async function remaining(store) {
  const { stdout } = await run("find", ["docker/registry/v2/blobs", "-type", "f"], { cwd: store });
  const paths = stdout.split("\n").filter(Boolean).sort();
  return { files: paths.length, digest: createHash("sha256").update(paths.join("\n")).digest("hex") };
}

/** Runs `collect` on a fresh copy whose folders and manifests were just read; only `collect` is timed. */
function onCopy(store, left, collect) {
  return () =>
    withCopy(store, async (copy) => {
      await collectWithRegctl(copy, ["--dry-run", "-q"], { discard: true });
      const measured = await collect(copy);
      left.push(await remaining(copy));
      return measured;
    });
}

export const gcReal = {
  needs: ["registry", "time"],
  async measure({ rounds, sizes, say }) {
    const size = sizes.includes("M") ? "M" : sizes.at(-1);
    const { folder: store } = await ensureStore(size, say);
    const left = [];
    const measured = { peak: true, discard: true };
    const { regctl, upstream } = await interleave(
      rounds.fewest,
      {
        regctl: onCopy(store, left, (copy) => collectWithRegctl(copy, ["--stopped", "-q"], measured)),
        upstream: onCopy(store, left, (copy) => withCollector(copy, ({ collect }) => collect([], measured))),
      },
      { warmUp: false },
    );
    const before = await remaining(store);
    if (new Set(left.map(({ digest }) => digest)).size > 1)
      throw new Error(`what is left differs: ${left.map(({ files }) => files).join(", ")} blob files`);
    if (left[0].files >= before.files) throw new Error("nothing was deleted");
    say(`${size}: both left the same ${left[0].files} of ${before.files} blob files`);
    return {
      rows: [
        fasterRow(
          `\`regctl gc --stopped\`, ${size}, warm: ${before.files - left[0].files} blobs deleted`,
          regctl,
          "`registry garbage-collect`",
          upstream,
          GOALS[size],
        ),
      ],
    };
  },
};
