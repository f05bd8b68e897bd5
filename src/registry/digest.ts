import { createHash } from "node:crypto";

/** `sha256:…` of the bytes, or of another algorithm (`sha384`, `sha512`). */
export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Whether the bytes are what this digest names; the digest must be a valid one. */
export function hasDigest(bytes: Uint8Array, digest: string): boolean {
  return digestOf(bytes, digest.slice(0, digest.indexOf(":"))) === digest;
}
