/**
 * What a registry that is killed may leave half written by itself: 2.x writes links and manifests in place. It would blame a
 * collector for the loss, so it is put right before the registry starts again.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf } from "../support/push-client.ts";

const V2 = "docker/registry/v2";

/** The store's tree, and those in the trash: what is removed may be written to at that very moment. */
function trees(root: string): string[] {
  try {
    return [V2, ...readdirSync(join(root, "regctl-trash")).map((id) => join("regctl-trash", id, V2))];
  } catch {
    return [V2];
  }
}

/** Gives back the paths it mended, relative to the store. */
export function mendHalfWritten(root: string): string[] {
  return trees(root).flatMap((tree) => mendTree(root, tree));
}

function mendTree(root: string, tree: string): string[] {
  const mended: string[] = [];
  const files = (folder: string) => {
    try {
      return readdirSync(join(root, tree, folder), { recursive: true, encoding: "utf8" }).map((path) =>
        join(tree, folder, path),
      );
    } catch {
      return [];
    }
  };
  const read = (path: string): Buffer | undefined => {
    try {
      return readFileSync(join(root, path));
    } catch {
      return undefined;
    }
  };
  for (const path of files("blobs")) {
    if (basename(path) !== "data") continue;
    const content = read(path);
    const hex = basename(dirname(path));
    if (content === undefined || digestOf(content) === `sha256:${hex}`) continue;
    rmSync(join(root, dirname(path)), { recursive: true, force: true });
    mended.push(path);
  }
  for (const path of files("repositories")) {
    if (basename(path) !== "link" || read(path)?.length !== 0) continue;
    const hex = basename(dirname(path));
    // Its folder says what it meant; what a tag pointed at nobody knows.
    if (/^[0-9a-f]{64}$/.test(hex)) writeFileSync(join(root, path), `sha256:${hex}`);
    else rmSync(join(root, dirname(dirname(path))), { recursive: true, force: true });
    mended.push(path);
  }
  return mended;
}
