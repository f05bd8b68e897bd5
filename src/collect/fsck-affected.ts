/** Which tags suffer when a manifest or blob does. Pure. */
import { digestOf, hexOf } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { type Finding, shownName } from "./fsck-finding.ts";

/** Manifests by hexadecimal digest. */
export type Manifests = ReadonlyMap<string, ManifestReferences>;

/** Tags by the manifest (hexadecimal) they lead to, through indexes as well. */
export function tagsByManifest(targets: ReadonlyMap<string, string>, manifests: Manifests): Map<string, string[]> {
  const tagged = new Map<string, string[]>();
  for (const [tag, target] of targets) {
    const reached = new Set<string>();
    const waiting = [target];
    for (let hex = waiting.pop(); hex !== undefined; hex = waiting.pop()) {
      if (reached.has(hex)) continue;
      reached.add(hex);
      const tags = tagged.get(hex);
      if (tags === undefined) tagged.set(hex, [tag]);
      else tags.push(tag);
      for (const child of manifests.get(hex)?.children ?? []) {
        const childHex = hexOf(child);
        if (childHex !== undefined) waiting.push(childHex);
      }
    }
  }
  return tagged;
}

export interface Affected {
  /** `team/app:1.0 and 2 more tags`, or `team/app@sha256:…` of what has no tag. */
  readonly shown: string;
  /** `need` or `needs`. */
  readonly verb: (plural: string) => string;
  readonly where: Pick<Finding, "tag" | "tags">;
}

/** Names what needs these manifests (hexadecimal) of a repository. */
export function affectedBy(
  repository: string,
  hexes: readonly string[],
  tagged: ReadonlyMap<string, readonly string[]>,
): Affected {
  const tags = [...new Set(hexes.flatMap((hex) => tagged.get(hex) ?? []))].sort();
  const [tag] = tags;
  const more = tags.length - 1;
  const verb = (plural: string): string => (more > 0 ? plural : `${plural}s`);
  if (tag === undefined) return { shown: `${shownName(repository)}@${digestOf(hexes[0] as string)}`, verb, where: {} };
  const others = more === 0 ? "" : ` and ${more} more tag${more === 1 ? "" : "s"}`;
  return { shown: `${shownName(`${repository}:${tag}`)}${others}`, verb, where: more === 0 ? { tag } : { tag, tags } };
}
