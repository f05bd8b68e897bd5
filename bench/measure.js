/** Runs programs and times them: wall clock, and the CPU of the program with its children (not of the engine it talks to). */
import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";

/** bash's `time` sees the CPU of a whole process tree, which Node does not tell; it writes to descriptor 3. */
const TIMED = 'TIMEFORMAT="%3R %3U %3S"; exec 4>&2; { time "$@" 2>&4 3>&-; } 2>&3';

/** The Node that runs this, and nothing of the caller's environment but PATH: no proxies, certificate bundles or credentials. */
export function cleanEnvironment(more = {}) {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`;
  return { PATH: path, LANG: "C.UTF-8", HOME: "/nonexistent", ...more };
}

/** GNU time writes the most memory a program had at once, in KiB, as the last line of stderr. */
const WITH_PEAK = ["time", "--quiet", "--format=%M"];

/**
 * Resolves to what the program wrote and how long it took, in milliseconds; rejects when it does not end with 0.
 * `onLine` gets each line of stderr as it comes. With `peak` also to the most memory it had resident, in bytes; with
 * `discard` its stdout goes to /dev/null.
 */
export async function run(command, args, { cwd, env, input = "", onLine, peak = false, discard = false } = {}) {
  const program = [...(peak ? WITH_PEAK : []), command, ...args];
  const child = spawn("bash", ["-c", TIMED, "time", ...program], {
    cwd,
    env: cleanEnvironment(env),
    stdio: ["pipe", discard ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const written = ["", "", ""];
  for (const [index, stream] of child.stdio.slice(1).entries()) {
    if (stream === null) continue;
    let unfinished = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk) => {
      written[index] += chunk;
      if (index !== 1 || onLine === undefined) return;
      const lines = (unfinished + chunk).split("\n");
      unfinished = lines.pop();
      for (const line of lines) onLine(line);
    });
  }
  // A program that reads nothing may be gone before its input is written.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const exitCode = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [stdout, everything, times] = written;
  const [, stderr, kibibytes] = peak ? (/^([\s\S]*?)(\d+)\n$/.exec(everything) ?? []) : [undefined, everything];
  if (exitCode !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with exit code ${exitCode}\n${stdout}${everything}`);
  const [wall, user, system] = times.trim().split(" ").map(Number);
  const measured = { stdout, stderr, wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
  return peak ? { ...measured, peakBytes: Number(kibibytes) * 1024 } : measured;
}

export function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians of what every run of a contestant tells as a number: `wallMs`, `cpuMs`, `peakBytes`. */
function medians(runs) {
  const numbers = Object.keys(runs[0]).filter((key) => typeof runs[0][key] === "number");
  return Object.fromEntries(numbers.map((key) => [key, median(runs.map((one) => one[key]))]));
}

/**
 * Every contestant once a round, in turn and in the opposite order every other round, so that what else the machine does
 * hits all alike. A first round warms the caches and does not count, unless `warmUp` is false. Resolves to the medians:
 * `{ NAME: { wallMs, cpuMs } }`.
 */
export async function interleave(rounds, contestants, { warmUp = true } = {}) {
  const entries = Object.entries(contestants);
  const runs = Object.fromEntries(entries.map(([name]) => [name, []]));
  for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
    for (const [name, contestant] of round % 2 === 0 ? entries : entries.toReversed()) {
      const one = await contestant();
      if (round > 0) runs[name].push(one);
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, medians(runs[name])]));
}
