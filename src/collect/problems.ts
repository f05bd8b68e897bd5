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
