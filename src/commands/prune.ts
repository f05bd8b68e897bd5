import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import {
  explainPrune,
  type PruneRequest,
  permanentlyPruned,
  previewPrune,
  prune as pruneStore,
} from "../operations/prune.ts";
import { shownName } from "../shown-name.ts";
import { renderTable } from "../terminal/table.ts";
import { confirmName } from "./confirm-name.ts";

export interface PruneFlags {
  readonly apply?: boolean;
  readonly explain?: string;
  readonly keep?: string;
  readonly by?: string;
  readonly newerThan?: string;
  readonly tags?: readonly string[];
  readonly semver?: string;
  readonly repo?: readonly string[];
  readonly untagged?: string | true;
  readonly protect?: readonly string[];
  readonly protectInUse: boolean;
  /** Milliseconds. */
  readonly trash: number;
  readonly settle?: number;
  readonly data?: string;
  readonly api?: boolean;
  readonly confirm?: string;
}

const SHOWN = 30;

function nameOf(repository: string, tag: string | undefined, digest: string): string {
  return shownName(tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`);
}

function frees(bytes: number | undefined): string {
  return bytes === undefined ? "" : `, which frees ${formatBytes(bytes)} once it is collected`;
}

type Plan = Awaited<ReturnType<typeof previewPrune>>;

function requestOf(context: Context, flags: PruneFlags): PruneRequest {
  const { keep, by, newerThan, tags, semver, repo, untagged, protect, protectInUse } = flags;
  return {
    dir: context.options.dir,
    ...(flags.data === undefined ? {} : { data: flags.data }),
    flags: { keep, by, newerThan, tags, semver, repositories: repo, untagged, protect, protectInUse },
    api: flags.api ?? false,
    keepMs: flags.trash,
    settleMs: flags.settle,
  };
}

function list(plan: Plan): string {
  const rows = plan.verdicts.flatMap(({ repository, verdicts }) =>
    verdicts.filter(({ keep }) => !keep).map(({ tag, digest, because }) => [nameOf(repository, tag, digest), because]),
  );
  if (rows.length === 0) return "";
  const more = rows.length > SHOWN ? `\n… and ${rows.length - SHOWN} more; --json lists them all` : "";
  return `${renderTable(["IMAGE", "BECAUSE"], rows.slice(0, SHOWN))}${more}\n`;
}

function dataOf(plan: Plan) {
  const { repositories, tags, removed, reclaimable } = plan;
  return { repositories, tags, removed, bytes: { reclaimable: reclaimable ?? null } };
}

async function explain(context: Context, request: PruneRequest, image: string): Promise<void> {
  const { repository, verdicts } = await explainPrune(context, request, image);
  const rows = verdicts.map(({ tag, digest, keep, because }) => [
    nameOf(repository, tag, digest),
    keep ? "kept" : "removed",
    because,
  ]);
  context.output.result("prune-explain", { repository, verdicts }, renderTable(["IMAGE", "VERDICT", "BECAUSE"], rows));
}

function preview(context: Context, plan: Plan): void {
  const { tags, reclaimable } = plan;
  const next = plan.removed.length === 0 ? "" : "\nNothing was changed; add --apply to remove them";
  const text = `${list(plan)}would remove ${tags.removed} of ${tags.total} tags${frees(reclaimable)}${next}`;
  context.output.result("prune", { dryRun: true, ...dataOf(plan), trashId: null }, text);
}

async function agree(context: Context, request: PruneRequest, flags: PruneFlags): Promise<void> {
  const permanent = await permanentlyPruned(context, request);
  if (permanent === undefined && context.options.yes) return;
  const plan = await previewPrune(context, request);
  if (plan.removed.length === 0) return;
  context.output.note(list(plan));
  const what = `${plan.tags.removed} of ${plan.tags.total} tags`;
  if (permanent !== undefined) {
    const warning = `This removes ${what} of ${permanent} for good: over the API there is no trash.`;
    return confirmName(context, warning, permanent, flags.confirm);
  }
  const message = `Remove ${what}? They can be brought back for a while`;
  if (await context.prompt.confirm({ message, flag: "--yes", default: false })) return;
  throw new RegctlError("declined", "nothing was changed");
}

export async function prune(context: Context, flags: PruneFlags): Promise<void> {
  const request = requestOf(context, flags);
  if (flags.explain !== undefined) return explain(context, request, flags.explain);
  if (flags.apply !== true) return preview(context, await previewPrune(context, request));
  await agree(context, request, flags);
  const result = await pruneStore(context, request);
  const { tags, reclaimable, trashId, expires, returned } = result;
  const lines = [`removed ${tags.removed} of ${tags.total} tags${frees(reclaimable)}`];
  if (trashId !== undefined) lines.push(`regctl undo ${trashId} brings them back until ${expires}`);
  if (returned > 0) lines.push(`${returned} pushed again meanwhile, kept`);
  const data = { dryRun: false, ...dataOf(result), trashId: trashId ?? null, expires: expires ?? null, returned };
  context.output.result("prune", data, lines.join("\n"), trashId ?? "");
}
