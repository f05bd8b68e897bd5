export const GENERATOR_VERSION: number;

export interface StoreCounts {
  readonly repositories: number;
  readonly tags: number;
  /** Revisions with a link. */
  readonly manifests: number;
  readonly tagged: number;
  /** Without a tag, children of indexes not counted. */
  readonly untagged: number;
  /** Over the API: their revision folder is empty. */
  readonly deleted: number;
  readonly indexes: number;
  readonly blobs: number;
  readonly bytes: number;
}

export interface GenerateOptions {
  readonly repositories: number;
  readonly tags: number;
  readonly seed?: number | string;
  /** Sets all times back; for small stores. */
  readonly ageSeconds?: number;
  readonly onProgress?: (done: number, all: number) => void;
}

/** Writes a store of the measured shape below `root`, which must hold none yet. */
export function generateStore(root: string, options: GenerateOptions): Promise<StoreCounts>;
/** A store of one repository, `service-00000`, with that many tags. */
export function oneRepository(
  root: string,
  tags: number,
  options?: Omit<GenerateOptions, "repositories" | "tags">,
): Promise<StoreCounts>;
/** The names generateStore gives, by place from 0. */
export function repositoryName(place: number): string;
export function tagName(place: number): string;
/** Makes everything below the folder look as if it had been written that long ago. */
export function setAge(root: string, ageSeconds: number): void;
/** Numbers in [0, 1), the same for the same text. */
export function randomFrom(text: string): () => number;

export interface RandomStoreOptions {
  /** At most that many, and at most 9; 8 unless told. */
  readonly repositories?: number;
  /** Names of tags a repository's pushes choose from; 6 unless told. */
  readonly tags?: number;
  /** All true unless told. */
  readonly nestedIndexes?: boolean;
  readonly deletedChildren?: boolean;
  /** Repositories with manifests and no `_manifests/tags`: 2.8's `-m` aborts on them. */
  readonly missingTagsFolders?: boolean;
  /** Manifests with `subject`, some with the fallback tag `sha256-…`. */
  readonly referrers?: boolean;
  readonly ageSeconds?: number;
}

export interface RandomRepository {
  readonly name: string;
  readonly kind: "normal" | "uploads only" | "layers only" | "no tags folder" | "empty tags folder";
  /** Whether `_catalog` of 2.x names it. */
  readonly inCatalog: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** Manifests with a link. */
  readonly revisions: readonly string[];
  /** Manifests whose revision folder is empty. */
  readonly deleted: readonly string[];
  /** Digests with a layer link: layers and configurations. */
  readonly layers: readonly string[];
  /** Tags of which nothing is missing. */
  readonly pullable: readonly string[];
}

export interface RandomStore {
  readonly repositories: readonly RandomRepository[];
  /** Digest to size. */
  readonly blobs: ReadonlyMap<string, number>;
  /** Blob folders without `data`. */
  readonly emptyBlobs: readonly string[];
}

/** Writes a small valid store below `root`, which must hold none yet; the same numbers give the same store. */
export function randomStore(root: string, random: () => number, options?: RandomStoreOptions): RandomStore;
