/** What distribution's `garbage-collect` writes, 2.x and 3.x (registry/storage/garbagecollect.go), as a value. */
import type { LogLine } from "../engine/engine.ts";

export interface CollectorOutput {
  /** From the line that only a run to the end of its mark writes: without it nothing was collected, whatever the exit code. */
  readonly proof: { readonly marked: number; readonly blobs: number; readonly manifests: number } | undefined;
  readonly repositories: number;
  /** Manifests it found and kept. */
  readonly markedManifests: number;
  /** Digests, and `repository@digest`. */
  readonly deletable: { readonly blobs: readonly string[]; readonly manifests: readonly string[] };
  /** The end of what it wrote to stderr, without what it deletes. */
  readonly complaints: readonly string[];
}

const PROOF = /^(\d+) blobs marked, (\d+) blobs and (\d+) manifests eligible for deletion$/;
const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;
const BLOB = /^blob eligible for deletion: (\S+)$/;
/** 2.x names the digest alone, 3.x `{team/app sha256:… [tags]}`. */
const MANIFEST = /^manifest eligible for deletion: (?:\{(\S+) (\S+) \[.*\]\}|(\S+))$/;
const MARKED = /: marking manifest \S+\s*$/;
const KEPT_COMPLAINTS = 60;

interface Counts {
  proof: CollectorOutput["proof"];
  repository: string;
  repositories: number;
  markedManifests: number;
  readonly blobs: string[];
  readonly manifests: string[];
}

function take(line: string, found: Counts): void {
  if (MARKED.test(line)) {
    found.markedManifests += 1;
    return;
  }
  const blob = BLOB.exec(line);
  if (blob !== null) {
    found.blobs.push(blob[1] as string);
    return;
  }
  const manifest = MANIFEST.exec(line);
  if (manifest !== null) {
    found.manifests.push(`${manifest[1] ?? found.repository}@${manifest[2] ?? manifest[3]}`);
    return;
  }
  const proof = PROOF.exec(line);
  if (proof !== null) {
    const [marked = 0, blobs = 0, manifests = 0] = proof.slice(1).map(Number);
    found.proof = { marked, blobs, manifests };
    return;
  }
  if (!REPOSITORY.test(line)) return;
  found.repository = line;
  found.repositories += 1;
}

/** Reads to the end; `onProgress` is told the manifests marked so far, then the blobs deleted. Rejects as the source does. */
export async function readCollectorOutput(
  source: AsyncIterable<LogLine>,
  onProgress: (what: string, done: number) => void,
): Promise<CollectorOutput> {
  const found: Counts = {
    ...{ proof: undefined, repository: "", repositories: 0, markedManifests: 0 },
    ...{ blobs: [], manifests: [] },
  };
  const rest = { stdout: "", stderr: "" };
  let complaints: string[] = [];
  const complain = (line: string): void => {
    if (line.trim() === "" || /level=(info|debug)\b/.test(line)) return;
    complaints.push(line);
    if (complaints.length > 2 * KEPT_COMPLAINTS) complaints = complaints.slice(-KEPT_COMPLAINTS);
  };
  for await (const { stream, data } of source) {
    const lines = (rest[stream] + data.toString("utf8")).split("\n");
    rest[stream] = lines.pop() ?? "";
    for (const line of lines) stream === "stdout" ? take(line, found) : complain(line);
    if (found.proof === undefined) onProgress("mark manifests", found.markedManifests);
    else onProgress("delete blobs", found.blobs.length);
  }
  take(rest.stdout, found);
  complain(rest.stderr);
  return {
    proof: found.proof,
    repositories: found.repositories,
    markedManifests: found.markedManifests,
    deletable: { blobs: found.blobs, manifests: found.manifests },
    complaints: complaints.slice(-KEPT_COMPLAINTS),
  };
}
