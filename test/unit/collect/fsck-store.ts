/** A small store with one of everything, written as distribution writes it, and a check of it in this thread. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkStore, type FsckOptions, type FsckReport } from "../../../src/collect/fsck.ts";
import * as fsckTask from "../../../src/collect/fsck-task.ts";
import { createTeam } from "../../../src/storage/team.ts";

const V2 = "docker/registry/v2";
const HOUR = 3_600_000;

export const hexOf = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
export const removeTree = async (path: string): Promise<void> => rmSync(path, { recursive: true, force: true });

export interface HandMadeStore {
  readonly root: string;
  /** Absolute paths: of a blob's data, and below a repository's folder. */
  data(hex: string): string;
  inRepository(name: string, path: string): string;
  put(content: string): string;
  layer(repository: string, hex: string): void;
  manifest(repository: string, content: object, tag?: string): string;
  /** The manifest's digest; `name` makes its configuration and its layer. */
  image(repository: string, name: string, tag?: string): Image;
  index(repository: string, children: readonly string[], tag?: string): string;
}

export interface Image {
  readonly manifest: string;
  readonly config: string;
  readonly layer: string;
}

export function handMadeStore(root: string): HandMadeStore {
  const write = (path: string, content: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  const data = (hex: string) => join(root, V2, "blobs/sha256", hex.slice(0, 2), hex, "data");
  const inRepository = (name: string, path: string) => join(root, V2, "repositories", name, path);
  const put = (content: string) => {
    const hex = hexOf(content);
    write(data(hex), content);
    return hex;
  };
  const layer = (name: string, hex: string) => write(inRepository(name, `_layers/sha256/${hex}/link`), `sha256:${hex}`);
  const manifest = (name: string, content: object, tag?: string) => {
    const hex = put(JSON.stringify(content));
    write(inRepository(name, `_manifests/revisions/sha256/${hex}/link`), `sha256:${hex}`);
    if (tag === undefined) return hex;
    write(inRepository(name, `_manifests/tags/${tag}/index/sha256/${hex}/link`), `sha256:${hex}`);
    write(inRepository(name, `_manifests/tags/${tag}/current/link`), `sha256:${hex}`);
    return hex;
  };
  const descriptor = (hex: string) => ({ mediaType: "application/octet-stream", digest: `sha256:${hex}`, size: 1 });
  return {
    root,
    data,
    inRepository,
    put,
    layer,
    manifest,
    image(name, of, tag) {
      const config = put(`{"config":"${of}"}`);
      const layerHex = put(`layer of ${of}`);
      for (const hex of [config, layerHex]) layer(name, hex);
      const content = { schemaVersion: 2, config: descriptor(config), layers: [descriptor(layerHex)] };
      return { manifest: manifest(name, content, tag), config, layer: layerHex };
    },
    index: (name, children, tag) => manifest(name, { schemaVersion: 2, manifests: children.map(descriptor) }, tag),
  };
}

/** Everything is hashed unless told; the second look follows at once. */
export async function check(root: string, options: Partial<FsckOptions> = {}): Promise<FsckReport> {
  const { signal } = new AbortController();
  const team = createTeam(fsckTask, { signal, maximumThreads: 1 });
  return checkStore({ root, name: root }, team, fsckTask, {
    selection: { share: 1 },
    repair: false,
    keepMs: HOUR,
    settleMs: 0,
    now: () => new Date(),
    signal,
    removeTree,
    onProgress: () => undefined,
    ...options,
  });
}

/** Every path below the store and what it holds; the trash left out. */
export function contentOf(root: string): Record<string, string> {
  const content: Record<string, string> = {};
  for (const entry of readdirSync(join(root, "docker"), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isSymbolicLink()) content[path] = `link to ${readlinkSync(path)}`;
    else content[path] = entry.isFile() ? readFileSync(path, "latin1") : "";
  }
  return content;
}
