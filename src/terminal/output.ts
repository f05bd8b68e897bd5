/** The only writer to stdout and stderr: stdout is the answer, stderr everything else. */
import type { Writable } from "node:stream";

export interface OutputOptions {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The command's answer: one JSON document with `--json`, else the text; `quiet` replaces the text under -q. */
  result(kind: string, data: unknown, text: string, quiet?: string): void;
  /** Raw bytes of an answer that is not a document (`logs`, `completion`). */
  raw(chunk: string | Uint8Array): void;
  /** Progress, hints; nothing under -q and --json. */
  note(text: string): void;
  /** What the user has to know even under -q; a JSON object on a line of its own with --json. */
  warn(text: string): void;
  /** Only with -v, and not with --json. */
  detail(text: string): void;
}

export const API_VERSION = "regctl/v1";

export function createOutput(options: OutputOptions): Output {
  const { stdout, stderr, json, quiet } = options;
  const line = (stream: Writable, text: string) => {
    if (text !== "") stream.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  return {
    json,
    quiet,
    result(kind, data, text, quietText) {
      if (json) line(stdout, JSON.stringify({ apiVersion: API_VERSION, kind, data }, undefined, 2));
      else line(stdout, quiet ? (quietText ?? text) : text);
    },
    raw: (chunk) => void stdout.write(chunk),
    note(text) {
      if (!quiet && !json) line(stderr, text);
    },
    warn: (text) => line(stderr, json ? JSON.stringify({ warning: { message: text } }) : `warning: ${text}`),
    detail(text) {
      if (options.verbose && !quiet && !json) line(stderr, text);
    },
  };
}
