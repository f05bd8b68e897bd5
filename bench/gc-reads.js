/** What clients of a registry notice of a collection: reads on it while regctl deletes, and pushes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, imagesToRead, pushOn, readOn, unreadable } from "./load.js";
import { processorMs, REGCTL } from "./machine.js";
import { cleanEnvironment } from "./measure.js";
import { withRegistry } from "./registry.js";
import { goalRow, milliseconds, times } from "./report.js";
import { ensureStore, withCopy } from "./stores.js";

const READERS = 4;
const IDLE_MS = 15_000;
const GOAL = 2;
const LOOK_MS = 100;
/** Of one core: less is waiting for pushes to end. */
const WORKING = 0.2;

/** Collects, and tells when it worked: it waits most of the time, so that what it does would drown. */
async function collect(store) {
  const args = ["gc", "--data", store, "--uncached", "--grace", "0", "--json"];
  const child = spawn(process.execPath, [REGCTL, ...args], {
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"])
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
    });
  const closed = once(child, "close");
  const working = [];
  let [fromMs, used] = [performance.now(), 0];
  const look = setInterval(() => {
    if (child.exitCode !== null) return;
    const [now, all] = [performance.now(), processorMs(child.pid)];
    if (all - used > WORKING * (now - fromMs)) working.push({ fromMs, toMs: now });
    [fromMs, used] = [now, all];
  }, LOOK_MS);
  try {
    const [exitCode] = await closed;
    if (exitCode !== 0) throw new Error(`the collection ended with exit code ${exitCode}\n${written.stderr}`);
  } finally {
    clearInterval(look);
  }
  const { blobs, readPauseMs } = JSON.parse(written.stdout).data;
  return { deleted: blobs.deleted, readPauseMs, working };
}

/** Reads, and pushes if wanted, as long as `work` takes. */
async function underLoad({ url, reader, images, pushTo }, work) {
  let isOver = false;
  const pusher = createClient(url, 1);
  const reads = readOn(reader, READERS, images, () => isOver);
  const pushes = pushTo === undefined ? [] : pushOn(pusher, pushTo, () => isOver);
  try {
    const result = await work().finally(() => {
      isOver = true;
    });
    return { result, reads: await reads, pushes: await pushes };
  } finally {
    await Promise.allSettled([reads, pushes]);
    pusher.close();
  }
}

function percentile(reads, share) {
  const sorted = reads.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

const errorsOf = (list) => list.map(({ error }) => error).filter((error) => error !== undefined);
const longest = (pushes) => Math.max(...pushes.map(({ tookMs }) => tookMs));
const fine = (ms) => `${ms.toFixed(1)} ms`;

function rowsOf(size, idle, busy, during) {
  const { working, deleted, readPauseMs } = during.result;
  const atWork = during.reads.filter(({ startMs, tookMs }) =>
    working.some(({ fromMs, toMs }) => startMs < toMs && startMs + tookMs > fromMs),
  );
  const p99 = { idle: percentile(idle.reads, 0.99), busy: percentile(busy.reads, 0.99) };
  const p99Row = (what, reads, against, name, goal) => {
    const own = percentile(reads, 0.99);
    const ours = `${fine(own)}, ${name} ${fine(against)}: ${times(own / against)}`;
    return goalRow(what, ours, ...(goal === undefined ? [] : [`at most ${goal} ×`, own / against <= goal]));
  };
  const failedReads = errorsOf(during.reads).length;
  const failedPushes = errorsOf(during.pushes).length;
  return [
    goalRow(
      `reads during \`regctl gc\` of ${deleted.toLocaleString("en")} blobs, ${size}: failed of ${during.reads.length.toLocaleString("en")}`,
      String(failedReads),
      "0",
      failedReads === 0,
    ),
    p99Row("reads: p99 during it, with pushes", during.reads, p99.idle, "idle", GOAL),
    p99Row("reads: p99 while it works, not waits", atWork, p99.busy, "without it, the same pushes", GOAL),
    goalRow(
      `pushes during it: failed of ${during.pushes.length}`,
      String(failedPushes),
      "0",
      failedPushes === 0 && readPauseMs === 0,
    ),
    goalRow(
      "pushes: the longest during it",
      `${milliseconds(longest(during.pushes))}, without it ${milliseconds(longest(busy.pushes))}`,
    ),
  ];
}

export const gcReads = {
  needs: ["registry"],
  async measure({ sizes, say }) {
    const size = sizes.includes("M") ? "M" : sizes.at(-1);
    const { folder } = await ensureStore(size, say);
    return withCopy(folder, (store) =>
      withRegistry(store, async ({ url }) => {
        const reader = createClient(url, READERS);
        try {
          const images = await imagesToRead(reader);
          const load = { url, reader, images };
          const idle = await underLoad(load, () => delay(IDLE_MS));
          const busy = await underLoad({ ...load, pushTo: "bench/before" }, () => delay(IDLE_MS));
          const during = await underLoad({ ...load, pushTo: "bench/during" }, () => collect(store));
          const pushed = [...busy.pushes, ...during.pushes].flatMap(({ image }) => image ?? []);
          const lost = await unreadable(reader, pushed);
          if (lost.length > 0) throw new Error(`${lost.length} pushed images are lost\n${lost.join("\n")}`);
          for (const error of [...errorsOf(during.reads), ...errorsOf(during.pushes)].slice(0, 5)) say(error);
          return { rows: rowsOf(size, idle, busy, during) };
        } finally {
          reader.close();
        }
      }),
    );
  },
};
