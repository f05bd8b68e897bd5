import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunCommand } from "../host/command.ts";
import { downloadError, mustRunTool, runTool } from "./tool.ts";

export interface DownloadedPackage {
  readonly name: string;
  /** Debian's version: `2.8.2+ds1-1`. */
  readonly version: string;
  /** Of the `.deb`, 64 hex digits. */
  readonly sha256: string;
  readonly path: string;
}

export interface DownloadOptions {
  readonly run: RunCommand;
  /** An empty folder for everything apt writes. */
  readonly directory: string;
  /** Where apt's package lists are looked for first; default the system's. */
  readonly aptDirectory?: string | undefined;
  /** Extra environment of apt: the proxy variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onRefresh?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `apt-get download` of the candidate versions, in the order asked for; apt checks each against the signed lists. When
 * the lists are missing or older than the mirror, fresh ones are fetched into `directory`: the system's are never written.
 */
export async function downloadPackages(
  packages: readonly string[],
  options: DownloadOptions,
): Promise<DownloadedPackage[]> {
  const { run, directory, env, signal } = options;
  const debs = join(directory, "debs");
  await mkdir(debs, { recursive: true });
  const apt = async (configuration: string, args: readonly string[]) =>
    runTool(run, "apt-get", ["-c", configuration, "-q", ...args], {
      cwd: debs,
      env: { DEBIAN_FRONTEND: "noninteractive", ...env },
      signal,
    });

  const first = await apt(await writeConfiguration(directory, options.aptDirectory), ["download", ...packages]);
  if (first.exitCode !== 0) {
    options.onRefresh?.();
    const configuration = await writeConfiguration(directory, join(directory, "lists"));
    const update = await apt(configuration, ["update"]);
    const second = await apt(configuration, ["download", ...packages]);
    if (second.exitCode !== 0) throw await downloadError(packages, `${update.stderr}\n${second.stderr}`, directory);
  }
  const found = new Map<string, DownloadedPackage>();
  for (const file of await readdir(debs)) {
    const path = join(debs, file);
    const fields = await mustRunTool(run, "dpkg-deb", ["--field", path, "Package", "Version"], { directory, signal });
    const name = /^Package: (.*)$/m.exec(fields)?.[1] ?? "";
    const version = /^Version: (.*)$/m.exec(fields)?.[1] ?? "";
    found.set(name, {
      name,
      version,
      sha256: createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
      path,
    });
  }
  const missing = packages.filter((name) => !found.has(name));
  if (missing.length > 0) throw await downloadError(missing, "apt-get delivered nothing", directory);
  return packages.map((name) => found.get(name)!);
}

/**
 * Read after the system's configuration, so mirrors, proxies and pins hold; but the caches are our own, and the update
 * hooks of packagekit, appstream and the like, which write system state, do not run.
 */
async function writeConfiguration(directory: string, listsDirectory: string | undefined): Promise<string> {
  const cache = join(directory, "cache");
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  const lines = [
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    "#clear DPkg::Post-Invoke;",
    `Dir::Cache "${cache}";`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Acquire::GzipIndexes "true";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
  ];
  if (listsDirectory !== undefined) {
    await mkdir(join(listsDirectory, "partial"), { recursive: true });
    lines.push(`Dir::State::lists "${listsDirectory}";`);
  }
  const path = join(directory, "apt.conf");
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}
