/** Which manifests of a repository something needs. Pure. */
import { hexOf } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";

/**
 * Everything reachable from the roots: through indexes to their manifests, and from a manifest to what is attached to it
 * (its referrers, by `subject`). Digests are hexadecimal; those not in `manifests` are reached, and lead nowhere.
 */
export function neededRevisions(
  roots: Iterable<string>,
  manifests: ReadonlyMap<string, ManifestReferences>,
): Set<string> {
  const attached = new Map<string, string[]>();
  for (const [hex, { subject }] of manifests) {
    const to = subject === undefined ? undefined : hexOf(subject);
    if (to === undefined) continue;
    const others = attached.get(to);
    if (others === undefined) attached.set(to, [hex]);
    else others.push(hex);
  }
  const needed = new Set<string>();
  const waiting = [...roots];
  for (let hex = waiting.pop(); hex !== undefined; hex = waiting.pop()) {
    if (needed.has(hex)) continue;
    needed.add(hex);
    for (const child of manifests.get(hex)?.children ?? []) {
      const childHex = hexOf(child);
      if (childHex !== undefined) waiting.push(childHex);
    }
    for (const referrer of attached.get(hex) ?? []) waiting.push(referrer);
  }
  return needed;
}
