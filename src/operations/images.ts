/** Images of deployments: listing them, and carrying them across an air gap as checksummed `docker save` archives. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { formatBytes } from "../bytes.ts";
import { DEFAULT_IMAGE } from "../config/defaults.ts";
import { listDeployments } from "../deployment/observed.ts";
import { RegctlError } from "../errors.ts";
import { exists, fileError, readIfExists, syncDirectory } from "../project/files.ts";
import { isAssembled } from "./obtain-image.ts";
import type { OperationPorts } from "./ports.ts";
import { withStep } from "./with-step.ts";

export interface ListedImage {
  readonly reference: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly created: string;
  /** Names of the deployments whose containers use it. */
  readonly usedBy: readonly string[];
}

/** Images a deployment on this engine uses, ones regctl assembled, and the default one. */
export async function listImages(ports: OperationPorts): Promise<ListedImage[]> {
  const engine = await ports.engine();
  const [images, deployments] = await Promise.all([
    engine.images.list({ signal: ports.signal }),
    listDeployments(engine, { signal: ports.signal }),
  ]);
  return images
    .flatMap((image) =>
      image.tags.map((reference) => ({
        reference,
        id: image.id,
        sizeBytes: image.sizeBytes,
        created: image.created,
        usedBy: deployments
          .filter(({ containers }) => containers.some((container) => container.image === reference))
          .map(({ name }) => name),
      })),
    )
    .filter((image) => image.usedBy.length > 0 || isAssembled(image.reference) || image.reference === DEFAULT_IMAGE)
    .sort((a, b) => a.reference.localeCompare(b.reference));
}

export interface SavedImages {
  readonly file: string;
  readonly checksumFile: string;
  readonly references: readonly string[];
  readonly bytes: number;
  readonly sha256: string;
}

async function writeAll(
  handle: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
  onChunk: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    await handle.writeFile(chunk);
    bytes += chunk.byteLength;
    onChunk(bytes);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Writes a plain `docker save` archive and its checksum beside it; `sha256sum -c` and `docker load` read them without regctl. */
export async function saveImages(
  ports: OperationPorts,
  references: readonly string[],
  file: string,
): Promise<SavedImages> {
  const engine = await ports.engine();
  for (const reference of references) {
    if ((await engine.images.inspect(reference, { signal: ports.signal })) === undefined) {
      throw new RegctlError("not-found", `this engine does not have ${reference}`, {
        hint: isAssembled(reference) ? "regctl images build" : `regctl images pull ${reference}`,
      });
    }
  }
  if (await stat(file).catch(() => undefined)) {
    throw new RegctlError("conflict", `${file} exists already`, {
      hint: "name another file with --output, or remove it",
    });
  }
  const partial = `${file}.part`;
  const checksumFile = `${file}.sha256`;
  try {
    return await withStep(ports.progress, `save to ${file}`, async (step) => {
      const handle = await open(partial, "w", 0o644);
      const written = await writeAll(handle, engine.images.save(references, { signal: ports.signal }), (bytes) =>
        step.update(formatBytes(bytes)),
      )
        .then(async (result) => {
          await handle.sync();
          return result;
        })
        .finally(() => handle.close());
      const checksum = await open(checksumFile, "w", 0o644);
      await checksum.writeFile(`${written.sha256}  ${basename(file)}\n`);
      await checksum.sync();
      await checksum.close();
      // The archive appears last: where it is, its checksum is.
      await rename(partial, file);
      await syncDirectory(dirname(file));
      return { value: { file, checksumFile, references, ...written }, words: formatBytes(written.bytes) };
    });
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof RegctlError ? error : fileError(error, `write ${file}`);
  }
}

async function sha256Of(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file, { signal })) hash.update(chunk as Buffer);
  } catch (error) {
    throw fileError(error, `read ${file}`);
  }
  return hash.digest("hex");
}

/** Loads an archive after its checksum was compared; resolves to the references the engine now has. */
export async function loadImages(ports: OperationPorts, file: string): Promise<string[]> {
  if (!(await exists(file)))
    throw new RegctlError("not-found", `there is no file ${file}`, { hint: "`regctl images save` writes one" });
  const checksumText = await readIfExists(`${file}.sha256`);
  const expected = /^([0-9a-f]{64})\s/.exec(checksumText ?? "")?.[1];
  if (expected === undefined) {
    const why = checksumText === undefined ? "is missing" : "holds no SHA-256";
    throw new RegctlError("input-invalid", `${file}.sha256 ${why}: whether ${file} arrived whole cannot be told`, {
      hint: `copy it as well (\`regctl images save\` writes both); to load the archive unchecked: docker load -i ${file}`,
    });
  }
  await withStep(ports.progress, `check ${file}`, async () => {
    const found = await sha256Of(file, ports.signal);
    if (found !== expected) {
      throw new RegctlError(
        "input-invalid",
        `${file} is not what was saved: its SHA-256 is ${found}, ${file}.sha256 says ${expected}`,
        { hint: "copy it again" },
      );
    }
    return { value: undefined };
  });
  const engine = await ports.engine();
  return withStep(ports.progress, `load ${file}`, async () => ({
    value: await engine.images.load(createReadStream(file), { signal: ports.signal }),
  }));
}
