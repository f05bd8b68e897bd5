import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RunCommand } from "../host/command.ts";
import { writeImageArchive } from "./archive.ts";
import { type DownloadedPackage, downloadPackages } from "./download.ts";
import type { ImageRecipe } from "./recipe.ts";
import { buildRootfs, readHostBundle } from "./rootfs.ts";
import { requireSpace, toAssembleError } from "./space.ts";
import { mustRunTool } from "./tool.ts";
import { upstreamVersion } from "./version.ts";
import { createWorkPlace } from "./work-directory.ts";

export type AssembleStep = "download" | "refresh-lists" | "unpack" | "pack";

export interface AssembleOptions {
  readonly run: RunCommand;
  /** A cache folder of the user's, created when missing; takes about 120 MB while an image is made. */
  readonly workDirectory: string;
  /** Where apt's package lists are looked for first; default the system's, `/var/lib/apt/lists`. */
  readonly aptDirectory?: string | undefined;
  /** The host's `ID` in os-release, the end of the tag; default `debian`. */
  readonly distribution?: string | undefined;
  /** Extra environment of apt: the proxy variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((step: AssembleStep) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AssembledImage {
  /** For `docker load`. The caller removes it; the next run removes it when the caller was killed. */
  readonly archivePath: string;
  /** `regctl/registry:2.8.2-debian`. */
  readonly reference: string;
  /** `sha256:…` of the configuration: the same packages and host certificates give the same id. */
  readonly imageId: string;
  readonly packages: readonly Omit<DownloadedPackage, "path">[];
}

/** What dpkg calls an architecture, and what Go and so the engine does. */
const GOARCH: Readonly<Record<string, string>> = { armhf: "arm", i386: "386", ppc64el: "ppc64le" };

/**
 * Makes an image from the distribution's packages, without root, without a base image, with nothing installed and no
 * system state written. What was unpacked is removed on success and on failure.
 *
 * Rejects with RegctlError `image-unavailable` (no Debian-like host, no mirror reached), `disk-full`,
 * `permission-denied` (the cache folder), `interrupted`.
 */
export async function assembleImage(recipe: ImageRecipe, options: AssembleOptions): Promise<AssembledImage> {
  const { run, signal, onProgress } = options;
  // apt and tar run in folders of their own.
  const workDirectory = resolve(options.workDirectory);
  const aptDirectory = options.aptDirectory === undefined ? undefined : resolve(options.aptDirectory);
  try {
    const place = await createWorkPlace(workDirectory);
    try {
      const { directory } = place;
      await requireSpace(workDirectory);
      const dpkgArchitecture = await mustRunTool(run, "dpkg", ["--print-architecture"], { directory, signal });
      onProgress?.("download");
      const packages = await downloadPackages(await packagesOf(recipe), {
        ...options,
        aptDirectory,
        directory: await subdirectory(directory, "apt"),
        onRefresh: () => onProgress?.("refresh-lists"),
      });
      onProgress?.("unpack");
      const root = join(directory, "root");
      const created = await buildRootfs(recipe, packages, { run, root, signal });
      onProgress?.("pack");
      const version = upstreamVersion(packages[0]!.version);
      const reference = `${recipe.repository}:${version}-${options.distribution ?? "debian"}`;
      const { archivePath, imageId } = await writeImageArchive({
        run,
        root,
        directory: await subdirectory(directory, "image"),
        reference,
        architecture: toGoArchitecture(dpkgArchitecture.trim()),
        created,
        config: { ...recipe.config, Labels: labelsOf(recipe, version, packages) },
        signal,
      });
      await rename(archivePath, place.archivePath);
      return {
        archivePath: place.archivePath,
        reference,
        imageId,
        packages: packages.map(({ path: _, ...rest }) => rest),
      };
    } finally {
      await rm(place.directory, { recursive: true, force: true });
    }
  } catch (error) {
    throw toAssembleError(error, workDirectory);
  }
}

async function packagesOf(recipe: ImageRecipe): Promise<string[]> {
  const needsTrust = recipe.trust !== undefined && (await readHostBundle(recipe.trust)) === undefined;
  return [...recipe.packages, ...(needsTrust ? [recipe.trust.package] : [])];
}

function labelsOf(
  recipe: ImageRecipe,
  version: string,
  packages: readonly DownloadedPackage[],
): Record<string, string> {
  return {
    "io.regctl.packages": packages.map(({ name, version: full }) => `${name}=${full}`).join(" "),
    "org.opencontainers.image.description": recipe.description,
    "org.opencontainers.image.source": recipe.source,
    "org.opencontainers.image.title": recipe.title,
    "org.opencontainers.image.version": version,
  };
}

function toGoArchitecture(dpkgArchitecture: string): string {
  return GOARCH[dpkgArchitecture] ?? dpkgArchitecture;
}

async function subdirectory(parent: string, name: string): Promise<string> {
  const path = join(parent, name);
  await mkdir(path, { mode: 0o755 });
  return path;
}
