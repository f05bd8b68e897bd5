import { formatBytes } from "../../bytes.ts";
import { shownName } from "../../shown-name.ts";
import type { Check, Diagnosis } from "../check.ts";
import type { DeploymentFacts, TrashFacts } from "../deployment-facts.ts";

const DAY_MS = 86_400_000;
/** Removed by hand, by somebody who may want it back; the others are routine. */
const BY_HAND: ReadonlySet<string> = new Set(["rm-repo", "rm-tag", "rm-image"]);
const LARGE_SHARE = 0.1;

function overdue(entries: readonly TrashFacts[], now: Date): Diagnosis | undefined {
  const late = entries.filter(({ expires }) => now.getTime() - expires.getTime() > DAY_MS);
  const [oldest] = late;
  if (oldest === undefined) return undefined;
  return {
    verdict: "warning",
    cause: `${late.length === 1 ? "an entry" : `${late.length} entries`} of the trash could have been purged since ${oldest.expires.toISOString().slice(0, 10)}, and still take${late.length === 1 ? "s" : ""} up disk`,
    fix: "regctl gc (run it regularly; it purges what has expired)",
  };
}

export const trash: Check<DeploymentFacts> = {
  id: "trash",
  title: "the trash is small, and nothing wanted is about to leave it",
  async examine(facts) {
    const kept = (await facts.trash()).filter(({ state }) => state === "kept");
    const late = overdue(kept, facts.now);
    if (late !== undefined) return late;
    const leaving = kept.find(
      ({ kind, expires }) => BY_HAND.has(kind) && expires.getTime() - facts.now.getTime() < DAY_MS,
    );
    if (leaving !== undefined)
      return {
        verdict: "warning",
        cause: `what ${leaving.kind} removed (${shownName(leaving.id)}) can be brought back until ${leaving.expires.toISOString()}, and no longer`,
        fix: `is it wanted: regctl undo ${shownName(leaving.id)}; is it not: regctl trash purge ${shownName(leaving.id)}`,
      };
    const bytes = kept.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
    const { data } = await facts.config();
    const disk = (await facts.disks()).find(({ path }) => path === data) ?? (await facts.disks())[0];
    if (disk === undefined || disk.space.bytesTotal === 0 || bytes < disk.space.bytesTotal * LARGE_SHARE)
      return undefined;
    return {
      verdict: "warning",
      cause: `the trash holds ${formatBytes(bytes)}, more than a tenth of the disk`,
      fix: "regctl trash lists it, regctl trash purge ID empties it",
    };
  },
};
