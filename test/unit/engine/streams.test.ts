import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frames, InBandError, jsonLines, MalformedStreamError } from "../../../src/engine/streams.ts";

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Written from the protocol's description: kind, three zero bytes, big-endian length, payload. */
function encode(kind: number, data: Uint8Array): Buffer {
  const length = data.length;
  return Buffer.concat([
    Buffer.from([kind, 0, 0, 0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]),
    data,
  ]);
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

describe("frames", () => {
  it("gives back every frame, however the stream is cut", async () => {
    const anyFrame = fc.record({ kind: fc.constantFrom(0, 1, 2), data: fc.uint8Array({ maxLength: 100 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame), chunkSizes, async (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(({ kind, data }) => encode(kind, data)));
        const seen = await collect(frames(inChunks(bytes, sizes)));
        expect(seen.map(({ stream, data }) => [stream, data.toString("hex")])).toEqual(
          sent.map(({ kind, data }) => [kind === 2 ? "stderr" : "stdout", Buffer.from(data).toString("hex")]),
        );
      }),
    );
  });

  it("rejects a stream that ends anywhere inside a frame", async () => {
    const bytes = Buffer.concat([encode(1, Buffer.from("one\n")), encode(2, Buffer.from("two\n"))]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length - 1 }), chunkSizes, async (length, sizes) => {
        const reading = collect(frames(inChunks(bytes.subarray(0, length), sizes)));
        if (length === 12) expect(await reading).toHaveLength(1);
        else await expect(reading).rejects.toThrow(MalformedStreamError);
      }),
    );
  });

  it("rejects what is not framed instead of waiting for a frame of gigabytes", async () => {
    await expect(collect(frames(inChunks(Buffer.from("plain text of a terminal"), [5])))).rejects.toThrow(
      MalformedStreamError,
    );
    const huge = Buffer.from([1, 0, 0, 0, 0x01, 0x00, 0x00, 0x01]); // 16 MiB + 1
    await expect(collect(frames(inChunks(huge, [8])))).rejects.toThrow("not multiplexed");
  });

  it("takes a frame of the largest size in the pieces of a socket", async () => {
    const data = Buffer.alloc(16 * 1024 * 1024, 7);
    const seen = await collect(frames(inChunks(encode(1, data), [65_536])));
    expect(seen).toHaveLength(1);
    expect(seen[0]?.data.equals(data)).toBe(true);
  });

  it("splits a megabyte of tiny frames that arrive at once", async () => {
    const bytes = Buffer.concat(Array.from({ length: 116_508 }, () => encode(1, Buffer.from("x"))));
    expect(await collect(frames(inChunks(bytes, [bytes.length])))).toHaveLength(116_508);
  });

  it("rejects with the engine's own error frame", async () => {
    const bytes = Buffer.concat([encode(1, Buffer.from("one\n")), encode(3, Buffer.from("log driver is gone\n"))]);
    await expect(collect(frames(inChunks(bytes, [3])))).rejects.toThrow(new InBandError("log driver is gone"));
  });
});

describe("jsonLines", () => {
  const anyRecord = fc.record(
    {
      id: fc.string({ unit: "grapheme" }),
      status: fc.string({ unit: "grapheme" }),
      stream: fc.string({ unit: "grapheme" }),
    },
    { requiredKeys: [] },
  );
  const separator = fc.constantFrom("\n", "\r\n", "\n\n");

  it("gives back every record, however the stream is cut, characters of several bytes included", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord),
        separator,
        fc.boolean(),
        chunkSizes,
        async (sent, newline, hasLast, sizes) => {
          const text = sent.map((value) => JSON.stringify(value)).join(newline) + (hasLast ? newline : "");
          expect(await collect(jsonLines(inChunks(Buffer.from(text), sizes)))).toEqual(
            sent.map((value) => JSON.parse(JSON.stringify(value))),
          );
        },
      ),
    );
  });

  it.each([
    ['{"errorDetail":{"code":1,"message":"no space"},"error":"short"}\n', "no space"],
    ['{"error":"manifest unknown"}', "manifest unknown"],
  ])("rejects with the error in %s", async (line, message) => {
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const record of jsonLines(inChunks(Buffer.from(`{"status":"Pulling"}\n${line}`), [4])))
        seen.push(record);
    })();
    await expect(reading).rejects.toThrow(new InBandError(message));
    expect(seen).toEqual([{ status: "Pulling" }]);
  });

  it.each(["<html>\n", "null\n", "5", '{"status":'])("rejects %j", async (text) => {
    await expect(collect(jsonLines(inChunks(Buffer.from(text), [3])))).rejects.toThrow(MalformedStreamError);
  });
});
