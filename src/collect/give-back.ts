/** After manifests were moved to the trash: which of them were pushed or tagged again meanwhile, and get their place back. */
import { openIndex } from "../storage/blob-index.ts";
import { repositoryFolder, revisionsFolder, type Store } from "../storage/layout.ts";
import type { UnneededRevision } from "./mark.ts";
import { recheckRepository } from "./recheck.ts";
import { restorePath } from "./restore.ts";
import { entryFolder } from "./trash-entry.ts";

/** `moved` by repository, with when each was linked as it was decided about. Gives back `repository@hex` of those that returned. */
export function giveBackRevisions(
  store: Store,
  id: string,
  moved: ReadonlyMap<string, readonly UnneededRevision[]>,
): string[] {
  const nothing = openIndex([]);
  const returned: string[] = [];
  for (const [name, setAside] of moved) {
    const { revisions } = recheckRepository(
      { name, folder: repositoryFolder(name), trashed: [] },
      {
        root: store.root,
        entry: entryFolder(id),
        known: nothing,
        aside: nothing,
        setAside,
        since: Number.POSITIVE_INFINITY,
      },
    );
    for (const hex of revisions) {
      restorePath(store, id, `${revisionsFolder(repositoryFolder(name))}/${hex}`);
      returned.push(`${name}@${hex}`);
    }
  }
  return returned;
}
