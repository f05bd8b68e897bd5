import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FOLLOWED, fillShelf, openIndex, REFERENCED, type Shelf } from "../../../src/storage/blob-index.ts";

const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const HEX = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
/** Few first bytes and few second words, as a collision wants them. */
const CLASHING = fc
  .tuple(
    fc.constantFrom("00", "7f", "ff"),
    fc.constantFrom("000000", "ffffff"),
    fc.constantFrom("00000000", "00000001", "ff000000"),
    HEX,
  )
  .map(([first, rest, word, tail]) => first + rest + word + tail.slice(16));

function shelvesOf(hexes: readonly string[]): Shelf[] {
  const firsts = [...new Set(hexes.map((hex) => hex.slice(0, 2)))];
  return firsts.map((first) =>
    fillShelf(
      Number.parseInt(first, 16),
      hexes.filter((hex) => hex.startsWith(first)),
    ),
  );
}

describe("an index of blobs", () => {
  it("finds every digest that was put in and no other", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(HEX, CLASHING), { maxLength: 60 }),
        fc.array(fc.oneof(HEX, CLASHING)),
        (stored, others) => {
          const index = openIndex(shelvesOf(stored));
          expect(index.count).toBe(stored.length);
          const numbers = stored.map((hex) => index.find(hex));
          expect(new Set(numbers).size).toBe(stored.length);
          expect(numbers.map((number) => index.hexOf(number))).toEqual(stored);
          const isStored = new Set(stored);
          for (const hex of others) expect(index.find(hex) >= 0).toBe(isStored.has(hex));
        },
      ),
    );
  });

  it("finds all of very many on one shelf, and lists each shelf's own", () => {
    const hexes = Array.from({ length: 5000 }, (_, at) => `ab${hexOf(String(at)).slice(2)}`);
    const index = openIndex([fillShelf(0xab, hexes), fillShelf(0x01, [`01${"0".repeat(62)}`])]);
    for (const hex of hexes) expect(index.hexOf(index.find(hex))).toBe(hex);
    const { begin, end } = index.numbersOf(0xab);
    expect(Array.from({ length: end - begin }, (_, at) => index.hexOf(begin + at))).toEqual(hexes);
    expect(index.numbersOf(0x02)).toMatchObject({ begin: index.numbersOf(0x02).end });
    expect(index.find(`02${"0".repeat(62)}`)).toBe(-1);
  });

  it("leaves out what is no digest, or lies in another digest's folder", () => {
    const hex = hexOf("a");
    const first = hex.slice(0, 2);
    const wrong = first === "00" ? "01" : "00";
    const shelf = fillShelf(Number.parseInt(first, 16), [
      hex,
      hex.toUpperCase(),
      `${hex}0`,
      hex.slice(1),
      "",
      "tmp",
      wrong + hex.slice(2),
      `${first}${"g".repeat(62)}`,
    ]);
    expect(openIndex([shelf]).count).toBe(1);
  });

  it("keeps marks: set once they are seen by all who look at the same shelves, and touch no other blob", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(HEX, { minLength: 1, maxLength: 40 }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(REFERENCED, FOLLOWED))),
        (hexes, marks) => {
          const shelves = shelvesOf(hexes);
          const writer = openIndex(shelves);
          // Memory handed to a thread is the same memory.
          const reader = openIndex(structuredClone(shelves.map((shelf) => ({ ...shelf }))));
          const set = new Set<string>();
          for (const [at, mark] of marks) {
            const hex = hexes[at % hexes.length] as string;
            writer.set(writer.find(hex), mark);
            set.add(`${hex} ${mark}`);
          }
          for (const hex of hexes) {
            for (const mark of [REFERENCED, FOLLOWED])
              expect(reader.has(reader.find(hex), mark)).toBe(set.has(`${hex} ${mark}`));
          }
        },
      ),
    );
  });
});
