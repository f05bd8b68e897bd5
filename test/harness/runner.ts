/** regctl in processes of its own that stay for many commands: none pays for a start, and any of them can be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "../support/run-program.ts";

export interface CommandLine {
  readonly argv: readonly string[];
  /** How far its clock is from the machine's. */
  readonly nowOffsetMs: number;
  /** SIGKILL after that many changes of the file system; 0 = never. */
  readonly killAt?: number;
  /** Before its n-th call of the file system it stops for so many ms. */
  readonly stalls?: readonly (readonly [number, number])[];
}

export interface CommandResult {
  /** undefined = killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** How many changes it made, and calls in all. */
  readonly changes: number;
  readonly calls: number;
}

export interface Runner {
  run(command: CommandLine): Promise<CommandResult>;
  end(): void;
}

const PROGRAM = fileURLToPath(new URL("runner.mjs", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
}

function start(): Running {
  const child = spawn(process.execPath, [PROGRAM], {
    env: cleanEnvironment(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("error", reject);
    child.once("exit", () => reject(new Error("a runner ended before its first command")));
  });
  ready.catch(() => undefined);
  return { child, ready };
}

/** One command at a time; two of them run two commands at once. */
export function startRunner(): Runner {
  let running = start();
  let queue: Promise<unknown> = Promise.resolve();

  const execute = async (command: CommandLine): Promise<CommandResult> => {
    const { child, ready } = running;
    await ready;
    return new Promise((resolve) => {
      const onExit = () => {
        child.off("message", onMessage);
        running = start();
        resolve({ exitCode: undefined, stdout: "", stderr: "", changes: 0, calls: 0 });
      };
      const onMessage = (answer: unknown) => {
        child.off("exit", onExit);
        resolve(answer as CommandResult);
      };
      child.once("exit", onExit);
      child.once("message", onMessage);
      child.send({ killAt: 0, stalls: [], ...command });
    });
  };

  return {
    run(command) {
      const result = queue.then(() => execute(command));
      queue = result.catch(() => undefined);
      return result;
    },
    end: () => void running.child.kill("SIGKILL"),
  };
}

/** The code of the error a command ended with, with --json; what it wrote when that is none. */
export function errorCode({ stderr }: CommandResult): string {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line).error.code;
  } catch {
    return line;
  }
}
