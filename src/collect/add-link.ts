/** Writes a link of the registry where there is none. */
import { linkSync, lstatSync, mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import { systemCodeOf } from "../errors.ts";
import { digestOf } from "../storage/layout.ts";

/** What a link says follows from its place; it appears whole or not at all, and never over another. */
export function addLink(folder: string, hex: string): boolean {
  if (lstatSync(`${folder}/link`, { throwIfNoEntry: false }) !== undefined) return false;
  mkdirSync(folder, { recursive: true });
  const draft = `${folder}/link.regctl`;
  writeFileSync(draft, digestOf(hex), { mode: 0o644 });
  try {
    linkSync(draft, `${folder}/link`);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}
