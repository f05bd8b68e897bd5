import { randomBytes } from "node:crypto";

/**
 * A certificate serial number in hex: 126 random bits, always positive and without a leading zero octet, so every
 * implementation writes and reads the same number (RFC 5280 §4.1.2.2; Go since 1.23 refuses negative ones).
 */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
