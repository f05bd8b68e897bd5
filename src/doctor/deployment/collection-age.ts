import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const DAY_MS = 86_400_000;
const LATE_DAYS = 180;

/** What is deleted or overwritten frees no disk before a collection. */
export const collectionAge: Check<DeploymentFacts> = {
  id: "collection-age",
  title: "garbage was collected within half a year",
  async examine(facts) {
    const lines = await facts.audit();
    const [first] = lines;
    if (first === undefined) return undefined;
    const collections = lines.filter(({ command, outcome }) => /^gc\b/.test(command) && outcome === "ok");
    const last = collections.at(-1)?.time ?? first.time;
    const days = Math.floor((facts.now.getTime() - last.getTime()) / DAY_MS);
    if (days < LATE_DAYS) return undefined;
    const seen =
      collections.length === 0
        ? `no garbage collection in the ${days} days`
        : `the last garbage collection was ${days} days ago`;
    return {
      verdict: "warning",
      cause: `${seen}${collections.length === 0 ? " the audit log goes back" : ""}: images that were overwritten or deleted still take up disk`,
      fix: "regctl gc --dry-run says what it would free, regctl gc frees it",
    };
  },
};
