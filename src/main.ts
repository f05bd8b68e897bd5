/** argv -> exit code. The only catch-all, the only place where signals become cancellation. */
import { readFileSync } from "node:fs";
import { basename, delimiter, dirname, relative, resolve } from "node:path";
import { buildProgram } from "./cli.ts";
import { isUsage, usageError } from "./command-line.ts";
import type { Surroundings } from "./context.ts";
import { RegctlError } from "./errors.ts";

/** The verb that prints a completion script, and the one such a script calls. */
const COMPLETION_VERBS = new Set(["completion", "complete"]);

/** Version of the package; read from package.json so that there is one of it. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs one command line. Never throws, never ends the process. */
export async function main(argv: readonly string[], surroundings: Surroundings, signal: AbortSignal): Promise<number> {
  const version = packageVersion();
  const flags = { json: argv.includes("--json"), debug: argv.includes("--debug") };
  let exitCode = 0;
  const program = buildProgram(surroundings, signal, version, (code) => {
    exitCode = code;
  });
  try {
    if (argv.some((word) => COMPLETION_VERBS.has(word))) await (await import("./completion.ts")).addCompletion(program);
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    const reason = signal.aborted ? signal.reason : undefined;
    const usage = isUsage(error) ? usageError(error) : undefined;
    if (isUsage(error) && usage === undefined) return 0;
    const shown = reason instanceof RegctlError ? reason : (usage ?? error);
    const { reportError } = await import("./terminal/report-error.ts");
    const report = reportError(shown, { ...flags, version });
    surroundings.streams.stderr.write(`${report.text}\n`);
    return report.exitCode;
  }
}

/** `regctl` when the shell finds it by that name, else its path from here. */
function programName(): string {
  const program = process.argv[1] ?? "regctl";
  const isInPath = (process.env.PATH ?? "").split(delimiter).includes(dirname(program));
  return isInPath ? basename(program) : relative(process.cwd(), program);
}

/** The process's own run: its streams, its signals. The first signal cancels, the second ends at once. */
export async function runProcess(): Promise<number> {
  const controller = new AbortController();
  const cancel = (code: "interrupted" | "terminated") => () => {
    if (controller.signal.aborted) process.kill(process.pid, "SIGKILL");
    controller.abort(
      new RegctlError(code, code, { hint: "run the same command again: it goes on where this one stopped" }),
    );
  };
  process.on("SIGINT", cancel("interrupted"));
  process.on("SIGTERM", cancel("terminated"));
  process.on("SIGHUP", cancel("terminated"));
  // `regctl … | head` closes our stdout early; that is no failure.
  let pipeClosed = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    pipeClosed = true;
    controller.abort(new RegctlError("interrupted", "the reader of the output is gone"));
  });
  // Nobody reads the progress any more: the work goes on all the same.
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const code = await main(
    process.argv.slice(2),
    {
      streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
      environment: process.env,
      workingDirectory: process.cwd(),
      programName: programName(),
      programPath: resolve(process.argv[1] ?? "regctl"),
      userId: process.getuid?.() ?? 0,
      groupId: process.getgid?.() ?? 0,
      now: () => new Date(),
    },
    controller.signal,
  );
  return pipeClosed ? 0 : code;
}
