/** Just enough of POSIX ustar for image archives in memory. */
import { Buffer } from "node:buffer";

const BLOCK = 512;

/** Regular files of a tar archive by name; throws on anything that is not one. */
export function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let offset = 0;
  while (offset + BLOCK <= archive.length && archive[offset] !== 0) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (text(header, 257, 5) !== "ustar") throw new Error("not a tar archive");
    const size = Number.parseInt(text(header, 124, 12).trim(), 8);
    const start = offset + BLOCK;
    if (start + size > archive.length) throw new Error("unexpected EOF");
    const prefix = text(header, 345, 155);
    const name = text(header, 0, 100).replace(/^\.\//, "");
    const kind = text(header, 156, 1);
    if (kind === "0" || kind === "")
      files.set(prefix === "" ? name : `${prefix}/${name}`, archive.subarray(start, start + size));
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (offset + BLOCK > archive.length) throw new Error("unexpected EOF");
  return files;
}

function text(header: Buffer, start: number, length: number): string {
  return header.toString("latin1", start, start + length).replace(/\0.*$/s, "");
}

/** A tar archive of these files, names up to 100 characters, mode 0644, time 0. */
export function writeTar(files: Iterable<readonly [string, Buffer]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, data] of files) parts.push(header(name, data.length), data, padding(data.length));
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(name, 0, 100, "latin1");
  block.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100, "latin1");
  block.write("        0", 148, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
