/** distribution's own garbage-collect, asked what it would delete: the judge of ours. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface UpstreamCollection {
  /** How many digests it marked. */
  readonly marked: number;
  /** Digests of blobs it would delete. */
  readonly blobs: ReadonlySet<string>;
  /** `repository@digest` of manifests it would delete; only with `deleteUntagged`. */
  readonly manifests: ReadonlySet<string>;
  /** What it wrote on stderr when it gave up; the rest is empty then. */
  readonly aborted: string | undefined;
}

export interface UpstreamOptions {
  /** `-m`. Never followed by a real run on 2.x: it destroys the children of indexes. */
  readonly deleteUntagged?: boolean;
}

const DIGEST = "sha256:[0-9a-f]{64}";

/** A 3.x program, where whoever runs the tests has one. */
export function registry3Program(): string | undefined {
  return process.env.REGCTL_TEST_REGISTRY3 || undefined;
}

/** `docker-registry garbage-collect --dry-run` over the store below `root`. */
export async function upstreamDryRun(
  program: string,
  root: string,
  options: UpstreamOptions = {},
): Promise<UpstreamCollection> {
  return parseCollection(await collect(program, root, ["--dry-run", ...flags(options)]));
}

/** The real run, which deletes; to show what it loses. */
export async function upstreamCollect(
  program: string,
  root: string,
  options: UpstreamOptions = {},
): Promise<UpstreamCollection> {
  return parseCollection(await collect(program, root, flags(options)));
}

function flags(options: UpstreamOptions): string[] {
  return options.deleteUntagged === true ? ["-m"] : [];
}

async function collect(program: string, root: string, args: readonly string[]): Promise<ProgramResult> {
  await using folder = temporaryDirectory();
  const file = join(folder.path, "config.yml");
  await writeFile(file, JSON.stringify({ version: "0.1", storage: { filesystem: { rootdirectory: root } } }));
  return await runProgram(program, ["garbage-collect", ...args, file], { timeoutMs: 600_000 });
}

/**
 * Reads what 2.x and 3.x print. 2.x names an untagged manifest's digest below a line with its repository, 3.x both at once:
 * `manifest eligible for deletion: {team/app sha256:… [1.0]}`.
 */
export function parseCollection({ exitCode, stdout, stderr }: ProgramResult): UpstreamCollection {
  if (exitCode !== 0 && !/^failed to garbage collect: /m.test(stderr)) throw new Error(`garbage-collect: ${stderr}`);
  if (exitCode !== 0) return { marked: 0, blobs: new Set(), manifests: new Set(), aborted: stderr };
  const proof = /^(\d+) blobs marked, (\d+) blobs and (\d+) manifests eligible for deletion$/m.exec(stdout);
  // Usage errors end with 0 as well.
  if (proof === null) throw new Error(`garbage-collect did not run to its end\n${stdout.slice(-2_000)}\n${stderr}`);
  const blobs = new Set([...stdout.matchAll(new RegExp(`^blob eligible for deletion: (${DIGEST})$`, "gm"))].map(first));
  const manifests = new Set<string>();
  let repository = "";
  for (const line of stdout.split("\n")) {
    if (/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(line)) repository = line;
    const old = new RegExp(`^manifest eligible for deletion: (${DIGEST})$`).exec(line);
    if (old !== null) manifests.add(`${repository}@${old[1]}`);
    const recent = new RegExp(`^manifest eligible for deletion: \\{(\\S+) (${DIGEST}) \\[.*\\]\\}$`).exec(line);
    if (recent !== null) manifests.add(`${recent[1]}@${recent[2]}`);
  }
  const [, marked, blobCount, manifestCount] = proof.map(Number);
  if (blobs.size !== blobCount || manifests.size !== manifestCount) {
    throw new Error(`${proof[0]}, but ${blobs.size} and ${manifests.size} are named\n${stdout.slice(-2_000)}`);
  }
  return { marked: marked as number, blobs, manifests, aborted: undefined };
}

function first(match: RegExpMatchArray): string {
  return match[1] as string;
}
