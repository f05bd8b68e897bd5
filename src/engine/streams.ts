/** The two wire formats of engine streams: multiplexed output and lines of JSON. */
import { StringDecoder } from "node:string_decoder";
import type { LogLine } from "./engine.ts";

const HEADER_BYTES = 8;
/** No engine writes larger frames or records; a larger one means the stream is misaligned or is something else. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** A stream that broke the engine's format or ended inside a record. */
export class MalformedStreamError extends Error {
  override readonly name = "MalformedStreamError";
}

/** A failure the engine reported inside a stream that had begun with status 200. */
export class InBandError extends Error {
  override readonly name = "InBandError";
}

/**
 * Splits the multiplexed output of a container without a terminal into its frames, one log entry each
 * (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach, "Stream format").
 * Rejects with MalformedStreamError on anything else, and with InBandError on the engine's own error frame.
 */
export async function* frames(source: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let wantedBytes = HEADER_BYTES;
  for await (const chunk of source) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < wantedBytes) continue;
    const buffer = Buffer.concat(held);
    let offset = 0;
    wantedBytes = HEADER_BYTES;
    while (buffer.length - offset >= HEADER_BYTES) {
      const end = offset + HEADER_BYTES + frameBytes(buffer, offset);
      if (end > buffer.length) {
        wantedBytes = end - offset;
        break;
      }
      yield frame(buffer[offset], buffer.subarray(offset + HEADER_BYTES, end));
      offset = end;
    }
    held = [buffer.subarray(offset)];
    heldBytes = buffer.length - offset;
  }
  if (heldBytes > 0) throw new MalformedStreamError(`the stream ended inside a frame (${heldBytes} bytes left)`);
}

function frameBytes(buffer: Buffer, offset: number): number {
  const isHeader = (buffer[offset] ?? 4) <= 3 && buffer.readUIntBE(offset + 1, 3) === 0;
  const bytes = buffer.readUInt32BE(offset + 4);
  if (!isHeader || bytes > MAX_RECORD_BYTES) {
    throw new MalformedStreamError("the stream is not multiplexed container output");
  }
  return bytes;
}

/** Kind 3 is the engine's "system error", see moby's pkg/stdcopy. */
function frame(kind: number | undefined, data: Buffer): LogLine {
  if (kind === 3) throw new InBandError(data.toString("utf8").trim());
  return { stream: kind === 2 ? "stderr" : "stdout", data };
}

/** One line of a pull, load or build. */
export interface ProgressRecord {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** Reads the records of a pull, load or build; rejects with InBandError when one of them says the operation failed. */
export async function* jsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressRecord> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_RECORD_BYTES) throw new MalformedStreamError("the stream is not lines of JSON");
    for (const line of lines) yield* record(line);
  }
  yield* record(rest + decoder.end());
}

function* record(line: string): Generator<ProgressRecord> {
  if (line.trim() === "") return;
  const value = parseRecord(line);
  const failure = value.errorDetail?.message ?? value.error;
  if (failure !== undefined) throw new InBandError(failure);
  yield value;
}

function parseRecord(line: string): ProgressRecord & { error?: string; errorDetail?: { message?: string } } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null) {
    throw new MalformedStreamError(`not a progress record: ${line.trim().slice(0, 200)}`);
  }
  return value;
}
