import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** An image of ten layers takes some sixty files and folders. */
const LOW = 20_000;
const OUT = 500;
const LOW_SHARE = 0.05;

export const diskInodes: Check<DeploymentFacts> = {
  id: "disk-inodes",
  title: "the disks have room for more files",
  async examine(facts) {
    const disks = (await facts.disks()).filter(({ space }) => space.inodesTotal > 0);
    const low = disks.filter(
      ({ space }) =>
        space.inodesFree < OUT || (space.inodesFree < LOW && space.inodesFree < space.inodesTotal * LOW_SHARE),
    );
    const worst = low.sort((a, b) => a.space.inodesFree - b.space.inodesFree)[0];
    if (worst === undefined) return undefined;
    const { inodesFree, inodesTotal } = worst.space;
    return {
      verdict: inodesFree < OUT ? "broken" : "warning",
      cause: `${inodesFree} of ${inodesTotal} inodes free on the disk of ${worst.path}: no file can be made without one, however many bytes are free`,
      fix: "see what can go: regctl gc --dry-run, regctl prune --dry-run; empty the trash: regctl trash purge --all",
    };
  },
};
