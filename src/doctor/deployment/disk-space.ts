import { formatBytes } from "../../bytes.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts, DiskFacts } from "../deployment-facts.ts";

const MIB = 1024 ** 2;
/** A push of one big layer needs that much, on small disks the tenth part is what people go by. */
const LOW_BYTES = 2048 * MIB;
const LOW_SHARE = 0.1;
const OUT_BYTES = 100 * MIB;
const OUT_SHARE = 0.01;

type Room = "enough" | "low" | "out";

/** Little both of the whole and by itself: 5 % of 10 TB are plenty. Pure. */
export function roomFor(free: number, total: number): Room {
  if (total === 0) return "enough";
  const share = free / total;
  if (share < OUT_SHARE || free < Math.min(OUT_BYTES, total * 0.05)) return free < LOW_BYTES ? "out" : "low";
  return share < LOW_SHARE && free < LOW_BYTES * 5 ? "low" : "enough";
}

const FREE =
  "see what can go: regctl gc --dry-run, regctl prune --dry-run; empty the trash: regctl trash purge --all; or set data: to a bigger disk";

export const diskSpace: Check<DeploymentFacts> = {
  id: "disk-space",
  title: "the disks have room",
  async examine(facts) {
    const rooms = (await facts.disks()).map((disk) => ({
      disk,
      room: roomFor(disk.space.bytesFree, disk.space.bytesTotal),
    }));
    const worst = rooms.find(({ room }) => room === "out") ?? rooms.find(({ room }) => room === "low");
    if (worst === undefined) return undefined;
    const { path, space }: DiskFacts = worst.disk;
    return {
      verdict: worst.room === "out" ? "broken" : "warning",
      cause: `${formatBytes(space.bytesFree)} of ${formatBytes(space.bytesTotal)} free on the disk of ${path}`,
      fix: FREE,
    };
  },
};
