/** argv -> exit code. The only catch-all, the only place where signals become cancellation. */
import { readFileSync } from "node:fs";
import { buildProgram, usageProblem } from "./cli.ts";
import { addCompletion, isCompletion } from "./completion.ts";
import type { Surroundings } from "./context.ts";
import { RegctlError } from "./errors.ts";
import { reportError } from "./terminal/report-error.ts";

/** Version of the package; read from package.json so that there is one of it. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs one command line. Never throws, never ends the process. */
export async function main(argv: readonly string[], surroundings: Surroundings, signal: AbortSignal): Promise<number> {
  const version = packageVersion();
  const flags = { json: argv.includes("--json"), debug: argv.includes("--debug") };
  const { stderr } = surroundings.streams;
  let exitCode = 0;
  const program = buildProgram(surroundings, signal, version, (code) => {
    exitCode = code;
  });
  try {
    if (isCompletion(argv)) await addCompletion(program);
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    const usage = usageProblem(error);
    if (usage !== undefined) {
      if (usage.exitCode !== 0 && flags.json) stderr.write(`${reportError(new RegctlError("usage", usage.message), { ...flags, version }).text}\n`);
      return usage.exitCode;
    }
    const reason = signal.aborted ? signal.reason : undefined;
    const shown = reason instanceof RegctlError ? reason : error;
    const report = reportError(shown, { ...flags, version });
    stderr.write(`${report.text}\n`);
    return report.exitCode;
  }
}

/** The process's own run: its streams, its signals. The first signal cancels, the second ends at once. */
export async function runProcess(): Promise<number> {
  const controller = new AbortController();
  const cancel = (code: "interrupted" | "terminated") => () => {
    if (controller.signal.aborted) process.kill(process.pid, "SIGKILL");
    controller.abort(new RegctlError(code, code, { hint: "run the same command again: it goes on where this one stopped" }));
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
  const code = await main(
    process.argv.slice(2),
    {
      streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
      environment: process.env,
      workingDirectory: process.cwd(),
      userId: process.getuid?.() ?? 0,
      groupId: process.getgid?.() ?? 0,
      now: () => new Date(),
    },
    controller.signal,
  );
  return pipeClosed ? 0 : code;
}
