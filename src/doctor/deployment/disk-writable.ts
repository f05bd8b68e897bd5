import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

export const diskWritable: Check<DeploymentFacts> = {
  id: "disk-writable",
  title: "the disks take writes",
  async examine(facts) {
    const closed = (await facts.disks()).find(({ isReadOnly }) => isReadOnly);
    if (closed === undefined) return undefined;
    return {
      verdict: "broken",
      cause: `the file system of ${closed.path} is read-only: the kernel does that after errors of the disk`,
      fix: `see \`dmesg\` for why; is the disk sound: mount -o remount,rw $(findmnt -n -o TARGET --target ${closed.path})`,
    };
  },
};
