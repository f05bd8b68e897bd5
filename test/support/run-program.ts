import { spawn } from "node:child_process";
import type { NetworkNamespace } from "./network-namespace.ts";

export interface ProgramResult {
  /** 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Added to `cleanEnvironment()`; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Where the program's network is; undefined = here. */
  readonly inside?: NetworkNamespace | undefined;
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** The variables a program gets: no certificate bundles, proxies or credentials of whoever runs the tests. */
export function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", HOME: "/nonexistent" };
}

/** Runs a program to its end, whatever its exit code; rejects only when it cannot be started or takes too long. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const [file, ...rest] = options.inside === undefined ? [command, ...args] : options.inside.argv(command, args);
  const timeoutMs = options.timeoutMs ?? 60_000;
  const child = spawn(file as string, rest, {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that does not read its input may be gone before all of it is written.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (...end) => resolve(end));
    });
    const result = {
      exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal as NodeJS.Signals] ?? 0),
      signal: signal ?? undefined,
      stdout: Buffer.concat(stdout).toString("utf8"),
      stderr: Buffer.concat(stderr).toString("utf8"),
    };
    if (isLate) {
      throw new Error(`${command} did not end within ${timeoutMs} ms\n${result.stdout}\n${result.stderr}`);
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** `runProgram` for steps that prepare a test: rejects, with everything the program wrote, unless it ends with 0. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const result = await runProgram(command, args, options);
  if (result.exitCode !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with exit code ${result.exitCode}\n${result.stdout}\n${result.stderr}`,
    );
  }
  return result;
}
