/** The mark of an `init` that has not shown its closing block yet: until then nobody knows the password, and it may begin anew. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, type FileChange, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { ownSecret } from "./owners.ts";

function hashOf(configText: string): string {
  return createHash("sha256").update(configText).digest("hex");
}

export function unfinishedMark(configText: string): FileChange {
  return ownSecret(FILES.unfinishedInit, `${hashOf(configText)}\n`);
}

export async function isMarkedUnfinished(directory: string): Promise<boolean> {
  return exists(join(directory, FILES.unfinishedInit));
}

/** A deployment that is anybody's by now: finished, or edited since `init` wrote it. */
export async function isDeployment(directory: string): Promise<boolean> {
  const config = await readIfExists(join(directory, FILES.config));
  if (config === undefined) return false;
  const mark = await readIfExists(join(directory, FILES.unfinishedInit));
  return mark?.trim() !== hashOf(config);
}

/** Resolves to whether there was a mark. */
export async function clearUnfinishedMark(directory: string): Promise<boolean> {
  const wasMarked = await isMarkedUnfinished(directory);
  await rm(join(directory, FILES.unfinishedInit), { force: true });
  return wasMarked;
}
