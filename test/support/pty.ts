import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { recordOutput } from "./recorded-outputs.ts";
import { REGCTL } from "./regctl.ts";
import { cleanEnvironment, mustRun, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface PtyOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** How long `expect` and `exit` wait. */
  readonly timeoutMs?: number | undefined;
}

/** A key as tmux names it. */
export type Key =
  | "Enter"
  | "Up"
  | "Down"
  | "Left"
  | "Right"
  | "Space"
  | "Tab"
  | "BSpace"
  | "Escape"
  | "C-c"
  | "C-d"
  | "C-u";

export interface Pty extends AsyncDisposable {
  /** Everything on the terminal, scrolled-off lines included, without colours; blanks at the ends of lines are lost. */
  screen(): Promise<string>;
  /** Waits until the text (or a match) is on the terminal; resolves to the whole screen. */
  expect(text: string | RegExp): Promise<string>;
  /** Types text as it is; `press("Enter")` ends a line. */
  type(text: string): Promise<void>;
  press(...keys: Key[]): Promise<void>;
  /** `type` and Enter. */
  answer(text: string): Promise<void>;
  /** Waits until the program has ended. */
  exit(): Promise<{ readonly exitCode: number; readonly screen: string }>;
}

/** Runs regctl on a pseudo terminal: `await terminal.expect("Domain"); await terminal.answer("registry.test")`. */
export async function pty(args: readonly string[], options: PtyOptions = {}): Promise<Pty> {
  return ptyOf([process.execPath, REGCTL, ...args], options, args);
}

/** Runs any program on a pseudo terminal (of a tmux server of its own), with `recordedAs` kept as for `regctl()`. */
export async function ptyOf(
  argv: readonly string[],
  options: PtyOptions = {},
  recordedAs?: readonly string[],
): Promise<Pty> {
  const directory = temporaryDirectory("regctl-test-pty-");
  const at = (name: string): string => join(directory.path, name);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const tmux = ["-S", at("socket"), "-f", "/dev/null"];
  const target = `pty-${randomBytes(3).toString("hex")}`;
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const variables = { ...cleanEnvironment(), HOME: directory.path, TERM: "xterm-256color", ...options.env };
  const assignments = Object.entries(variables).map(([name, value]) => quote(`${name}=${value}`));
  // The program starts only when `go` exists: from then on the whole of its output is in the pane and in the file.
  const script = [
    // Ctrl-C reaches this shell too, which has to tell the exit code; its children start with the default again.
    "trap : INT",
    `while [ ! -e ${quote(at("go"))} ]; do sleep 0.01; done`,
    `env -i ${assignments.join(" ")} ${argv.map(quote).join(" ")}`,
    `echo $? > ${quote(at("code.tmp"))} && mv ${quote(at("code.tmp"))} ${quote(at("code"))}`,
    "exec sleep 3600",
  ].join("\n");
  const size = ["-x", String(options.columns ?? 120), "-y", String(options.rows ?? 50)];
  const call = (...command: string[]) => mustRun("tmux", [...tmux, ...command], { env: { HOME: directory.path } });
  await call(
    ...[
      "start-server",
      ";",
      "set-option",
      "-g",
      "history-limit",
      "20000",
      ";",
      "new-session",
      "-d",
      "-s",
      target,
      ...size,
    ],
    ...["-c", options.cwd ?? directory.path, "sh", "-c", script],
  );
  await call("pipe-pane", "-t", target, `cat > ${quote(at("output"))}`);
  await call("run-shell", `: > ${quote(at("go"))}`);
  const screen = async (): Promise<string> =>
    (await call("capture-pane", "-t", target, "-p", "-J", "-S", "-")).stdout.trimEnd();
  const send = async (...keys: string[]): Promise<void> => void (await call("send-keys", "-t", target, ...keys));
  const terminal: Pty = {
    screen,
    expect: (text) =>
      eventually(async () => {
        const content = await screen();
        if (typeof text === "string" ? content.includes(text) : text.test(content)) return content;
        throw new Error(`${text} is not on the terminal:\n${content}`);
      }, timeoutMs),
    type: (text) => send("-l", "--", text),
    press: (...keys) => send(...keys),
    async answer(text) {
      await terminal.type(text);
      await terminal.press("Enter");
    },
    async exit() {
      const exitCode = await eventually(async () => {
        const code = await readFile(at("code"), "utf8").catch(() => undefined);
        if (code !== undefined) return Number(code);
        throw new Error(`the program is still running:\n${await screen()}`);
      }, timeoutMs);
      return { exitCode, screen: await screen() };
    },
    async [Symbol.asyncDispose]() {
      if (recordedAs !== undefined) {
        const stdout = await readFile(at("output"), "utf8").catch(() => "");
        recordOutput({
          args: recordedAs,
          exitCode: Number(await readFile(at("code"), "utf8").catch(() => "-1")),
          stdout,
          stderr: "",
        });
      }
      await runProgram("tmux", [...tmux, "kill-server"]);
      await directory[Symbol.asyncDispose]();
    },
  };
  return terminal;
}
