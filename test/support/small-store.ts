/** A registry's storage written piece by piece, so that a test says what is in it. */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Written {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const OCI = "application/vnd.oci.image";

export interface SmallStore {
  readonly root: string;
  /** Content of a blob, not linked by any repository. */
  blob(content: string | object, mediaType?: string): Written;
  /** A layer or configuration, linked by the repository. */
  layer(repository: string, content: string | object, mediaType?: string): Written;
  /** An image with these layers; `extra` is merged into the manifest. */
  image(
    repository: string,
    layers: readonly string[],
    extra?: { readonly config?: object; readonly manifest?: object },
  ): Written;
  manifest(repository: string, content: object, mediaType: string): Written;
  index(repository: string, children: readonly object[], extra?: object): Written;
  tag(repository: string, tag: string, manifest: Written | string, pushed?: Date): void;
  dataOf(digest: string): string;
  pathOf(...path: readonly string[]): string;
}

export function smallStore(root: string): SmallStore {
  const pathOf = (...path: readonly string[]) => join(root, "docker/registry/v2", ...path);
  const write = (path: string, content: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  const dataOf = (digest: string) => pathOf("blobs/sha256", digest.slice(7, 9), digest.slice(7), "data");
  mkdirSync(pathOf("repositories"), { recursive: true });
  mkdirSync(pathOf("blobs/sha256"), { recursive: true });

  const blob: SmallStore["blob"] = (content, mediaType = `${OCI}.layer.v1.tar+gzip`) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    write(dataOf(digest), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  };
  const layer: SmallStore["layer"] = (repository, content, mediaType) => {
    const written = blob(content, mediaType);
    write(pathOf("repositories", repository, "_layers/sha256", written.digest.slice(7), "link"), written.digest);
    return written;
  };
  const manifest: SmallStore["manifest"] = (repository, content, mediaType) => {
    const written = blob(content, mediaType);
    const revisions = pathOf("repositories", repository, "_manifests/revisions/sha256");
    write(join(revisions, written.digest.slice(7), "link"), written.digest);
    return written;
  };
  return {
    root,
    blob,
    layer,
    manifest,
    image(repository, layers, { config = {}, manifest: more = {} } = {}) {
      const platform = { os: "linux", architecture: "amd64" };
      const written = layer(
        repository,
        { ...platform, rootfs: { type: "layers", diff_ids: layers }, ...config },
        `${OCI}.config.v1+json`,
      );
      const mediaType = `${OCI}.manifest.v1+json`;
      const parts = layers.map((content) => layer(repository, content));
      return manifest(repository, { schemaVersion: 2, mediaType, config: written, layers: parts, ...more }, mediaType);
    },
    index(repository, children, extra = {}) {
      const mediaType = `${OCI}.index.v1+json`;
      return manifest(repository, { schemaVersion: 2, mediaType, manifests: children, ...extra }, mediaType);
    },
    tag(repository, tag, target, pushed) {
      const digest = typeof target === "string" ? target : target.digest;
      const folder = pathOf("repositories", repository, "_manifests/tags", tag);
      rmSync(join(folder, "current"), { recursive: true, force: true });
      write(join(folder, "current/link"), digest);
      if (digest.startsWith("sha256:")) write(join(folder, "index/sha256", digest.slice(7), "link"), digest);
      if (pushed !== undefined) utimesSync(join(folder, "current/link"), pushed, pushed);
    },
    dataOf,
    pathOf,
  };
}
