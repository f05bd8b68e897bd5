/** Descriptors as manifests write them (OCI image specification, "Content Descriptors"). */
import { isDigest } from "./reference.ts";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** undefined where the format does not say (schema1). */
  readonly sizeBytes: number | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object, or an empty one for anything else. */
export function asObject(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export const textIn = (object: JsonObject, key: string): string | undefined => {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** The members that are texts; the rest is left out. */
export function textsIn(value: unknown): Record<string, string> {
  const texts = Object.entries(asObject(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

/** Reads a descriptor. Throws an Error that says what is wrong with it, after `where` it is. */
export function readDescriptor(value: unknown, where: string): Descriptor {
  const object = asObject(value);
  const digest = textIn(object, "digest");
  if (digest === undefined || !isDigest(digest)) throw new Error(`${where} has no valid digest`);
  const { size } = object;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new Error(`${where} has no valid size`);
  return {
    mediaType: textIn(object, "mediaType") ?? "",
    digest,
    sizeBytes: size,
    artifactType: textIn(object, "artifactType"),
    annotations: textsIn(object.annotations),
  };
}

/** Reads a list of descriptors; one that is left out or null is empty, as Go writes it. */
export function readDescriptors(value: unknown, where: string): Descriptor[] {
  return listIn(value, where).map((entry, index) => readDescriptor(entry, `${where}[${index}]`));
}

/** A list, or none. Throws an Error when it is something else. */
export function listIn(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${where} is no list`);
  return value;
}
