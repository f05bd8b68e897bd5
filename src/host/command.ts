import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { RegctlError, systemCodeOf } from "../errors.ts";

/** What a command is looked up in when the caller gives no PATH; sbin holds iptables, dockerd and dpkg's tools. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const KILL_AFTER_MS = 5000;

export interface RunOptions {
  /** Added to PATH and LANG=C; nothing else of regctl's own environment reaches the command. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly input?: string | undefined;
  /** Called with each line of either stream as it comes, carriage returns counted as line ends. */
  readonly onLine?: ((line: string) => void) | undefined;
  /**
   * What an aborted signal does. `kill` (default): SIGTERM to the command and its children, SIGKILL 5 s later.
   * `interrupt`: one SIGINT to the command alone, then wait for it, however long: dpkg must not die half-way.
   */
  readonly onAbort?: "kill" | "interrupt" | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  /** As a shell counts: 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The port through which everything that needs a program of the host runs it. */
export type RunCommand = (file: string, args: readonly string[], options?: RunOptions) => Promise<CommandResult>;

/**
 * Runs a program without a shell and waits for it. A non-zero exit is a result, not an error.
 * Rejects with RegctlError `not-found` (no such program), `permission-denied`, `interrupted` (the signal was aborted).
 */
export const runCommand: RunCommand = (file, args, options = {}) =>
  new Promise((resolve, reject) => {
    const { signal, input, onAbort = "kill" } = options;
    if (signal?.aborted) {
      reject(interrupted(file));
      return;
    }
    // A session of its own: Ctrl-C on the terminal reaches regctl alone, which then decides how the command ends.
    const child = spawn(file, args, {
      env: { PATH: SYSTEM_PATH, LANG: "C", LC_ALL: "C", ...options.env },
      cwd: options.cwd,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
    });
    let killTimer: NodeJS.Timeout | undefined;
    const stop = () => {
      if (child.pid === undefined) return;
      if (onAbort === "interrupt") {
        child.kill("SIGINT");
        return;
      }
      const { pid } = child;
      killGroup(pid, "SIGTERM");
      killTimer = setTimeout(() => killGroup(pid, "SIGKILL"), KILL_AFTER_MS);
    };
    signal?.addEventListener("abort", stop, { once: true });
    const settle = () => {
      signal?.removeEventListener("abort", stop);
      clearTimeout(killTimer);
    };

    const output = { stdout: "", stderr: "" };
    if (child.stdout)
      collect(
        child.stdout,
        (text) => {
          output.stdout += text;
        },
        options.onLine,
      );
    if (child.stderr)
      collect(
        child.stderr,
        (text) => {
          output.stderr += text;
        },
        options.onLine,
      );
    // A command that ends before it has read its input is judged by its exit code.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);

    child.once("error", (cause) => {
      settle();
      reject(spawnError(file, cause));
    });
    child.once("close", (code, signalName) => {
      settle();
      if (signal?.aborted) reject(interrupted(file));
      else resolve({ exitCode: code ?? 128 + (signalName ? constants.signals[signalName] : 0), ...output });
    });
  });

function collect(stream: Readable, append: (text: string) => void, onLine: RunOptions["onLine"]): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    append(text);
    if (!onLine) return;
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
  });
  stream.once("end", () => {
    if (rest !== "") onLine?.(rest);
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (systemCodeOf(error) !== "ESRCH") throw error;
  }
}

function interrupted(file: string): RegctlError {
  return new RegctlError("interrupted", `${file} was interrupted`);
}

function spawnError(file: string, cause: Error): RegctlError {
  if (systemCodeOf(cause) === "ENOENT")
    return new RegctlError("not-found", `cannot run ${file}: it is not installed`, { cause });
  if (systemCodeOf(cause) === "EACCES")
    return new RegctlError("permission-denied", `cannot run ${file}: permission denied`, { cause });
  return new RegctlError("operation-failed", `cannot run ${file}: ${cause.message}`, { cause });
}
