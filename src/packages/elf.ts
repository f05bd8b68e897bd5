import { type FileHandle, open } from "node:fs/promises";

export interface ElfDependencies {
  /** The loader's absolute path; undefined for a static program or a library. */
  readonly interpreter: string | undefined;
  /** Sonames: `libc.so.6`. */
  readonly libraries: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;

/**
 * What a 64-bit little-endian ELF file asks of its loader (elf(5)); undefined when it is no such file. Read here, as
 * binutils is rarely installed and `ldd` would answer for the host's libraries, not the image's.
 */
export async function readElfDependencies(path: string): Promise<ElfDependencies | undefined> {
  const file = await open(path, "r");
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
      return undefined;
    const segments = await readSegments(file, header);
    const interpreter = segments.find((segment) => segment.type === PT_INTERP);
    const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
    return {
      interpreter: interpreter && textAt(await readAt(file, interpreter.offset, interpreter.size), 0),
      libraries: dynamic ? await readNeeded(file, dynamic, segments) : [],
    };
  } finally {
    await file.close();
  }
}

async function readSegments(file: FileHandle, header: Buffer): Promise<Segment[]> {
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), entrySize * count);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    };
  });
}

async function readNeeded(file: FileHandle, dynamic: Segment, segments: readonly Segment[]): Promise<string[]> {
  const table = await readAt(file, dynamic.offset, dynamic.size);
  const needed: number[] = [];
  let stringsAddress = 0;
  let stringsSize = 0;
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = Number(table.readBigInt64LE(at));
    const value = Number(table.readBigUInt64LE(at + 8));
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) needed.push(value);
    if (tag === DT_STRTAB) stringsAddress = value;
    if (tag === DT_STRSZ) stringsSize = value;
  }
  const home = segments.find(
    ({ type, address, size }) => type === PT_LOAD && stringsAddress >= address && stringsAddress < address + size,
  );
  if (!home) return [];
  const strings = await readAt(file, stringsAddress - home.address + home.offset, stringsSize);
  return needed.map((offset) => textAt(strings, offset));
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.subarray(start, end === -1 ? undefined : end).toString("latin1");
}
