import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/** One run of the program, as it is kept for the check at the end of the suite. */
export interface RecordedOutput {
  /** The test that ran it. */
  readonly test: string;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Kind = "outputs" | "secrets";

/** Lines of this test file, when nobody collects those of the whole suite. */
const ownLines: Record<Kind, string[]> = { outputs: [], secrets: [] };

/** In a suite one file of lines for all: test files run in processes of their own. */
function suiteFile(kind: Kind): string | undefined {
  const directory = process.env.REGCTL_TEST_OUTPUTS;
  return directory === undefined ? undefined : join(directory, kind);
}

function opened(kind: Kind): number | undefined {
  const file = suiteFile(kind);
  return file === undefined ? undefined : openSync(file, "a", 0o600);
}

/** Opened at once: a test may run the program as somebody who may not open them. */
const descriptors: Readonly<Record<Kind, number | undefined>> = {
  outputs: opened("outputs"),
  secrets: opened("secrets"),
};

function addLine(kind: Kind, line: string): void {
  const descriptor = descriptors[kind];
  if (descriptor === undefined) ownLines[kind].push(line);
  else appendFileSync(descriptor, `${line}\n`);
}

function linesOf(kind: Kind): string[] {
  const file = suiteFile(kind);
  if (file === undefined) return ownLines[kind];
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
}

export function recordOutput(output: Omit<RecordedOutput, "test">): void {
  const test = expect.getState().currentTestName ?? "outside a test";
  addLine("outputs", JSON.stringify({ test, ...output }));
}

/** Everything the program wrote so far in this suite, in every test file. */
export function recordedOutputs(): RecordedOutput[] {
  return linesOf("outputs").map((line) => JSON.parse(line) as RecordedOutput);
}

/**
 * A password no other test has. It must never appear in anything the program writes: `npm test` looks for it, plain and
 * in base64, in all recorded outputs of the suite.
 */
export function secretForTest(): string {
  const secret = `hush-${randomBytes(12).toString("hex")}`;
  addLine("secrets", secret);
  return secret;
}

/** The secrets handed out so far by `secretForTest`, in every test file. */
export function secretsForTest(): string[] {
  return linesOf("secrets");
}
