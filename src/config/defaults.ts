/** Values regctl takes when regctl.yaml is silent; each is one decision a newcomer should not have to make. */
import { basename } from "node:path";
import type { WrittenConfig } from "./schema.ts";

export const DEFAULT_IMAGE = "registry:2";
export const DEFAULT_PORT = 5000;
export const DEFAULT_DOMAIN = "localhost";
export const DEFAULT_BCRYPT_COST = 10;
export const LEAF_LIFETIME_DAYS = 397;
export const DRAIN_SECONDS = 30;
/** Longer than the drain, so that the engine never cuts an upload the registry still waits for. */
export const STOP_TIMEOUT_SECONDS = 35;

/** A deployment name made of a folder's name; `registry` when nothing usable is left. */
export function nameFromDirectory(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return name === "" ? "registry" : name;
}

/** Published everywhere only when strangers are kept out: engine-published ports bypass the host's firewall. */
export function defaultBind(written: WrittenConfig): string {
  const open = written.tls?.mode === "none" || written.auth?.mode === "none";
  return open && written.insecure !== true ? "127.0.0.1" : "0.0.0.0";
}
