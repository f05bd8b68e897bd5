import { spawn } from "node:child_process";
import { eventually } from "./eventually.ts";
import { recordOutput } from "./recorded-outputs.ts";
import { REGCTL, type RegctlOptions } from "./regctl.ts";
import { cleanEnvironment, type ProgramResult } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface Background extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Waits until it has written that to stderr, or fails when it ends without. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<ProgramResult>;
}

/** `regctl` that the test does not wait for: to look at it, or to send it a signal. */
export function startRegctl(args: readonly string[], options: RegctlOptions = {}): Background {
  const home = temporaryDirectory("regctl-test-home-");
  const child = spawn(process.execPath, [REGCTL, ...args], {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), HOME: home.path, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let isOver = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      isOver = true;
      recordOutput({ args, exitCode: code ?? -1, stdout, stderr });
      resolve({ exitCode: code ?? -1, signal: signal ?? undefined, stdout, stderr });
    });
  });
  return {
    pid: child.pid as number,
    stderr: () => stderr,
    says: (text) =>
      eventually(
        () => {
          if (stderr.includes(text)) return;
          throw new Error(`it has not said ${JSON.stringify(text)}${isOver ? ", and it has ended" : ""}:\n${stderr}`);
        },
        60_000,
        10,
      ),
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await ended;
      await home[Symbol.asyncDispose]();
    },
  };
}
