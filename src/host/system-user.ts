import { readFileSync } from "node:fs";
import { RegctlError, systemCodeOf } from "../errors.ts";

/** The uid most unprivileged images use; above every range useradd hands out, below `nobody`. */
const FIRST_UID = 65532;
const LAST_UID = 60000;

/**
 * A number that is neither a user nor a group of this host, for containers regctl starts as root: what they write
 * belongs to nobody else. 65532, or the next lower free one.
 */
export function unprivilegedUid(etcDirectory = "/etc"): number {
  const taken = new Set([...idsIn(`${etcDirectory}/passwd`), ...idsIn(`${etcDirectory}/group`)]);
  for (let uid = FIRST_UID; uid >= LAST_UID; uid -= 1) if (!taken.has(uid)) return uid;
  throw new RegctlError("precondition-failed", `every uid from ${LAST_UID} to ${FIRST_UID} is taken on this host`);
}

/** Both files keep the number in the third field, passwd(5) and group(5); passwd's fourth is a group's number. */
function idsIn(path: string): number[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line) => line.split(":").slice(2, 4))
      .filter((field) => /^\d+$/.test(field))
      .map(Number);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}
