import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RunCommand } from "../host/command.ts";
import type { ImageConfig } from "./recipe.ts";
import { mustRunTool } from "./tool.ts";

/** Nothing of the machine, the user or the moment may get in: the image's id is the hash of these bytes. */
const DETERMINISTIC = [
  "--sort=name",
  "--mtime=@0",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--format=ustar",
] as const;

export interface ArchiveOptions {
  readonly run: RunCommand;
  readonly root: string;
  /** An empty folder to work in. */
  readonly directory: string;
  readonly reference: string;
  /** GOARCH. */
  readonly architecture: string;
  readonly created: Date;
  readonly config: ImageConfig & { readonly Labels: Readonly<Record<string, string>> };
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes what `docker save` writes for an image of one layer
 * (https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format).
 */
export async function writeImageArchive(options: ArchiveOptions): Promise<{ archivePath: string; imageId: string }> {
  const { run, directory, signal } = options;
  const content = join(directory, "content");
  const archivePath = join(directory, "image.tar");
  await mkdir(content);
  await mustRunTool(run, "tar", ["-C", options.root, ...DETERMINISTIC, "-cf", join(content, "layer.tar"), "."], {
    directory,
    signal,
  });

  const created = options.created.toISOString().replace(".000Z", "Z");
  const config = JSON.stringify({
    architecture: options.architecture,
    config: options.config,
    created,
    history: [{ created, created_by: "regctl images build" }],
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${await sha256OfFile(join(content, "layer.tar"))}`] },
  });
  const digest = createHash("sha256").update(config).digest("hex");
  const manifest = [{ Config: `${digest}.json`, RepoTags: [options.reference], Layers: ["layer.tar"] }];
  await writeFile(join(content, `${digest}.json`), config, { mode: 0o644 });
  await writeFile(join(content, "manifest.json"), JSON.stringify(manifest), { mode: 0o644 });
  await mustRunTool(
    run,
    "tar",
    [
      "-C",
      content,
      ...DETERMINISTIC,
      "--mode=0644",
      "-cf",
      archivePath,
      "manifest.json",
      `${digest}.json`,
      "layer.tar",
    ],
    {
      directory,
      signal,
    },
  );
  return { archivePath, imageId: `sha256:${digest}` };
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
