import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun, runProgram } from "./run-program.ts";
import { writeTar } from "./tar.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface TinyImage extends AsyncDisposable {
  /** On this host's engine. */
  readonly reference: string;
  /** `sha256:…`: the same wherever the image is pulled to. */
  readonly id: string;
  /** `docker save`s it to a file. */
  save(file: string): Promise<void>;
}

/** An image of one small file nobody has seen before, so that a push of it really uploads and a pull really downloads. */
export async function tinyImage(): Promise<TinyImage> {
  const reference = `regctl-test/tiny:${randomBytes(6).toString("hex")}`;
  await using folder = temporaryDirectory("regctl-test-tiny-");
  const archive = join(folder.path, "root.tar");
  await writeFile(archive, writeTar([["content", randomBytes(64 * 1024)]]));
  const { stdout } = await mustRun("docker", ["import", archive, reference]);
  return {
    reference,
    id: stdout.trim(),
    async save(file) {
      await mustRun("docker", ["save", "--output", file, reference]);
    },
    async [Symbol.asyncDispose]() {
      await runProgram("docker", ["image", "rm", "--force", reference]);
    },
  };
}
