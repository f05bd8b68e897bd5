import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TemporaryDirectory } from "./temporary-directory.ts";

/** A temporary folder in memory where the machine has such a place: what waits for a disk thousands of times takes minutes. */
export function memoryFolder(prefix = "regctl-test-"): TemporaryDirectory {
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), prefix));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
