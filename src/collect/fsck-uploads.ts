/** Uploads that nobody will finish. */
import { lstatSync } from "node:fs";
import { uploadsFolder } from "../storage/layout.ts";
import { readSmallFile } from "../storage/small-file.ts";
import type { Look } from "./fsck-look.ts";
import { LEFTOVER_MS } from "./fsck-revisions.ts";

/** As long as distribution waits before it purges one by itself. */
const STALE_UPLOAD_MS = 7 * 86_400_000;

function startOf(path: string): number | undefined {
  try {
    const started = Date.parse(readSmallFile(`${path}/startedat`)?.toString("latin1") ?? "");
    return Number.isNaN(started) ? undefined : started;
  } catch {
    return undefined;
  }
}

export function checkUploads(look: Look): void {
  const parent = uploadsFolder(look.folder);
  for (const id of look.folders(parent)) {
    const folder = `${parent}/${id}`;
    const path = `${look.root}/${folder}`;
    const days = daysGivenUp(path, look.nowMs);
    if (days === undefined) continue;
    const writtenMs = lastWritten(path);
    look.report("stale-upload", `an upload to ${look.shown} was given up ${days} days ago`, {
      path: folder,
      repair: { how: "set-aside", paths: [folder], given: { upload: folder, writtenMs } },
    });
  }
}

/** Since how many days nobody goes on with the upload in that folder; undefined = somebody may still. */
export function daysGivenUp(path: string, nowMs: number): number | undefined {
  const writtenMs = lastWritten(path);
  const begunMs = startOf(path) ?? writtenMs;
  if (nowMs - begunMs < STALE_UPLOAD_MS || nowMs - writtenMs < LEFTOVER_MS) return undefined;
  return Math.floor((nowMs - begunMs) / 86_400_000);
}

/** When an upload's folder was last written to, in ms since 1970. */
export function lastWritten(path: string): number {
  const times = [path, `${path}/data`].map((each) => lstatSync(each, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.max(...times);
}
