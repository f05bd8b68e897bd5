import { hexOf, tagsFolder } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import { readLink } from "../storage/small-file.ts";

/** What the tags in a repository's folder point at, hexadecimal; a tag that does not say is passed over. */
export function tagTargets(root: string, folder: string): string[] {
  const targets: string[] = [];
  for (const tag of namesIn(`${root}/${tagsFolder(folder)}`)) {
    const hex = hexOf(readLink(`${root}/${tagsFolder(folder)}/${tag}/current`) ?? "");
    if (hex !== undefined) targets.push(hex);
  }
  return targets;
}
