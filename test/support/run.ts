/** Runs a whole command line in this process, with an engine, a terminal and a clock of the test's own. */
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Surroundings } from "../../src/context.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { main } from "../../src/main.ts";
import { recordOutput } from "./recorded-outputs.ts";

export interface RunOptions {
  readonly cwd?: string;
  readonly engine?: Engine;
  readonly stdin?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly now?: Date;
  readonly signal?: AbortSignal;
  readonly surroundings?: Partial<Surroundings>;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const outputs = Promise.all([text(stdout), text(stderr)]);
  const { engine, now } = options;
  const exitCode = await main(
    argv,
    {
      streams: { stdin: Readable.from([options.stdin ?? ""]), stdout, stderr },
      environment: { HOME: "/nonexistent", ...options.environment },
      workingDirectory: options.cwd ?? "/",
      programName: "regctl",
      userId: process.getuid?.() ?? 0,
      groupId: process.getgid?.() ?? 0,
      now: () => now ?? new Date(),
      ...(engine === undefined ? {} : { connectEngine: async () => engine }),
      ...options.surroundings,
    },
    options.signal ?? new AbortController().signal,
  );
  stdout.end();
  stderr.end();
  const [out, err] = await outputs;
  recordOutput({ args: [...argv], exitCode, stdout: out, stderr: err });
  return { exitCode, stdout: out, stderr: err };
}
