/**
 * The stores that collecting, pruning and listing are measured on: `node bench/stores.js S M one-2000`. They are made once and
 * kept in the folder REGCTL_BENCH_STORES, and made again when the generator changed. L takes 14 GB and 3.6 million inodes.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GENERATOR_VERSION, generateStore } from "../test/support/generated-store.mjs";
import { run } from "./measure.js";

export const STORES = process.env.REGCTL_BENCH_STORES ?? "/var/cache/regctl-bench";

const SIZES = {
  S: { repositories: 100, tags: 10 },
  M: { repositories: 1_000, tags: 20 },
  L: { repositories: 5_000, tags: 20 },
};

/** `S`, `M`, `L`, or `one-N` for one repository with N tags. */
function sizeOf(name) {
  const one = /^one-(\d+)$/.exec(name);
  const size = one === null ? SIZES[name] : { repositories: 1, tags: Number(one[1]) };
  if (size === undefined) throw new Error(`${name} is no store: ${Object.keys(SIZES).join(", ")} or one-N`);
  return size;
}

function completed(folder) {
  const mark = join(folder, ".complete");
  if (!existsSync(mark)) return undefined;
  const facts = JSON.parse(readFileSync(mark, "utf8"));
  return facts.version === GENERATOR_VERSION ? facts : undefined;
}

/** The folder of a store (a registry's `rootdirectory`) and what is in it; makes it when it is missing. */
export async function ensureStore(name, say = () => {}) {
  const size = sizeOf(name);
  const folder = join(STORES, name);
  const kept = completed(folder);
  if (kept !== undefined) return { folder, ...kept };
  if (existsSync(folder)) {
    say(`removing an older or unfinished ${name}`);
    rmSync(join(folder, ".complete"), { force: true });
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  const step = Math.ceil(size.repositories / 10);
  const onProgress = (done, all) => {
    if (done % step === 0) say(`${name}: ${done} of ${all} repositories`);
  };
  const counts = await generateStore(folder, { ...size, onProgress });
  const facts = {
    version: GENERATOR_VERSION,
    ...counts,
    seconds: Math.round((performance.now() - started) / 100) / 10,
  };
  writeFileSync(join(folder, ".complete.next"), `${JSON.stringify(facts)}\n`);
  renameSync(join(folder, ".complete.next"), join(folder, ".complete"));
  return { folder, ...facts };
}

/**
 * Calls `work` with a copy of a store, which is gone afterwards. Files are hard links: content is shared with the original, so
 * `work` may remove and add files, and must not write into those that are there.
 */
export async function withCopy(folder, work) {
  const parent = mkdtempSync(join(STORES, "copy-"));
  const copy = join(parent, "store");
  try {
    await run("cp", ["-al", folder, copy]);
    // What the copy left to write would be written while the copy is measured.
    await run("sync", ["-f", copy]);
    return await work(copy);
  } finally {
    await run("rm", ["-rf", parent]);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  if (names.length === 0) console.error("usage: node bench/stores.js S|M|L|one-N...");
  process.exitCode = names.length === 0 ? 2 : 0;
  for (const name of names) {
    const { folder, ...facts } = await ensureStore(name, (text) => process.stderr.write(`stores: ${text}\n`));
    console.log(`${name} ${folder} ${JSON.stringify(facts)}`);
  }
}
