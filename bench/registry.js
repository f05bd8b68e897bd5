/** Debian's registry, 2.8.2, over a store: its collector, and as a server on loopback without a login. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./deployment.js";
import { REGISTRY } from "./machine.js";
import { run } from "./measure.js";

const START_MS = 20_000;

/** Without a cache of blob descriptors, so that nothing is remembered of what a collection took. */
function configOf(store, address) {
  return {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: store },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: address, secret: "bench" },
  };
}

async function withConfig(store, address, work) {
  const folder = await mkdtemp(join(tmpdir(), "regctl-bench-registry-"));
  const file = join(folder, "config.yml");
  try {
    await writeFile(file, JSON.stringify(configOf(store, address)));
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** It writes a line for every reference it follows, 100 MB of a large store. */
const ONLY_DELETABLE = 'set -o pipefail; "$@" | grep "eligible for deletion"';

/** Calls `work` with the registry's own collector on that store: `collect(flags, options)`, and `list(flags)` for what it names. */
export function withCollector(store, work) {
  return withConfig(store, "127.0.0.1:0", (file) => {
    const command = (flags) => ["garbage-collect", ...flags, file];
    return work({
      collect: (flags, options) => run(REGISTRY, command(flags), options),
      list: async (flags) =>
        (await run("bash", ["-c", ONLY_DELETABLE, "list", REGISTRY, ...command(["--dry-run", ...flags])])).stdout,
    });
  });
}

/** Calls `work` with a registry that serves the store: its `url`, `port` and `pid`. */
export async function withRegistry(store, work) {
  const port = await freePort();
  return withConfig(store, `127.0.0.1:${port}`, async (file) => {
    const child = spawn(REGISTRY, ["serve", file], { env: {}, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-4_000);
    });
    const ended = once(child, "exit");
    const url = `http://127.0.0.1:${port}`;
    try {
      await untilItServes(child, url, () => said);
      return await work({ url, port, pid: child.pid });
    } finally {
      child.kill("SIGTERM");
      await ended;
    }
  });
}

async function untilItServes(child, url, said) {
  const deadline = performance.now() + START_MS;
  while (child.exitCode === null && performance.now() < deadline) {
    const answer = await fetch(`${url}/v2/`).catch(() => undefined);
    if (answer?.status === 200) return;
    await delay(20);
  }
  throw new Error(`the registry does not serve\n${said()}`);
}
