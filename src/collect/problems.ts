import { RegctlError } from "../errors.ts";

/** What is wrong in a store. The kinds are part of the JSON of `fsck` and `gc`: append-only. */
export interface Problem {
  readonly kind:
    | "corrupt-manifest"
    | "corrupt-blob"
    | "missing-manifest"
    | "missing-blob"
    | "missing-link"
    | "empty-link"
    | "foreign-link"
    | "dangling-tag"
    | "dangling-layer-link"
    | "blob-without-data"
    | "revision-without-link"
    | "stale-upload"
    | "schema1"
    | "not-a-file"
    | "unreadable"
    | "misplaced"
    | "unreachable-name"
    | "orphaned-layers";
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Relative to the store. */
  readonly path?: string;
  readonly message: string;
}

/** What a collector cannot see past: it would take what it cannot read for something that needs nothing. */
const BLINDING: ReadonlySet<Problem["kind"]> = new Set(["corrupt-manifest", "not-a-file"]);

export function isBlinding(problem: Problem): boolean {
  return BLINDING.has(problem.kind);
}

/** Nothing is `taken` (deleted, removed) as long as something cannot be read: it would be taken for what needs nothing. */
export function requireSight(problems: readonly Problem[], taken: string): void {
  const blinding = problems.filter(isBlinding);
  if (blinding.length === 0) return;
  throw new RegctlError("precondition-failed", `nothing was ${taken}: what some manifests need cannot be known`, {
    issues: blinding.slice(0, 20).map(({ message, path }) => ({ path: path ?? "", message })),
    hint: "`regctl fsck` checks the whole store, `regctl fsck --repair` moves damaged manifests to the trash; links have to be replaced by what they lead to",
    details: { problems: blinding.slice(0, 100) },
  });
}
