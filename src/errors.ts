/** Every failure a user can act on; anything else that reaches `main` is a bug. */

/** Stable, append-only: scripts match on these. */
export type ErrorCode =
  | "usage"
  | "input-required"
  | "config-invalid"
  | "input-invalid"
  | "precondition-failed"
  | "not-found"
  | "no-deployment"
  | "operation-failed"
  | "declined"
  | "disk-full"
  | "permission-denied"
  | "image-unavailable"
  | "registry-failed"
  | "check-failed"
  | "engine-unreachable"
  | "engine-denied"
  | "engine-unsupported"
  | "engine-failed"
  | "conflict"
  | "locked"
  | "interrupted"
  | "terminated";

/** 0 ok, 1 failed, 2 nothing touched, 3 check not satisfied, 4 engine, 5 conflict, 70 bug, 130/143 signal. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  "input-required": 2,
  "config-invalid": 2,
  "input-invalid": 2,
  "precondition-failed": 2,
  "not-found": 2,
  "no-deployment": 2,
  "operation-failed": 1,
  declined: 1,
  "disk-full": 1,
  "permission-denied": 1,
  "image-unavailable": 1,
  "registry-failed": 1,
  "check-failed": 3,
  "engine-unreachable": 4,
  "engine-denied": 4,
  "engine-unsupported": 4,
  "engine-failed": 1,
  conflict: 5,
  locked: 5,
  interrupted: 130,
  terminated: 143,
};

/** The exit code of a bug in regctl (sysexits EX_SOFTWARE). */
export const INTERNAL_EXIT_CODE = 70;

/** One problem among several, reported together. */
export interface Issue {
  /** Where: a configuration path (`registry.log.level`), a file, a precondition's name. */
  readonly path: string;
  readonly message: string;
  /** 1-based line in the file the path belongs to, when it is known. */
  readonly line?: number;
  readonly hint?: string;
}

export interface RegctlErrorOptions {
  /** The next command or edit, imperative. */
  readonly hint?: string | undefined;
  /** Machine-readable facts for `--json`; never a secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly issues?: readonly Issue[] | undefined;
  readonly cause?: unknown;
}

/** A failure with a stable code, what happened (`message`), why (`cause`, `issues`) and what to do next (`hint`). */
export class RegctlError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, message: string, options: RegctlErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RegctlError";
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.issues = options.issues ?? [];
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` Node's system errors carry (`ENOENT`, `EACCES`), or undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
