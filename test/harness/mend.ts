/**
 * What a registry that is killed may leave half written by itself: 2.x writes links and manifests in place. It would blame a
 * collector for the loss, so it is put right before the registry starts again.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf } from "../support/push-client.ts";

const V2 = "docker/registry/v2";

/** Gives back the paths it mended, relative to the store. */
export function mendHalfWritten(root: string): string[] {
  const mended: string[] = [];
  const files = (folder: string) => {
    try {
      return readdirSync(join(root, V2, folder), { recursive: true, encoding: "utf8" }).map(
        (path) => `${folder}/${path}`,
      );
    } catch {
      return [];
    }
  };
  const read = (path: string): Buffer | undefined => {
    try {
      return readFileSync(join(root, V2, path));
    } catch {
      return undefined;
    }
  };
  for (const path of files("blobs")) {
    if (basename(path) !== "data") continue;
    const content = read(path);
    const hex = basename(dirname(path));
    if (content === undefined || digestOf(content) === `sha256:${hex}`) continue;
    rmSync(join(root, V2, dirname(path)), { recursive: true, force: true });
    mended.push(path);
  }
  for (const path of files("repositories")) {
    if (basename(path) !== "link" || read(path)?.length !== 0) continue;
    const hex = basename(dirname(path));
    // Its folder says what it meant; what a tag pointed at nobody knows.
    if (/^[0-9a-f]{64}$/.test(hex)) writeFileSync(join(root, V2, path), `sha256:${hex}`);
    else rmSync(join(root, V2, dirname(dirname(path))), { recursive: true, force: true });
    mended.push(path);
  }
  return mended;
}
