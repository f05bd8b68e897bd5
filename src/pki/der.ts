import { RegctlError } from "../errors.ts";

/** One ASN.1 value in DER: its tag octet, its content, and the whole of it with the header. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/**
 * The element that starts at `offset`; whatever follows it is left alone. Definite lengths and one-octet tags only
 * (X.690 §8.1, §10.1). Throws `input-invalid`.
 */
export function readElement(bytes: Buffer, offset = 0): DerElement {
  const tag = octet(bytes, offset);
  if ((tag & 0x1f) === 0x1f) throw malformed("a tag of several octets");
  const first = octet(bytes, offset + 1);
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthOctets > 4) throw malformed("an indefinite or oversized length");
  let length = lengthOctets === 0 ? first : 0;
  for (let i = 0; i < lengthOctets; i++) length = length * 256 + octet(bytes, offset + 2 + i);
  const start = offset + 2 + lengthOctets;
  if (start + length > bytes.length) throw malformed("a value longer than the data");
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(offset, start + length) };
}

/** The elements inside a constructed element. */
export function readChildren(parent: DerElement): DerElement[] {
  const children: DerElement[] = [];
  for (let offset = 0; offset < parent.content.length; ) {
    const child = readElement(parent.content, offset);
    children.push(child);
    offset += child.raw.length;
  }
  return children;
}

/** The element, if it carries this tag. Throws `input-invalid` if it does not or is missing. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw malformed(`tag ${element?.tag ?? "nothing"} where ${tag} belongs`);
  return element;
}

/** An object identifier in dotted form (X.690 §8.19). */
export function readOid(element: DerElement | undefined): string {
  const { content } = expectTag(element, TAG.oid);
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = arc * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [head, ...rest] = arcs;
  if (head === undefined || (content.at(-1) ?? 0x80) >= 0x80) throw malformed("an unfinished object identifier");
  const top = head < 80n ? head / 40n : 2n;
  return [top, head - top * 40n, ...rest].join(".");
}

/** A BIT STRING as the set of its bit numbers, bit 0 first (X.690 §8.6). */
export function readBits(element: DerElement | undefined): Set<number> {
  const { content } = expectTag(element, TAG.bitString);
  const bits = new Set<number>();
  content.subarray(1).forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) bits.add(index * 8 + bit);
  });
  return bits;
}

function octet(bytes: Buffer, offset: number): number {
  const value = bytes[offset];
  if (value === undefined) throw malformed("an unexpected end");
  return value;
}

function malformed(what: string): RegctlError {
  return new RegctlError("input-invalid", `the data is not valid DER: ${what}`, {
    hint: "the file is damaged or is something else; export it again as PEM",
  });
}
