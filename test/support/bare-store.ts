/** A small store written by hand, as a registry leaves one on its disk: every link and blob is the test's own choice. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setAge } from "./generated-store.mjs";
import { keep } from "./kept.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface ImageParts {
  readonly tag?: string;
  /** Texts; each is a layer. */
  readonly layers?: readonly string[];
  /** Digest of the manifest this one is attached to. */
  readonly subject?: string;
}

export interface BareStore {
  readonly root: string;
  /** Writes `docker/registry/v2/<path>`. */
  file(path: string, content: string): void;
  /** A blob nothing refers to yet; its digest. */
  blob(content: string): string;
  /** A blob that a repository links. */
  layer(repository: string, content: string): string;
  image(repository: string, parts?: ImageParts): string;
  index(repository: string, children: readonly string[], tag?: string): string;
  /** Any bytes as a linked manifest. */
  manifest(repository: string, content: string, tag?: string): string;
  tag(repository: string, tag: string, digest: string): void;
  /** Makes everything look as if it had been written that long ago. */
  age(seconds: number): void;
}

export function sha256(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(":") + 1);

/** Path of a blob's folder below `docker/registry/v2`. */
export const blobPath = (digest: string): string => `blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`;
export const revisionPath = (repository: string, digest: string): string =>
  `repositories/${repository}/_manifests/revisions/sha256/${hexOf(digest)}`;
export const tagPath = (repository: string, tag: string): string => `repositories/${repository}/_manifests/tags/${tag}`;
export const layerPath = (repository: string, digest: string): string =>
  `repositories/${repository}/_layers/sha256/${hexOf(digest)}`;

const OCI = "application/vnd.oci.image";

const descriptor = (kind: string, digest: string, size: number) => ({ mediaType: `${OCI}.${kind}`, digest, size });

/** The store in a folder that is there. */
export function bareStoreIn(root: string): BareStore {
  const file: BareStore["file"] = (path, content) => {
    const target = join(root, "docker/registry/v2", path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  };
  const blob: BareStore["blob"] = (content) => {
    file(`${blobPath(sha256(content))}/data`, content);
    return sha256(content);
  };
  const layer: BareStore["layer"] = (repository, content) => {
    const digest = blob(content);
    file(`${layerPath(repository, digest)}/link`, digest);
    return digest;
  };
  const tag: BareStore["tag"] = (repository, name, digest) => {
    file(`${tagPath(repository, name)}/index/sha256/${hexOf(digest)}/link`, digest);
    file(`${tagPath(repository, name)}/current/link`, digest);
  };
  const manifest: BareStore["manifest"] = (repository, content, name) => {
    const digest = blob(content);
    file(`${revisionPath(repository, digest)}/link`, digest);
    if (name !== undefined) tag(repository, name, digest);
    return digest;
  };
  mkdirSync(join(root, "docker/registry/v2/repositories"), { recursive: true });
  mkdirSync(join(root, "docker/registry/v2/blobs/sha256"), { recursive: true });
  return {
    root,
    file,
    blob,
    layer,
    tag,
    manifest,
    image(repository, { tag: name, layers = [], subject } = {}) {
      const config = JSON.stringify({
        architecture: "amd64",
        os: "linux",
        made: [repository, name, layers.map(sha256), subject],
      });
      const stored = layers.map((each) => descriptor("layer.v1.tar+gzip", layer(repository, each), each.length));
      const content = JSON.stringify({
        schemaVersion: 2,
        mediaType: `${OCI}.manifest.v1+json`,
        config: descriptor("config.v1+json", layer(repository, config), config.length),
        layers: stored,
        ...(subject === undefined ? {} : { subject: descriptor("manifest.v1+json", subject, 1) }),
      });
      return manifest(repository, content, name);
    },
    index(repository, children, name) {
      const manifests = children.map((child) => descriptor("manifest.v1+json", child, 1));
      const content = JSON.stringify({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests });
      return manifest(repository, content, name);
    },
    age: (seconds) => setAge(root, seconds),
  };
}

/** A new empty store, kept until the file's tests are done. */
export function bareStore(): BareStore {
  return bareStoreIn(keep(temporaryDirectory()).path);
}

/** Everything below a folder, relative to it, folders before what is in them; links are not followed. */
export function pathsBelow(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [path, ...pathsBelow(root, path)] : [path];
    });
}

/** Everything below a folder but the trash: path to kind, mode and content. */
export function treeOf(root: string, leaveOut: RegExp = /^regctl-trash(\/|$)/): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const path of pathsBelow(root)) {
    if (leaveOut.test(path)) continue;
    const stat = lstatSync(join(root, path));
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) tree[`${path}/`] = mode;
    else if (stat.isSymbolicLink()) tree[path] = `-> ${readlinkSync(join(root, path))}`;
    else tree[path] = `${mode} ${stat.isFile() ? readFileSync(join(root, path), "latin1") : "no file"}`;
  }
  return tree;
}
