/**
 * Big stores for measurements, and small ones of the same shape for tests, written to disk without a registry. The same
 * arguments give the same store: what an image holds depends on the seed and on its place alone, so threads can share the work.
 *
 * Of each repository's tags a tenth are indexes of two platforms. Beside the tags there are manifests that lost theirs (15%),
 * manifests deleted over the API (15%), blobs nobody mentions, in some repositories untagged indexes (one kind shares a child
 * with a tagged index), another repository's image, an unfinished upload. An image has five layers; half of these are shared
 * with others. Some repositories live inside another one or have a name that begins like it.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  DOCKER,
  makeConfig,
  makeIndex,
  makeLayer,
  makeManifest,
  OCI,
  PLATFORMS,
  randomFrom,
} from "./store-content.mjs";
import { blobWriter, createStore, repositoryWriter, requireNewStore, setAge } from "./store-files.mjs";

export { randomStore } from "./random-store.mjs";
export { randomFrom } from "./store-content.mjs";
export { setAge } from "./store-files.mjs";

/** Changes whenever another store comes out of the same arguments. */
export const GENERATOR_VERSION = 1;

const LAYERS = 5;
const BASE_LAYERS = 40;
const FIRST_BUILD = Date.parse("2024-01-01T00:00:00Z");
const HOUR = 3_600_000;

/** Beyond this many tags a second thread is worth its start. */
const MANY_TAGS = 2_000;

export function repositoryName(place) {
  const number = String(place - (place % 10)).padStart(5, "0");
  if (place % 10 === 0) return `service-${number}`;
  if (place % 10 === 1) return `service-${number}/worker`;
  if (place % 10 === 2) return `service-${number}-canary`;
  return `team-${String(place % 37).padStart(2, "0")}/app-${String(place).padStart(5, "0")}`;
}

export function tagName(place) {
  if (place === 0) return "latest";
  if (place % 7 === 3) return `main-${place.toString(16).padStart(7, "0")}`;
  return `${1 + Math.floor(place / 100)}.${Math.floor(place / 10) % 10}.${place % 10}`;
}

/** Makers of one repository's images by name; `put` gets each blob of what is made. */
function imageMaker({ seed, tags, cache }, place) {
  const pool = Math.max(6, Math.round(tags * 0.3));
  const layerNamed = (name) => {
    const key = `${seed}/${name}`;
    if (cache.has(key)) return cache.get(key);
    const layer = makeLayer(key);
    if (name.startsWith("shared/")) cache.set(key, layer);
    return layer;
  };
  function image(name, number, platform = PLATFORMS[0]) {
    const random = randomFrom(`${seed}/${place}/${name}`);
    const types = number % 2 === 0 ? OCI : DOCKER;
    const layers = Array.from({ length: LAYERS }, (_, at) => {
      const isShared = random() < 0.5;
      if (!isShared) return layerNamed(`${place}/${name}/${at}`);
      const isBase = random() < 0.2;
      const choice = Math.floor(random() * (isBase ? BASE_LAYERS : pool));
      return layerNamed(isBase ? `shared/base/${choice}` : `shared/${place}/${choice}`);
    });
    const created = new Date(FIRST_BUILD + ((place * 7 + number * 5) % 20_000) * HOUR).toISOString();
    const config = makeConfig(`${seed}/${place}/${name}`, layers, created, platform);
    return { ...makeManifest(types, config, layers), types, blobs: [config, ...layers] };
  }
  const platforms = (name, number) =>
    PLATFORMS.slice(0, 2).map((platform) => image(`${name}/${platform.architecture}`, number, platform));
  return { image, platforms, index: (children) => makeIndex(children[0].types, children) };
}

/** @returns how many of each kind went to disk. */
function writeRepository(store, place) {
  const { root, tags, repositories, blobs } = store;
  const isAlone = repositories < 10;
  const writer = repositoryWriter(root, repositoryName(place));
  const make = imageMaker(store, place);
  const counts = { manifests: 0, tagged: 0, untagged: 0, deleted: 0, indexes: 0, tags: 0 };
  const putBlobs = (image) => {
    blobs.write(image);
    for (const blob of image.blobs ?? []) {
      blobs.write(blob);
      writer.layer(blob.digest);
    }
    return image;
  };
  const put = (image) => {
    putBlobs(image);
    writer.revision(image.digest);
    counts.manifests += 1;
    return image;
  };
  const putIndex = (children) => {
    counts.indexes += 1;
    return put(make.index(children));
  };
  const tag = (name, manifest, former = []) => {
    writer.tag(name, manifest.digest, former);
    counts.tags += 1;
    counts.tagged += 1;
  };

  const others = Math.round(tags * 0.15);
  const hasLoneIndex = isAlone || place % 10 === 3;
  const hasSharingIndex = isAlone || place % 10 === 7;
  const overwritten = Math.max(1, others - Number(hasLoneIndex) - Number(hasSharingIndex));
  let sharedChild;
  for (let number = 0; number < tags; number += 1) {
    const former = [];
    if (number < overwritten) {
      former.push(put(make.image(`former-${number}`, number)).digest);
      counts.untagged += 1;
    }
    if (number % 10 === 5) {
      const children = make.platforms(`tag-${number}`, number).map(put);
      sharedChild ??= children[0];
      tag(tagName(number), putIndex(children), former);
    } else {
      tag(tagName(number), put(make.image(`tag-${number}`, number)), former);
    }
  }
  for (let number = 0; number < others; number += 1) {
    const image = putBlobs(make.image(`deleted-${number}`, number));
    writer.emptyRevision(image.digest);
    counts.deleted += 1;
  }
  if (hasLoneIndex) {
    putIndex(make.platforms("lone", place).map(put));
    counts.untagged += 1;
  }
  if (hasSharingIndex) {
    const own = put(make.image("sharing", 5, PLATFORMS[1]));
    putIndex(sharedChild === undefined ? [own] : [{ ...sharedChild }, own]);
    counts.untagged += 1;
  }
  if (place % 20 === 19) {
    const other = place - 9;
    tag("from-another-repository", put(imageMaker(store, other).image("tag-1", 1)));
  }
  for (let number = 0; number < 2; number += 1) blobs.write(makeLayer(`${store.seed}/${place}/orphan-${number}`));
  writer.folder("_uploads");
  if (place % 25 === 1) {
    const id = `00000000-0000-4000-8000-${String(place).padStart(12, "0")}`;
    writer.upload(id, new Date(FIRST_BUILD).toISOString(), "half of a layer");
  }
  return counts;
}

function add(total, counts) {
  for (const [key, value] of Object.entries(counts)) total[key] = (total[key] ?? 0) + value;
  return total;
}

/** The repositories whose place leaves the rest `part` when divided by `parts`. */
function writePart({ part, parts, ...options }, onRepository) {
  const store = { ...options, blobs: blobWriter(options.root), cache: new Map() };
  const total = {};
  for (let place = part; place < store.repositories; place += parts) {
    add(total, writeRepository(store, place));
    for (const key of store.cache.keys()) if (!key.includes("/shared/base/")) store.cache.delete(key);
    onRepository();
  }
  return add(total, { blobs: store.blobs.written.count, bytes: store.blobs.written.bytes });
}

function writePartInThread(options, onRepository) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { partOfStore: options } });
    let total;
    worker.on("message", (message) => {
      if (message === "repository") onRepository();
      else total = message;
    });
    worker.once("error", reject);
    worker.once("exit", (code) =>
      total === undefined ? reject(new Error(`the thread ended with ${code}`)) : resolve(total),
    );
  });
}

/**
 * Writes a store below `root` (which must hold none yet).
 * @param options  `ageSeconds` sets all times back; slow, for small stores. `onProgress(done, all)` counts repositories.
 * @returns what there is: `manifests` are revisions with a link; `tagged` and `untagged` leave children of indexes out.
 */
export async function generateStore(root, options) {
  const { repositories, tags, seed = 1, ageSeconds, onProgress } = options;
  requireNewStore(root);
  createStore(root);
  let done = 0;
  const onRepository = () => {
    done += 1;
    onProgress?.(done, repositories);
  };
  const parts = repositories > 1 && repositories * tags >= MANY_TAGS ? 2 : 1;
  const part = (number) => ({ root, repositories, tags, seed, part: number, parts });
  const totals =
    parts === 1
      ? [writePart(part(0), onRepository)]
      : await Promise.all([0, 1].map((number) => writePartInThread(part(number), onRepository)));
  if (ageSeconds !== undefined) setAge(root, ageSeconds);
  return { repositories, ...totals.reduce(add, {}) };
}

/** A store of one repository, `service-00000`, with that many tags. */
export function oneRepository(root, tags, options = {}) {
  return generateStore(root, { ...options, repositories: 1, tags });
}

if (!isMainThread && workerData?.partOfStore !== undefined) {
  parentPort.postMessage(writePart(workerData.partOfStore, () => parentPort.postMessage("repository")));
}
