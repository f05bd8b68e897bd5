/** A failure as the user reads it: what, why, the next command; or as one JSON object for scripts. */
import { INTERNAL_EXIT_CODE, type Issue, messageOf, RegctlError } from "../errors.ts";

export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

function issueText(issue: Issue): string {
  const where =
    issue.line === undefined
      ? issue.path
      : issue.path === ""
        ? `line ${issue.line}`
        : `${issue.path} (line ${issue.line})`;
  const hint = issue.hint === undefined ? "" : `\n      ${issue.hint}`;
  return `  - ${where === "" ? "" : `${where}: `}${issue.message}${hint}`;
}

function causes(error: unknown): string[] {
  const chain: string[] = [];
  for (
    let cause = (error as { cause?: unknown } | null | undefined)?.cause;
    cause instanceof Error;
    cause = cause.cause
  ) {
    chain.push(`caused by: ${cause.stack ?? cause.message}`);
  }
  return chain;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export function reportError(
  error: unknown,
  options: { readonly json: boolean; readonly debug: boolean; readonly version: string },
): ErrorReport {
  const known = error instanceof RegctlError ? error : undefined;
  const exitCode = known?.exitCode ?? INTERNAL_EXIT_CODE;
  if (options.json) {
    if (known === undefined) {
      const details = { version: options.version, node: process.version, stack: [stackOf(error), ...causes(error)] };
      const body = { code: "internal", message: messageOf(error), hint: "this is a bug: please report it", details };
      return { text: JSON.stringify({ error: body }), exitCode };
    }
    const details = { ...known.details, ...(known.issues.length === 0 ? {} : { issues: known.issues }) };
    const body = { code: known.code, message: known.message, hint: known.hint ?? null, details };
    return { text: JSON.stringify({ error: body }), exitCode };
  }
  if (known === undefined) {
    return {
      text: [
        `regctl: this is a bug: ${messageOf(error)}`,
        stackOf(error),
        ...causes(error),
        `  regctl ${options.version}, node ${process.version}`,
        "  hint: please report it with the lines above",
      ].join("\n"),
      exitCode,
    };
  }
  // One problem is told once: the message says it already.
  const issues = known.issues.filter((issue) => !known.message.includes(issue.message));
  const lines = [`regctl: ${known.message}`, ...issues.map(issueText)];
  if (known.hint !== undefined) lines.push(`  hint: ${known.hint}`);
  if (options.debug) lines.push(known.stack ?? "", ...causes(known));
  return { text: lines.join("\n"), exitCode };
}
