/** Everything a deployment is, on disk and on the engine, in a form that two runs can be compared by. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { containersOfProject, networksOfProject } from "./e2e-engine-api.ts";
import type { Scenario } from "./scenario.ts";

/** Keys, hashes and times that no two runs share. */
function comparable(path: string, content: Buffer): string {
  const text = content.toString("utf8");
  if (path === "auth/htpasswd") return text.replace(/:.*$/gm, ":HASH");
  if (path === "registry/config.yml") return text.replace(/secret: [0-9a-f]{64}/, "secret: SECRET");
  if (path === "compose.yaml") return text.replace(/(io\.regctl\.(certificate|configuration)): \S+/g, "$1: HASH");
  if (path === ".regctl/lock") return text;
  if (/^\.regctl\/|^certs\/domain/.test(path)) return "";
  return createHash("sha256").update(content).digest("hex");
}

/** A line a file: path, mode, owner, and what of the content has to be the same. The cache of a checked regctl.yaml is none. */
async function files(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(directory, file);
      const { mode, uid, gid } = await stat(file);
      const content = entry.isFile() ? comparable(path, await readFile(file)) : "folder";
      return `${path} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${content}`;
    }),
  );
  return lines.filter((line) => !line.startsWith(".regctl/config.json ")).sort();
}

async function containers(name: string): Promise<string[]> {
  const found = await containersOfProject(name);
  return found
    .map(({ Names, State, Labels }) => {
      const labels = Object.entries(Labels)
        .filter(([key]) => !/^io\.regctl\.(certificate|configuration)$|config-hash$/.test(key))
        .map(([key, value]) => `${key}=${value}`);
      return `${Names.join()} ${State} ${labels.sort().join(" ")}`;
    })
    .sort();
}

export interface DeploymentState {
  readonly files: readonly string[];
  readonly containers: readonly string[];
  readonly networks: readonly string[];
}

export async function stateOf(place: Scenario): Promise<DeploymentState> {
  const [onDisk, running, joined] = await Promise.all([
    files(place.directory),
    containers(place.name),
    networksOfProject(place.name),
  ]);
  return { files: onDisk, containers: running, networks: joined };
}
