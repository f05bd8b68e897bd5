/** Both collectors on one store, and what each of them says it would delete. */
import { REGCTL } from "./machine.js";
import { run } from "./measure.js";

const MUCH = 20;

/** regctl's collector as a whole process; everything however young is looked at. */
export function collectWithRegctl(store, flags, options) {
  return run(REGCTL, ["gc", "--data", store, "--grace", "0", ...flags], options);
}

/** Digests of blobs and manifests that regctl would delete, sorted. */
export async function deletableByRegctl(store, flags = []) {
  const { stdout } = await collectWithRegctl(store, ["--dry-run", "--list", "--json", ...flags]);
  const { blobs, deletable } = JSON.parse(stdout).data;
  const manifests = deletable.manifests.map((name) => name.slice(name.lastIndexOf("@") + 1));
  return { marked: blobs.marked, blobs: deletable.blobs.toSorted(), manifests: [...new Set(manifests)].sort() };
}

/** The same of the registry's own collector, by what `list` of `withCollector` gives. */
export async function deletableByUpstream(list, flags = []) {
  const text = await list(flags);
  const digests = (what) =>
    [...text.matchAll(new RegExp(`^${what} eligible for deletion: (sha256:[0-9a-f]{64})$`, "gm"))]
      .map(([, digest]) => digest)
      .sort();
  const [, marked] = /^(\d+) blobs marked/m.exec(text) ?? [];
  return { marked: Number(marked), blobs: digests("blob"), manifests: [...new Set(digests("manifest"))].sort() };
}

function requireNone(digests, what) {
  if (digests.length === 0) return;
  throw new Error(`${digests.length} ${what}, such as\n${digests.slice(0, MUCH).join("\n")}`);
}

const without = (all, others) => {
  const known = new Set(others);
  return all.filter((digest) => !known.has(digest));
};

/** Throws unless both name the same blobs. */
export function requireSame(ours, theirs) {
  requireNone(without(ours.blobs, theirs.blobs), "blobs only regctl would delete");
  requireNone(without(theirs.blobs, ours.blobs), "blobs only the registry's collector would delete");
  if (ours.marked !== theirs.marked) throw new Error(`regctl marks ${ours.marked} blobs, not ${theirs.marked}`);
}

/** Throws when regctl would delete something the other keeps: 2.8's `-m` also deletes children of indexes that are kept. */
export function requireWithin(ours, theirs) {
  requireNone(without(ours.blobs, theirs.blobs), "blobs only regctl would delete");
  requireNone(without(ours.manifests, theirs.manifests), "manifests only regctl would delete");
}
