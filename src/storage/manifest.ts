/**
 * What a stored manifest refers to. Text in, value out; a text that is no manifest is never one without references. Keys are
 * read as Go reads them (encoding/json: in any letter case, the Kelvin sign and the long s included): distribution accepts
 * `Layers`, and a collector that does not would delete them.
 */

export interface ManifestReferences {
  /** An index (or Docker manifest list) refers to manifests, an image to a configuration and layers. */
  readonly kind: "image" | "index" | "schema1";
  /** Digests of configuration and layers, the configuration first. */
  readonly blobs: readonly string[];
  /** Digests of the manifests of an index. */
  readonly children: readonly string[];
  /** Digest of the manifest this one is attached to (OCI 1.1 referrers). */
  readonly subject: string | undefined;
}

/** Another algorithm's digest is only a name here: what it is made of, its repository's links tell. */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|(?!sha256:)[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,})$/;

type Written = Readonly<Record<string, unknown>>;

function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** Every digest a descriptor gives, under whatever spelling of the key; there has to be one. */
function addDigests(descriptor: unknown, name: "digest" | "blobsum", into: string[]): void {
  const before = into.length;
  for (const key in descriptor as Written) {
    if (key.length !== name.length || (key !== name && fold(key) !== name)) continue;
    const digest = (descriptor as Written)[key];
    if (typeof digest !== "string" || !DIGEST.test(digest)) throw new Error("a descriptor's digest is not one");
    into.push(digest);
  }
  if (into.length === before) throw new Error("a descriptor has no digest");
}

function addList(list: unknown, name: "digest" | "blobsum", into: string[]): void {
  if (list === null) return;
  if (!Array.isArray(list)) throw new Error("a list of descriptors is no list");
  for (const descriptor of list) addDigests(descriptor, name, into);
}

/** distribution does not look at it, so what is no descriptor is no subject. */
function subjectIn(value: unknown): string | undefined {
  try {
    const digests: string[] = [];
    addDigests(value, "digest", digests);
    return digests[0];
  } catch {
    return undefined;
  }
}

const INDEX_TYPE = /index|manifest\.list/;

/**
 * References of a Docker or OCI manifest or index, as distribution's `References()` gives them, and its subject. Throws an
 * Error that says what is wrong with a text that is no manifest.
 */
export function parseManifest(text: string): ManifestReferences {
  const written = JSON.parse(text) as Written | null;
  if (typeof written !== "object" || written === null || Array.isArray(written)) throw new Error("it is no object");
  const configs: string[] = [];
  const layers: string[] = [];
  const children: string[] = [];
  let subject: string | undefined;
  let schema1Layers: unknown;
  let isIndex = false;
  for (const key in written) {
    const value = written[key];
    switch (key === "layers" || key === "config" ? key : fold(key)) {
      case "config":
        if (value !== null) addDigests(value, "digest", configs);
        break;
      case "layers":
        addList(value, "digest", layers);
        break;
      case "manifests":
        isIndex ||= value !== null;
        addList(value, "digest", children);
        break;
      case "mediatype":
        isIndex ||= typeof value === "string" && INDEX_TYPE.test(value);
        break;
      case "fslayers":
        schema1Layers = value;
        break;
      case "subject":
        subject = subjectIn(value);
        break;
    }
  }
  const blobs = [...configs, ...layers];
  if (isIndex) return { kind: "index", blobs, children, subject };
  if (configs.length > 0) return { kind: "image", blobs, children, subject };
  if (schema1Layers === undefined || schema1Layers === null) throw new Error("it is neither an image nor an index");
  addList(schema1Layers, "blobsum", blobs);
  return { kind: "schema1", blobs, children, subject };
}
