import { createHash } from "node:crypto";
import type { Images, ObservedImage, PullProgress } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import { readTar, writeTar } from "./tar.ts";

interface FakeImage {
  readonly id: string;
  tags: string[];
  readonly repoDigests: string[];
  /** The image configuration, as stored: its hash is the id. */
  readonly config: Buffer;
  readonly layers: Map<string, Buffer>;
}

interface ImageConfig {
  readonly architecture?: string;
  readonly created?: string;
  readonly config?: { readonly Labels?: Record<string, string> | null };
}

type ArchiveManifest = readonly { Config: string; RepoTags?: readonly string[] | null; Layers?: readonly string[] }[];

const LAYER_BYTES = 1_000_000;

export class FakeImages {
  readonly #images = new Map<string, FakeImage>();
  readonly #pullable: ReadonlySet<string>;
  readonly #architecture: string;

  constructor(references: readonly string[], pullable: readonly string[], architecture: string) {
    this.#architecture = architecture;
    this.#pullable = new Set(pullable.map(familiar));
    for (const reference of references) this.#invent(reference);
  }

  find(reference: string): FakeImage | undefined {
    const wanted = familiar(reference);
    return [...this.#images.values()].find(
      ({ id, tags, repoDigests }) => id === reference || tags.includes(wanted) || repoDigests.includes(wanted),
    );
  }

  /** A different configuration, and so a different id, for each reference. */
  #invent(reference: string): void {
    const config = { architecture: this.#architecture, created: "2026-01-01T00:00:00Z", config: {}, reference };
    const name = familiar(reference);
    const [repository = name, digest] = name.split("@");
    this.#store(Buffer.from(JSON.stringify(config)), new Map(), digest === undefined ? [name] : [], repository);
  }

  #store(config: Buffer, layers: Map<string, Buffer>, tags: readonly string[], repository?: string): FakeImage {
    const id = `sha256:${createHash("sha256").update(config).digest("hex")}`;
    const repoDigests = repository === undefined ? [] : [`${repository.replace(/:[^:/]*$/, "")}@${id}`];
    const image = this.#images.get(id) ?? { id, tags: [], repoDigests, config, layers };
    for (const other of this.#images.values()) other.tags = other.tags.filter((tag) => !tags.includes(tag));
    image.tags = [...new Set([...image.tags, ...tags])];
    this.#images.set(id, image);
    return image;
  }

  #loadArchive(archive: Buffer): string[] {
    const files = readTar(archive);
    const file = (name: string) => {
      const found = files.get(name);
      if (found === undefined) throw new Error(`open ${name}: no such file or directory`);
      return found;
    };
    const manifest = JSON.parse(file("manifest.json").toString()) as ArchiveManifest;
    return manifest.flatMap((entry) => {
      const layers = new Map((entry.Layers ?? []).map((name) => [name, file(name)]));
      const image = this.#store(file(entry.Config), layers, entry.RepoTags ?? []);
      return entry.RepoTags?.length ? entry.RepoTags : [image.id];
    });
  }

  /** `inUse` is about containers, which this does not know. */
  readonly port: Omit<Images, "inUse"> = {
    inspect: async (reference) => {
      const image = this.find(reference);
      return image && observe(image);
    },

    list: async () => [...this.#images.values()].filter(({ tags }) => tags.length > 0).map(observe),

    pull: async (reference, { onProgress } = {}) => {
      if (!this.#pullable.has(familiar(reference))) {
        throw new RegctlError(
          "image-unavailable",
          `cannot pull ${reference}: dial tcp: lookup registry: no such host`,
          {
            hint: "check the network",
            details: { reference, reason: "network" },
          },
        );
      }
      const layer: PullProgress = { layersDone: 0, layersTotal: 1, bytesDone: 0, bytesTotal: LAYER_BYTES, status: "" };
      onProgress?.({ ...layer, bytesDone: LAYER_BYTES / 2, status: "Downloading" });
      onProgress?.({ ...layer, bytesDone: LAYER_BYTES, layersDone: 1, status: "Pull complete" });
      this.#invent(reference);
    },

    load: async (archive) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of archive) chunks.push(chunk);
      try {
        return this.#loadArchive(Buffer.concat(chunks));
      } catch (error) {
        throw new RegctlError("engine-failed", `cannot load the image archive: ${(error as Error).message}`, {
          hint: "give a complete archive",
          cause: error,
        });
      }
    },

    save: (references) => this.#save(references),
  };

  async *#save(references: readonly string[]): AsyncGenerator<Uint8Array> {
    const files = new Map<string, Buffer>();
    const manifest: ArchiveManifest = references.map((reference) => {
      const image = this.find(reference);
      if (image === undefined) throw new RegctlError("not-found", `cannot save: there is no image ${reference}`);
      const config = `${image.id.replace("sha256:", "")}.json`;
      files.set(config, image.config);
      for (const [name, layer] of image.layers) files.set(name, layer);
      return {
        Config: config,
        RepoTags: image.id === reference ? [] : [familiar(reference)],
        Layers: [...image.layers.keys()],
      };
    });
    yield writeTar([...files, ["manifest.json", Buffer.from(JSON.stringify(manifest))]]);
  }
}

function observe({ id, tags, repoDigests, config, layers }: FakeImage): ObservedImage {
  const { architecture = "", created = "", config: settings } = JSON.parse(config.toString()) as ImageConfig;
  const sizeBytes = [...layers.values()].reduce((sum, layer) => sum + layer.length, 0) || LAYER_BYTES;
  return {
    id,
    tags: [...tags],
    repoDigests: [...repoDigests],
    sizeBytes,
    architecture,
    labels: settings?.Labels ?? {},
    created,
  };
}

/** The engine's own short form of a reference, with its tag. */
function familiar(reference: string): string {
  const short = reference.replace(/^(index\.)?docker\.io\//, "").replace(/^library\//, "");
  const isComplete = short.includes("@") || short.lastIndexOf(":") > short.lastIndexOf("/");
  return isComplete ? short : `${short}:latest`;
}
