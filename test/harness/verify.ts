/** The judge of a schedule: everything a registry shows is whole, and everything clients were told is stored is there. */
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, type PushClient } from "../support/push-client.ts";
import type { Facts } from "./facts.ts";

const REPOSITORIES = "docker/registry/v2/repositories";
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Folders called `_manifests` below the store's repositories, by the repository's name. */
function repositoriesOn(root: string): string[] {
  const found: string[] = [];
  const visit = (folder: string, name: string) => {
    let entries: Dirent[] = [];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      if (entry.name === "_manifests") found.push(name);
      else if (!entry.name.startsWith("_"))
        visit(join(folder, entry.name), name === "" ? entry.name : `${name}/${entry.name}`);
    }
  };
  visit(join(root, REPOSITORIES), "");
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function hasLink(folder: string): boolean {
  try {
    return readFileSync(join(folder, "link")).length > 0;
  } catch {
    return false;
  }
}

interface Puller {
  /** undefined = whole; `404` = the registry does not know it; else what is wrong. */
  pull(repository: string, digest: string): Promise<string | undefined>;
}

function puller(client: PushClient): Puller {
  const seen = new Map<string, Promise<string | undefined>>();
  const once = (key: string, look: () => Promise<string | undefined>) => {
    const result = seen.get(key) ?? look();
    seen.set(key, result);
    return result;
  };
  const hashed = new Set<string>();
  const blob = (repository: string, digest: string) =>
    once(`${repository} blob ${digest}`, async () => {
      // The content is the same in every repository; whether it is to be had is not.
      const isHashed = hashed.has(digest);
      const answer = await client
        .send(isHashed ? "HEAD" : "GET", `/v2/${repository}/blobs/${digest}`)
        .catch((error: Error) => ({ status: error.message, body: Buffer.alloc(0) }));
      if (answer.status !== 200) return `blob ${digest}: ${answer.status}`;
      if (isHashed) return undefined;
      hashed.add(digest);
      return digestOf(answer.body) === digest ? undefined : `blob ${digest} has other content`;
    });
  const pull = (repository: string, digest: string): Promise<string | undefined> =>
    once(`${repository} ${digest}`, async () => {
      const { status, body } = await client.send("GET", `/v2/${repository}/manifests/${digest}`, {
        headers: { accept: ACCEPT },
      });
      if (status === 404) return "404";
      if (status !== 200) return `manifest ${digest}: ${status} ${body}`;
      if (digestOf(body) !== digest) return `manifest ${digest} has other content`;
      const { config, layers = [], manifests = [] } = JSON.parse(String(body));
      const parts = await Promise.all([
        ...manifests.map(async (child: { digest: string }) => {
          const wrong = await pull(repository, child.digest);
          return wrong === undefined ? undefined : `child ${child.digest}: ${wrong}`;
        }),
        ...[...(config === undefined ? [] : [config]), ...layers].map((one: { digest: string }) =>
          blob(repository, one.digest),
        ),
      ]);
      const wrong = parts.filter((part) => part !== undefined);
      return wrong.length === 0 ? undefined : wrong.join(", ");
    });
  return { pull };
}

/** What is lost or half there, in words; empty = nothing. */
export async function findLosses(root: string, client: PushClient, facts: Facts): Promise<string[]> {
  const { pull } = puller(client);
  const losses: string[] = [];
  for (const repository of repositoriesOn(root)) {
    const revisions = join(root, REPOSITORIES, repository, "_manifests/revisions/sha256");
    for (const hex of namesIn(revisions)) {
      if (!hasLink(join(revisions, hex))) continue;
      const wrong = await pull(repository, `sha256:${hex}`);
      const isIncomplete = facts.incomplete.has(`${repository}@sha256:${hex}`);
      if (wrong !== undefined && wrong !== "404" && !isIncomplete)
        losses.push(`half: ${repository}@sha256:${hex}: ${wrong}`);
    }
  }
  for (const [repository, { revisions, tags }] of facts.repositories) {
    for (const [digest, certainty] of revisions) {
      if (certainty === "may") continue;
      const wrong = await pull(repository, digest);
      if (wrong !== undefined) losses.push(`lost: ${repository}@${digest}: ${wrong}`);
    }
    for (const [tag, { digests, certainty }] of tags) {
      const path = `/v2/${repository}/manifests/${tag}`;
      const { status, headers } = await client.send("HEAD", path, { headers: { accept: ACCEPT } });
      if (status === 404 && certainty === "may") continue;
      const digest = String(headers["docker-content-digest"]);
      if (status !== 200) losses.push(`lost: ${repository}:${tag} (${[...digests]}): ${status}`);
      else if (!digests.has(digest)) losses.push(`${repository}:${tag} is ${digest}, not ${[...digests]}`);
      else {
        const wrong = await pull(repository, digest);
        const isIncomplete = certainty === "may" && facts.incomplete.has(`${repository}@${digest}`);
        if (wrong !== undefined && !isIncomplete) losses.push(`half: ${repository}:${tag} (${digest}): ${wrong}`);
      }
    }
  }
  return losses;
}
