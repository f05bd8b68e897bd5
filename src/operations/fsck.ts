/** `fsck`: what is asked of the check, and the rights and lock it needs. */
import { constants, setPriority } from "node:os";
import { formatBytes } from "../bytes.ts";
import { checkStore, type FsckReport } from "../collect/fsck.ts";
import type { Selection } from "../collect/fsck-blobs.ts";
import * as fsckTask from "../collect/fsck-task.ts";
import { RegctlError } from "../errors.ts";
import type { OperationPorts } from "./ports.ts";
import { descriptorCache } from "./serving.ts";
import { changeStore, locateStore, type OpenStore, readStore, requireLocal, type StoreFlags } from "./store.ts";

export interface FsckRequest extends StoreFlags {
  /** Hash blobs; manifests are hashed anyway. */
  readonly hash: boolean;
  /** Share of the blobs to hash, above 0 and up to 1. */
  readonly sample: number | undefined;
  /** Hash only what was written within so many milliseconds. */
  readonly sinceMs: number | undefined;
  readonly repair: boolean;
  readonly dryRun: boolean;
  readonly keepMs: number;
}

export interface FsckResult extends FsckReport {
  readonly dryRun: boolean;
  readonly seconds: number;
}

/** Longer than the registry takes from one file of a push to the next. */
const SETTLE_MS = 1000;

function selectionOf({ hash, sample, sinceMs }: FsckRequest, now: Date): Selection {
  const given = [!hash && "--no-hash", sample !== undefined && "--sample", sinceMs !== undefined && "--since"].filter(
    Boolean,
  );
  if (given.length > 1) {
    throw new RegctlError("usage", `${given.join(" and ")} are different choices of blobs to hash`, {
      hint: "give one of --no-hash, --sample and --since",
    });
  }
  if (!hash) return undefined;
  return sinceMs === undefined ? { share: sample ?? 1 } : { sinceMs: now.getTime() - sinceMs };
}

/** Checks a storage; `repair` without `dryRun` changes it, alone and through the trash. */
export async function fsck(ports: OperationPorts, request: FsckRequest): Promise<FsckResult> {
  const selection = selectionOf(request, ports.now());
  const target = await locateStore(ports, request);
  const data = requireLocal(target, "fsck", "pull the images to check them: skopeo copy docker://IMAGE dir:FOLDER");
  const began = performance.now();
  const repair = request.repair && !request.dryRun;
  const run = async (open: OpenStore): Promise<FsckReport> => {
    const step = ports.progress.step(repair ? "check and repair" : "check");
    try {
      // Reads of clients come first.
      setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
      const report = await checkStore(open.store, open.team(fsckTask), fsckTask, {
        selection,
        repair,
        keepMs: request.keepMs,
        settleMs: SETTLE_MS,
        now: ports.now,
        signal: ports.signal,
        removeTree: open.removeTree,
        onProgress: (what, done, of, unit) => {
          const [part, whole] = unit === "bytes" ? [formatBytes(done), formatBytes(of)] : [done, of];
          step.update(`${what} ${part}/${whole}`);
        },
      });
      step.done();
      return report;
    } catch (error) {
      step.failed();
      throw error;
    }
  };
  const report = repair
    ? await changeStore(ports, { ...target, data }, "fsck --repair", run)
    : await readStore(ports, data, run);
  const cache = target.deployment === undefined ? undefined : descriptorCache(target.deployment.config);
  const isCacheStale = report.repaired.some(
    ({ kind, outcome }) => kind.startsWith("corrupt-") && outcome === "set-aside",
  );
  if (isCacheStale && cache !== undefined) {
    const next = cache === "inmemory" ? "run `regctl restart`" : `empty ${cache}`;
    ports.output.warn(
      `the registry remembers the damaged blobs as there (storage.cache.blobdescriptor: ${cache}): ${next} before they are pushed again`,
    );
  }
  return { ...report, dryRun: request.dryRun, seconds: (performance.now() - began) / 1000 };
}
