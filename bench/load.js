/** Clients of a registry: some that read images without a pause, one that pushes; what failed, and how long each took. */
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const OCI = "application/vnd.oci.image";
const DOCKER = "application/vnd.docker.distribution.manifest";
const ACCEPT = [`${OCI}.manifest.v1+json`, `${OCI}.index.v1+json`, `${DOCKER}.v2+json`, `${DOCKER}.list.v2+json`].join(
  ", ",
);
const REPOSITORIES_READ = 100;
const PUSH_PAUSE_MS = 100;

const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** One request on a connection that is kept; rejects when the answer is cut short. */
export function createClient(url, connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send = (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": body.length };
      const sent = request(new URL(path, url), { agent, method, headers: { ...headers, ...length } }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.once("error", reject);
        answer.once("end", () => {
          if (!answer.complete) reject(new Error(`${method} ${path} was cut short`));
          else resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
        });
      });
      sent.once("error", reject);
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

async function get({ send }, path, digest) {
  const { status, body } = await send("GET", path, { headers: { accept: ACCEPT } });
  if (status !== 200) throw new Error(`GET ${path}: ${status}`);
  if (digest !== undefined && digestOf(body) !== digest) throw new Error(`GET ${path}: other content`);
  return body;
}

/** Manifests and blobs of images with a tag, spread over the registry: `{ path, digest }` in lists, one an image. */
export async function imagesToRead(client) {
  const { repositories } = JSON.parse(await get(client, "/v2/_catalog?n=1000"));
  const step = Math.max(1, Math.floor(repositories.length / REPOSITORIES_READ));
  const images = [];
  for (const name of repositories.filter((_, place) => place % step === 0)) {
    const { tags } = JSON.parse(await get(client, `/v2/${name}/tags/list`));
    for (const tag of tags) {
      const manifest = await get(client, `/v2/${name}/manifests/${tag}`);
      const { config, layers = [], manifests = [] } = JSON.parse(manifest);
      const blobs = config === undefined ? [] : [config, ...layers];
      images.push({
        manifest: { path: `/v2/${name}/manifests/${tag}`, digest: digestOf(manifest) },
        parts: [
          ...blobs.map(({ digest }) => ({ path: `/v2/${name}/blobs/${digest}`, digest })),
          ...manifests.map(({ digest }) => ({ path: `/v2/${name}/manifests/${digest}`, digest })),
        ],
      });
    }
  }
  return images;
}

const oneOf = (list) => list[Math.floor(Math.random() * list.length)];

/** Reads until `isOver()`, on so many connections; resolves to `{ startMs, tookMs, error }` of every read. */
export async function readOn(client, connections, images, isOver) {
  const reads = [];
  const read = async ({ path, digest }) => {
    const startMs = performance.now();
    const error = await get(client, path, digest).then(
      () => undefined,
      (failure) => failure.message,
    );
    reads.push({ startMs, tookMs: performance.now() - startMs, error });
  };
  const reader = async () => {
    while (!isOver()) {
      const { manifest, parts } = oneOf(images);
      await read(manifest);
      await read(oneOf(parts));
    }
  };
  await Promise.all(Array.from({ length: connections }, reader));
  return reads;
}

async function put({ send }, repository, bytes) {
  const must = async (expected, method, path, options) => {
    const answer = await send(method, path, options);
    if (answer.status !== expected) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  const pushBlob = async (blob) => {
    const begun = await must(202, "POST", `/v2/${repository}/blobs/uploads/`);
    const target = new URL(begun.headers.location, "http://registry");
    target.searchParams.set("digest", digestOf(blob));
    await must(201, "PUT", `${target.pathname}${target.search}`, {
      headers: { "content-type": "application/octet-stream" },
      body: blob,
    });
    return { digest: digestOf(blob), size: blob.length };
  };
  const config = await pushBlob(Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: {} })));
  const layer = await pushBlob(bytes);
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, ...config },
    layers: [{ mediaType: `${OCI}.layer.v1.tar+gzip`, ...layer }],
  };
  const body = Buffer.from(JSON.stringify(manifest));
  const path = `/v2/${repository}/manifests/${digestOf(body).slice(7, 23)}`;
  await must(201, "PUT", path, { headers: { "content-type": manifest.mediaType }, body });
  return { path, digest: digestOf(body) };
}

/** Pushes one new image after another until `isOver()`; resolves to `{ tookMs, error, image }` of each. */
export async function pushOn(client, repository, isOver) {
  const pushes = [];
  while (!isOver()) {
    const startMs = performance.now();
    const pushed = await put(client, repository, randomBytes(20_000)).then(
      (image) => ({ image }),
      (failure) => ({ error: failure.message }),
    );
    pushes.push({ ...pushed, tookMs: performance.now() - startMs });
    await delay(PUSH_PAUSE_MS);
  }
  return pushes;
}

/** Images that do not read as they were pushed. */
export async function unreadable(client, images) {
  const lost = [];
  for (const { path, digest } of images) await get(client, path, digest).catch((error) => lost.push(error.message));
  return lost;
}
