import { REPOSITORIES, type Store } from "../storage/layout.ts";
import { walkRepositories } from "../storage/repositories.ts";

/** In the catalog's order. A folder in which only uploads were begun is no repository yet: no registry lists it. */
export function repositoryNames({ root }: Store): string[] {
  const names: string[] = [];
  for (const { name, parts } of walkRepositories(`${root}/${REPOSITORIES}`)) {
    if (parts.includes("_manifests") || parts.includes("_layers")) names.push(name);
  }
  return names;
}
