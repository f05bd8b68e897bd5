/** Steps on stderr: a line each, with a live detail on a terminal and with the seconds it took once done. */
import type { Writable } from "node:stream";
import { styleText } from "node:util";

export interface ProgressStep {
  /** What is going on right now; overwrites itself on a terminal, is dropped elsewhere. */
  update(detail: string): void;
  done(result?: string): void;
  failed(): void;
}

export interface Progress {
  step(title: string): ProgressStep;
}

export interface ProgressOptions {
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly quiet: boolean;
  readonly colour: boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsedMs: () => number;
}

const SILENT: Progress = { step: () => ({ update: () => undefined, done: () => undefined, failed: () => undefined }) };
const REDRAW_MS = 80;

export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return SILENT;
  const { stderr, elapsedMs } = options;
  const isLive = stderr.isTTY === true;
  const paint = (colour: "green" | "red" | "dim", text: string) =>
    options.colour ? styleText(colour, text, { validateStream: false }) : text;

  return {
    step(title) {
      const started = elapsedMs();
      let drawnAt = 0;
      const draw = (detail: string) => {
        const width = (stderr.columns ?? 80) - 1;
        stderr.write(`\r\u001b[K${`  … ${title}${detail === "" ? "" : `  ${detail}`}`.slice(0, width)}`);
      };
      const end = (sign: string, result: string | undefined) => {
        const seconds = (elapsedMs() - started) / 1000;
        const took = seconds < 0.95 ? "" : paint("dim", ` (${seconds.toFixed(1)} s)`);
        stderr.write(
          `${isLive ? "\r\u001b[K" : ""}  ${sign} ${title}${result === undefined ? "" : `  ${result}`}${took}\n`,
        );
      };
      if (isLive) draw("");
      return {
        update(detail) {
          const now = elapsedMs();
          if (!isLive || now - drawnAt < REDRAW_MS) return;
          drawnAt = now;
          draw(detail);
        },
        done: (result) => end(paint("green", "ok"), result),
        failed: () => end(paint("red", "failed"), undefined),
      };
    },
  };
}
