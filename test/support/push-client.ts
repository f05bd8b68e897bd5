/**
 * A client of `/v2/` for tests: as `docker push` does, it asks for a blob before it uploads it, and it takes something for stored
 * only when the registry said 201.
 */
import { createHash } from "node:crypto";
import { Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageToPush {
  readonly repository: string;
  /** Pushed by digest without. */
  readonly tag?: string;
  readonly layers: readonly Buffer[];
  /** A text or a document; an empty image configuration unless told. */
  readonly config?: string | object;
  readonly kind?: "oci" | "docker";
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface IndexToPush {
  readonly repository: string;
  readonly tag?: string;
  /** Stored in the same repository already. */
  readonly manifests: readonly Descriptor[];
  readonly kind?: "oci" | "docker";
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface StoredManifest extends Descriptor {
  readonly content: {
    readonly config?: Descriptor;
    readonly layers?: readonly Descriptor[];
    readonly manifests?: readonly Descriptor[];
    readonly subject?: Descriptor;
  };
}

export interface PushClient extends Disposable {
  /** Any request below `/v2/`; resolves whatever the status. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  pushBlob(repository: string, data: Buffer): Promise<Descriptor>;
  pushImage(image: ImageToPush): Promise<Descriptor>;
  pushIndex(index: IndexToPush): Promise<Descriptor>;
  /** Stores a manifest's exact bytes under a tag or its digest. */
  putManifest(repository: string, reference: string | undefined, mediaType: string, data: Buffer): Promise<Descriptor>;
  /** True when the registry linked the blob, false when it began an upload instead (which is cancelled). */
  mount(repository: string, digest: string, from: string): Promise<boolean>;
  deleteManifest(repository: string, digest: string): Promise<void>;
  /** Sorted; empty for a repository without tags, or unknown. */
  tags(repository: string): Promise<string[]>;
  /** Sorted, all pages. */
  catalog(): Promise<string[]>;
  /** Undefined when the registry says 404. */
  getManifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** Pulls everything below the reference and hashes it; throws naming all that is missing or differs. Resolves to the digests. */
  verifyImage(repository: string, reference: string): Promise<ReadonlySet<string>>;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

const TYPES = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
};
const ACCEPT = [TYPES.oci.index, TYPES.oci.manifest, TYPES.docker.index, TYPES.docker.manifest].join(", ");
const EMPTY_CONFIG = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [] } };

export function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** @param credentials  `user:password`, for a registry with htpasswd. */
export function pushClient(host: string, credentials?: string): PushClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const authorization: Record<string, string> =
    credentials === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };

  function send(method: string, path: string, { headers = {}, body }: SendOptions = {}): Promise<Answer> {
    const { promise, resolve, reject } = withResolvers<Answer>();
    const sent = request(new URL(path, `http://${host}`), { agent, method, headers: { ...authorization, ...headers } });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.once("error", reject);
      response.once("end", () => {
        const answer = { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) };
        // A registry killed in the middle of an answer, or one whose blob is gone, sends less than it promised.
        if (response.complete) resolve(answer);
        else reject(new Error(`${method} ${path}: the answer was cut short`));
      });
    });
    if (body !== undefined) sent.setHeader("content-length", Buffer.byteLength(body));
    sent.end(body);
    return promise;
  }

  async function must(expected: number, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const answer = await send(method, path, options);
    if (answer.status !== expected) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  }

  async function pushBlob(repository: string, data: Buffer): Promise<Descriptor> {
    const digest = digestOf(data);
    const known = { mediaType: "application/octet-stream", digest, size: data.length };
    if ((await send("HEAD", `/v2/${repository}/blobs/${digest}`)).status === 200) return known;
    const begun = await must(202, "POST", `/v2/${repository}/blobs/uploads/`);
    const target = new URL(begun.headers.location ?? "", `http://${host}`);
    target.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await must(201, "PUT", `${target.pathname}${target.search}`, { headers, body: data });
    return known;
  }

  const putManifest: PushClient["putManifest"] = async (repository, reference, mediaType, data) => {
    const digest = digestOf(data);
    const path = `/v2/${repository}/manifests/${reference ?? digest}`;
    const answer = await must(201, "PUT", path, { headers: { "content-type": mediaType }, body: data });
    if (answer.headers["docker-content-digest"] !== digest) throw new Error(`PUT ${path}: stored as another digest`);
    return { mediaType, digest, size: data.length };
  };

  async function getManifest(repository: string, reference: string): Promise<StoredManifest | undefined> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const answer = await send("GET", path, { headers: { accept: ACCEPT } });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.body}`);
    const mediaType = answer.headers["content-type"] ?? "";
    const content = JSON.parse(String(answer.body));
    return { mediaType, digest: digestOf(answer.body), size: answer.body.length, content };
  }

  /** Adds what is wrong below one manifest to `wrong`, and everything it pulled to `seen`. */
  async function verify(repository: string, reference: string, seen: Set<string>, wrong: string[]): Promise<void> {
    const manifest = await getManifest(repository, reference);
    if (manifest === undefined) {
      wrong.push(`manifest ${reference} is missing`);
      return;
    }
    if (reference.startsWith("sha256:") && manifest.digest !== reference) wrong.push(`manifest ${reference} differs`);
    seen.add(manifest.digest);
    const { config, layers = [], manifests = [] } = manifest.content;
    for (const child of manifests) await verify(repository, child.digest, seen, wrong);
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      if (seen.has(blob.digest)) continue;
      seen.add(blob.digest);
      const fault = await faultOf(repository, blob);
      if (fault !== undefined) wrong.push(`blob ${blob.digest} of manifest ${manifest.digest} ${fault}`);
    }
  }

  async function faultOf(repository: string, { digest, size }: Descriptor): Promise<string | undefined> {
    const path = `/v2/${repository}/blobs/${digest}`;
    const answer = await send("GET", path).catch((error: Error) => error);
    if (answer instanceof Error) return `cannot be pulled: ${answer.message}`;
    if (answer.status === 404) return "is missing";
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.body}`);
    return answer.body.length === size && digestOf(answer.body) === digest ? undefined : "differs";
  }

  return {
    send,
    pushBlob,
    putManifest,
    getManifest,
    async pushImage({ repository, tag, layers, config = EMPTY_CONFIG, kind = "oci", ...extra }) {
      const types = TYPES[kind];
      const configData = Buffer.from(typeof config === "string" ? config : JSON.stringify(config));
      // Nothing of a push that failed goes on in the background.
      const uploads = await Promise.allSettled([configData, ...layers].map((data) => pushBlob(repository, data)));
      const stored = uploads.map((upload) => {
        if (upload.status === "rejected") throw upload.reason;
        return upload.value;
      });
      const [first, ...rest] = stored as [Descriptor, ...Descriptor[]];
      const manifest = {
        schemaVersion: 2,
        mediaType: types.manifest,
        ...extra,
        config: { ...first, mediaType: types.config },
        layers: rest.map((layer) => ({ ...layer, mediaType: types.layer })),
      };
      return putManifest(repository, tag, types.manifest, Buffer.from(JSON.stringify(manifest)));
    },
    async pushIndex({ repository, tag, manifests, kind = "oci", ...extra }) {
      const mediaType = TYPES[kind].index;
      const children = manifests.map(({ mediaType, digest, size }, at) => ({
        mediaType,
        digest,
        size,
        platform: { os: "linux", architecture: ["amd64", "arm64", "s390x", "ppc64le"][at % 4] },
      }));
      const index = { schemaVersion: 2, mediaType, ...extra, manifests: children };
      return putManifest(repository, tag, mediaType, Buffer.from(JSON.stringify(index)));
    },
    async mount(repository, digest, from) {
      const query = new URLSearchParams({ mount: digest, from });
      const answer = await send("POST", `/v2/${repository}/blobs/uploads/?${query}`);
      if (answer.status === 201) return true;
      if (answer.status !== 202) throw new Error(`mount of ${digest}: ${answer.status} ${answer.body}`);
      const begun = new URL(answer.headers.location ?? "", `http://${host}`);
      await must(204, "DELETE", `${begun.pathname}${begun.search}`);
      return false;
    },
    async deleteManifest(repository, digest) {
      await must(202, "DELETE", `/v2/${repository}/manifests/${digest}`);
    },
    async tags(repository) {
      const answer = await send("GET", `/v2/${repository}/tags/list`);
      if (answer.status === 404) return [];
      if (answer.status !== 200) throw new Error(`tags of ${repository}: ${answer.status} ${answer.body}`);
      return [...(JSON.parse(String(answer.body)).tags ?? [])].sort();
    },
    async catalog() {
      const names: string[] = [];
      let next: string | undefined = "/v2/_catalog?n=1000";
      while (next !== undefined) {
        const answer: Answer = await must(200, "GET", next);
        names.push(...(JSON.parse(String(answer.body)).repositories ?? []));
        next = /^<([^>]+)>/.exec(String(answer.headers.link ?? ""))?.[1];
      }
      return names.sort();
    },
    async verifyImage(repository, reference) {
      const seen = new Set<string>();
      const wrong: string[] = [];
      await verify(repository, reference, seen, wrong);
      if (wrong.length > 0) throw new Error(`${repository} ${reference} does not pull: ${wrong.join("; ")}`);
      return seen;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
