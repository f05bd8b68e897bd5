/** The distribution API (https://distribution.github.io/distribution/spec/api/, OCI distribution specification 1.1). */
import { RegctlError } from "../errors.ts";
import { getBlob, pushBlob } from "./blobs.ts";
import { mapConcurrently } from "./concurrency.ts";
import { deleteTag } from "./delete-tag.ts";
import { listRepositories, listTags } from "./lists.ts";
import {
  deleteManifest,
  getManifest,
  headManifest,
  type ManifestHead,
  putManifest,
  type StoredManifest,
} from "./manifests.ts";
import { isDigest, isRepositoryName, isTag } from "./reference.ts";
import { wait } from "./retry.ts";
import { createSession, type RegistrySessionOptions } from "./session.ts";

export type RegistryApiOptions = Omit<RegistrySessionOptions, "wait" | "now"> &
  Partial<Pick<RegistrySessionOptions, "wait" | "now">>;

/**
 * A registry. Repositories have no host, a reference is a tag or a digest; what is neither is `input-invalid`. Every method
 * rejects with RegctlError: `not-found`, `interrupted` (the signal was aborted), else `registry-failed`, whose
 * `details.reason` is a `FailureReason`.
 */
export interface RegistryApi {
  /** `registry.example.com:5000`. */
  readonly host: string;
  /** Every repository, in the registry's order, page by page. */
  catalog(): AsyncGenerator<string>;
  /** Sorted; empty when all are deleted, undefined when there is no such repository. */
  tags(repository: string): Promise<string[] | undefined>;
  /** Verified against the digest when asked by one. At most 4 MiB. */
  manifest(repository: string, reference: string): Promise<StoredManifest>;
  /** What the registry says of a manifest without sending it; undefined when there is none. */
  headManifest(repository: string, reference: string): Promise<ManifestHead | undefined>;
  /** Verified; `too-large` above the limit (8 MiB unless given). */
  blob(repository: string, digest: string, options?: { readonly maximumBytes?: number }): Promise<Buffer>;
  /** With every tag on it; false when there was none. */
  deleteManifest(repository: string, digest: string): Promise<boolean>;
  /** The tag alone, its manifest and siblings stay; false when there was none. */
  deleteTag(repository: string, tag: string): Promise<boolean>;
  /** Resolves to the digest. */
  putManifest(repository: string, reference: string, bytes: Buffer, mediaType: string): Promise<string>;
  /** Resolves to the digest; for bytes that fit in memory. */
  pushBlob(repository: string, bytes: Buffer): Promise<string>;
  /** Works on all items, as many at once as there are connections; results in the order of the items. */
  map<T, R>(items: Iterable<T> | AsyncIterable<T>, work: (item: T, index: number) => Promise<R>): Promise<R[]>;
  /** Ends the connections that are kept alive. */
  close(): void;
}

const MAXIMUM_BLOB_BYTES = 8 * 1024 * 1024;

/** Connects to nothing yet. `input-invalid` when the URL is no address of a registry. */
export function createRegistryApi(options: RegistryApiOptions): RegistryApi {
  const session = createSession({ wait, now: () => performance.now(), ...options });
  return {
    host: session.host,
    catalog: () => listRepositories(session),
    tags: async (repository) => listTags(session, checkRepository(repository)),
    manifest: async (repository, reference) =>
      getManifest(session, checkRepository(repository), checkReference(reference)),
    headManifest: async (repository, reference) =>
      headManifest(session, checkRepository(repository), checkReference(reference)),
    blob: async (repository, digest, { maximumBytes = MAXIMUM_BLOB_BYTES } = {}) =>
      getBlob(session, checkRepository(repository), checkDigest(digest), maximumBytes),
    deleteManifest: async (repository, digest) =>
      deleteManifest(session, checkRepository(repository), checkDigest(digest)),
    deleteTag: async (repository, tag) => deleteTag(session, checkRepository(repository), checkTag(tag)),
    putManifest: async (repository, reference, bytes, mediaType) =>
      putManifest(session, checkRepository(repository), checkReference(reference), { bytes, mediaType }),
    pushBlob: async (repository, bytes) => pushBlob(session, checkRepository(repository), bytes),
    map: (items, work) => mapConcurrently(items, session.concurrency, work),
    close: () => session.close(),
  };
}

function check(what: string, isValid: (text: string) => boolean, hint: string): (text: string) => string {
  return (text) => {
    if (isValid(text)) return text;
    throw new RegctlError("input-invalid", `${JSON.stringify(text).slice(0, 200)} is not ${what}`, { hint });
  };
}

const DIGEST_HINT = "write sha256: and 64 lower-case hexadecimal digits";
const TAG_HINT = "a tag is up to 128 letters, digits, _ . and -, and begins with a letter, digit or _";
const checkRepository = check("a repository", isRepositoryName, "write it without the host, such as team/api");
const checkDigest = check("a digest", isDigest, DIGEST_HINT);
const checkTag = check("a tag", isTag, TAG_HINT);
const checkReference = check("a tag or a digest", (text) => isTag(text) || isDigest(text), TAG_HINT);
