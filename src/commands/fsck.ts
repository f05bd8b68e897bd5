import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { fsck as check, type FsckResult } from "../operations/fsck.ts";

export interface FsckFlags {
  readonly hash: boolean;
  /** Share of the blobs, above 0 and up to 1. */
  readonly sample?: number;
  /** Milliseconds. */
  readonly since?: number;
  readonly keep: number;
  readonly repair?: boolean;
  readonly dryRun?: boolean;
  readonly data?: string;
}

const UNSATISFIED = 3;
const SHOWN = 50;

function count(number: number, what: string): string {
  const many = what.endsWith("y") ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${number} ${number === 1 ? what : many}`;
}

function shown(lines: readonly string[]): string[] {
  const more = lines.length - SHOWN;
  return more > 0 ? [...lines.slice(0, SHOWN), `… and ${more} more; --json lists all`] : [...lines];
}

const WOULD = {
  "set-aside": "would move to the trash",
  "write-link": "would write the link",
  "bring-back": "would bring back from the trash",
} as const;

const DONE = {
  "set-aside": "moved to the trash",
  "link-written": "link written",
  "brought-back": "brought back from the trash",
} as const;

function summary(result: FsckResult, flags: FsckFlags): string[] {
  const { problems, repaired, blobs, trashId } = result;
  const hashed = blobs.checked === 0 ? "none hashed" : `${blobs.checked} hashed, ${formatBytes(blobs.bytes)}`;
  const looked = [
    count(result.repositories, "repository"),
    count(result.tags, "tag"),
    count(result.manifests, "manifest"),
    `${count(blobs.total, "blob")} (${hashed})`,
  ].join(", ");
  const left = problems.length === 0 ? "no problems" : count(problems.length, "problem");
  const lines = [`checked ${looked}: ${left}${repaired.length > 0 ? " left" : ""}`];
  if (trashId !== undefined)
    lines.push(`what was moved or replaced is in the trash: regctl undo ${trashId}${where(flags)}`);
  const repairable = problems.filter((problem) => problem.repairable).length;
  const without = result.folders.withoutLink;
  if (repairable > 0) {
    const still = flags.repair === true && flags.dryRun !== true ? "still " : "";
    lines.push(`${repairable} can ${still}be repaired: regctl fsck --repair${where(flags)}`);
  } else if (problems.length === 0 && without > 0 && flags.repair !== true) {
    lines.push(`${count(without, "empty folder")} of deleted manifests, which harm nothing`);
  }
  const lost = problems.filter((problem) => !problem.repairable && LOST.has(problem.kind)).length;
  if (lost > 0) lines.push(`${lost} cannot be repaired: push those images again, or remove them with regctl rm-tag`);
  return lines;
}

const LOST: ReadonlySet<string> = new Set([
  "missing-blob",
  "missing-link",
  "empty-link",
  "foreign-link",
  "dangling-tag",
]);

/** So that the next command works as it is written. */
function where({ data }: FsckFlags): string {
  if (data === undefined) return "";
  return /^[\w./-]+$/.test(data) ? ` --data ${data}` : ` --data '${data.replaceAll("'", `'\\''`)}'`;
}

/** Exit 3 when something is wrong, or was and could not be repaired. */
export async function fsck(context: Context, flags: FsckFlags): Promise<number> {
  const repair = flags.repair ?? false;
  const dryRun = flags.dryRun ?? false;
  const result = await check(context, {
    dir: context.options.dir,
    ...(flags.data === undefined ? {} : { data: flags.data }),
    hash: flags.hash,
    sample: flags.sample,
    sinceMs: flags.since,
    repair,
    dryRun,
    keepMs: flags.keep,
  });
  const repaired = result.repaired.map(
    ({ kind, message, outcome }) => `repaired ${kind}: ${message} (${DONE[outcome]})`,
  );
  const problems = result.problems.map(({ kind, message, repair: way }) => {
    const would = repair && dryRun && way !== undefined ? ` (${WOULD[way]})` : "";
    return `${kind}: ${message}${would}`;
  });
  const text = [...shown(repaired), ...shown(problems), ...summary(result, flags)].join("\n");
  context.output.result("fsck", result, text, shown(problems).join("\n"));
  return result.problems.length === 0 ? 0 : UNSATISFIED;
}
