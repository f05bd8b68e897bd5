/** The mark of a run of the registry's own collector: written before the first change, gone after the last. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readIfExists, replaceFile, syncDirectory } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { ownSecret } from "./owners.ts";

export interface CollectionMark {
  /** RFC 3339. */
  readonly since: string;
  /** The registry was, or may have been, made read-only for it. */
  readonly readOnly: boolean;
}

export async function markCollection(directory: string, mark: CollectionMark): Promise<void> {
  await replaceFile(directory, ownSecret(FILES.collection, `${JSON.stringify(mark)}\n`));
}

/** undefined = there is none; one that cannot be read is taken for the worse. */
export async function readCollectionMark(directory: string): Promise<CollectionMark | undefined> {
  const text = await readIfExists(join(directory, FILES.collection));
  if (text === undefined) return undefined;
  try {
    const { since, readOnly } = JSON.parse(text) as Partial<CollectionMark>;
    return { since: String(since), readOnly: readOnly !== false };
  } catch {
    return { since: "", readOnly: true };
  }
}

export async function clearCollectionMark(directory: string): Promise<void> {
  await rm(join(directory, FILES.collection), { force: true });
  await syncDirectory(join(directory, FILES.state));
}
