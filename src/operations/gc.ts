/** `gc`: what is asked of the collector, and what the registry that serves the store needs meanwhile. */
import { constants, setPriority } from "node:os";
import { collectGarbage, type GcReport } from "../collect/gc.ts";
import * as gcTask from "../collect/gc-task.ts";
import { RegctlError } from "../errors.ts";
import type { OperationPorts } from "./ports.ts";
import { SETTLE_MS, type Serving, servingOf } from "./serving.ts";
import {
  changeStore,
  locateStore,
  type OpenStore,
  readStore,
  requireLocal,
  type StoreFlags,
  type StoreTarget,
} from "./store.ts";

export interface GcRequest extends StoreFlags {
  readonly untagged: boolean;
  readonly dryRun: boolean;
  readonly graceMs: number;
  readonly keepMs: number;
  /** undefined = as long as the registry needs; 0 when nothing runs. */
  readonly settleMs: number | undefined;
  /** Of a bare store, what its user knows: no registry runs on it, or one without a cache. */
  readonly stopped: boolean;
  readonly uncached: boolean;
}

export interface GcResult extends GcReport {
  readonly seconds: number;
  /** How long the registry did not answer; only a cache in its memory makes it restart. */
  readonly readPauseMs: number;
}

const IDLE: Serving = { isRunning: false, settleMs: 0, flushCaches: undefined, pauseMs: () => 0 };

function bareStore({ stopped, uncached, dryRun }: GcRequest, data: string): Serving {
  if (!dryRun && !stopped && !uncached) {
    throw new RegctlError(
      "usage",
      `whether a registry runs on ${data} cannot be seen from the folder; one with a cache (storage.cache.blobdescriptor, on in the default configuration) would serve what is gone`,
      {
        hint: "add --stopped when no registry runs on it, or --uncached when the one that does has no cache; --dry-run needs neither",
      },
    );
  }
  return { ...IDLE, isRunning: !stopped, settleMs: stopped ? 0 : SETTLE_MS };
}

async function serving(ports: OperationPorts, target: StoreTarget, request: GcRequest, data: string): Promise<Serving> {
  if (target.deployment === undefined) return bareStore(request, data);
  return request.dryRun ? IDLE : servingOf(ports, target.deployment);
}

export async function gc(ports: OperationPorts, request: GcRequest): Promise<GcResult> {
  const target = await locateStore(ports, request);
  const data = requireLocal(target, "gc", "the registry's own collector does it: regctl gc --engine upstream");
  const { settleMs, flushCaches, pauseMs } = await serving(ports, target, request, data);
  const began = performance.now();
  const run = async (open: OpenStore): Promise<GcReport> => {
    const step = ports.progress.step(request.dryRun ? "look for garbage" : "collect garbage");
    try {
      // Reads of clients come first.
      setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
      const report = await collectGarbage(open.store, open.team(gcTask), gcTask, {
        ...request,
        settleMs: request.settleMs ?? settleMs,
        now: ports.now,
        signal: ports.signal,
        removeTree: open.removeTree,
        flushCaches: flushCaches === undefined ? undefined : () => open.regain(flushCaches),
        onProgress: (what, done, of) => step.update(done === undefined ? what : `${what} ${done}/${of}`),
      });
      step.done();
      return report;
    } catch (error) {
      step.failed();
      throw error;
    }
  };
  const report = request.dryRun
    ? await readStore(ports, data, run)
    : await changeStore(ports, { ...target, data }, `gc${request.untagged ? " --untagged" : ""}`, run);
  return { ...report, seconds: (performance.now() - began) / 1000, readPauseMs: pauseMs() };
}
