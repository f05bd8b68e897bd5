/** Checks a store that may be in use and says what is wrong with it; repairs it on request. */
import type { Store } from "../storage/layout.ts";
import type { Team } from "../storage/team.ts";
import type { Selection } from "./fsck-blobs.ts";
import { createExaminer, type Examination } from "./fsck-examine.ts";
import { bySeverity, type Finding, isProblem, type Repair } from "./fsck-finding.ts";
import { type Outcome, type Repaired, repairStore } from "./fsck-repair.ts";
import type * as fsckTask from "./fsck-task.ts";
import type { Problem } from "./problems.ts";
import type { RemoveTree } from "./recover.ts";

export interface FsckOptions {
  readonly selection: Selection;
  readonly repair: boolean;
  readonly keepMs: number;
  /** How long to wait before a second look at what may be a push under way. */
  readonly settleMs: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly removeTree: RemoveTree;
  readonly onProgress: (what: string, done: number, of: number, unit?: "bytes") => void;
}

export interface FsckProblem extends Problem {
  readonly tags?: readonly string[];
  readonly repairable: boolean;
  /** What a repair would do. */
  readonly repair?: Repair["how"];
}

/** Sizes in bytes. */
export interface FsckReport {
  readonly repositories: number;
  readonly manifests: number;
  readonly tags: number;
  readonly blobs: {
    readonly total: number;
    readonly checked: number;
    readonly corrupt: number;
    readonly missing: number;
    readonly bytes: number;
  };
  readonly links: {
    readonly dangling: number;
    readonly empty: number;
    readonly foreign: number;
    readonly missing: number;
  };
  readonly uploads: { readonly stale: number };
  /** Empty ones: of manifests deleted over the API, of blobs. */
  readonly folders: { readonly withoutLink: number; readonly withoutData: number };
  /** What is wrong; after a repair, what is left of it. Worst first. */
  readonly problems: readonly FsckProblem[];
  readonly repaired: readonly (Told & { readonly outcome: Outcome })[];
  /** The entry of the trash what was repaired is kept in. */
  readonly trashId?: string;
}

type Told = Omit<FsckProblem, "repairable" | "repair">;

function told(finding: Finding): Told {
  const { repair: _, ...problem } = finding;
  return problem;
}

function reportOf(examination: Examination, found: readonly Finding[], repaired: readonly Repaired[]): FsckReport {
  const { blobs, repositories, manifests, tags } = examination;
  const count = (...kinds: readonly Problem["kind"][]) => found.filter(({ kind }) => kinds.includes(kind)).length;
  const digests = (...kinds: readonly Problem["kind"][]) =>
    new Set(found.flatMap(({ kind, digest }) => (kinds.includes(kind) ? [digest] : []))).size;
  return {
    repositories,
    manifests,
    tags,
    blobs: {
      ...blobs,
      corrupt: digests("corrupt-blob", "corrupt-manifest"),
      missing: digests("missing-blob", "missing-manifest"),
    },
    links: {
      dangling: count("missing-manifest", "dangling-tag", "dangling-layer-link"),
      empty: count("empty-link"),
      foreign: count("foreign-link"),
      missing: count("missing-link"),
    },
    uploads: { stale: count("stale-upload") },
    folders: { withoutLink: count("revision-without-link"), withoutData: count("blob-without-data") },
    problems: bySeverity(examination.findings)
      .filter(isProblem)
      .map((finding) => {
        const { repair } = finding;
        return {
          ...told(finding),
          repairable: repair !== undefined,
          ...(repair === undefined ? {} : { repair: repair.how }),
        };
      }),
    repaired: repaired.map(({ finding, outcome }) => ({ ...told(finding), outcome })),
  };
}

/** The counts are of what was found, the problems of what is left. */
export async function checkStore(
  store: Store,
  team: Team,
  task: typeof fsckTask,
  options: FsckOptions,
): Promise<FsckReport> {
  const examiner = createExaminer(store, team, task, options);
  const examination = await examiner.examine();
  if (!options.repair) return reportOf(examination, examination.findings, []);
  const repair = await repairStore(store, examiner, examination, options);
  const report = reportOf(repair.examination, examination.findings, repair.repaired);
  return repair.trashId === undefined ? report : { ...report, trashId: repair.trashId };
}
