/** Manifests of before 2016 (https://distribution.github.io/distribution/spec/deprecated-schema-v1/). */

/**
 * The part of a signed manifest that its digest is of: the signatures are formatted into the JSON, and their header says
 * where it ended before. The bytes themselves when there is no readable signature.
 */
export function schema1Payload(bytes: Buffer): Buffer {
  try {
    const { signatures } = JSON.parse(bytes.toString("utf8")) as { signatures?: { protected?: unknown }[] };
    const header = String(signatures?.[0]?.protected ?? "");
    const { formatLength, formatTail } = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as {
      formatLength?: unknown;
      formatTail?: unknown;
    };
    if (typeof formatLength !== "number" || typeof formatTail !== "string") return bytes;
    if (!Number.isInteger(formatLength) || formatLength < 0 || formatLength > bytes.length) return bytes;
    return Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, "base64url")]);
  } catch {
    return bytes;
  }
}
