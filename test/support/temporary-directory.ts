import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/**
 * A new empty folder (mode 0700) that goes with the scope: `await using directory = temporaryDirectory()`, or in
 * `afterAll(() => directory[Symbol.asyncDispose]())`.
 */
export function temporaryDirectory(prefix = "regctl-test-"): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
