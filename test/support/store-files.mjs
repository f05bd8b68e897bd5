/** distribution's folders written by hand: what a registry would have left on its disk after the pushes and deletions. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const hexOf = (digest) => digest.slice("sha256:".length);

/** False when the folder was there before; its parent must exist. */
function makeFolder(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function writeLink(folder, digest) {
  makeFolder(folder);
  writeFileSync(`${folder}/link`, digest);
}

/** Where everything is: `<root>/docker/registry/v2`. */
export const storeBase = (root) => join(root, "docker/registry/v2");

/** Makes the store's upper folders, which a registry makes with the first push. */
export function createStore(root) {
  mkdirSync(join(storeBase(root), "repositories"), { recursive: true });
  mkdirSync(join(storeBase(root), "blobs/sha256"), { recursive: true });
}

/** Writes blobs; what two repositories share is written once. `count` and `bytes` are of those that were new. */
export function blobWriter(root) {
  const blobs = `${storeBase(root)}/blobs/sha256`;
  const known = new Set();
  const prefixes = new Set();
  const written = { count: 0, bytes: 0 };
  const folderOf = (digest) => {
    const prefix = hexOf(digest).slice(0, 2);
    if (!prefixes.has(prefix)) makeFolder(`${blobs}/${prefix}`);
    prefixes.add(prefix);
    return `${blobs}/${prefix}/${hexOf(digest)}`;
  };
  return {
    written,
    write({ digest, data }) {
      if (known.has(digest)) return;
      known.add(digest);
      const folder = folderOf(digest);
      // Another thread writes the same bytes.
      if (!makeFolder(folder)) return;
      writeFileSync(`${folder}/data`, data);
      written.count += 1;
      written.bytes += data.length;
    },
    /** What a crash leaves: a folder without `data`. */
    writeEmpty(digest) {
      makeFolder(folderOf(digest));
    },
  };
}

/** Writes one repository; its folders are made when something goes into them. */
export function repositoryWriter(root, name) {
  const base = `${storeBase(root)}/repositories/${name}`;
  const ready = new Set();
  const folder = (path) => {
    if (!ready.has(path)) {
      mkdirSync(`${base}/${path}`, { recursive: true });
      ready.add(path);
    }
    return `${base}/${path}`;
  };
  const layers = new Set();
  return {
    folder,
    layer(digest) {
      if (layers.has(digest)) return;
      layers.add(digest);
      writeLink(`${folder("_layers/sha256")}/${hexOf(digest)}`, digest);
    },
    revision(digest) {
      writeLink(`${folder("_manifests/revisions/sha256")}/${hexOf(digest)}`, digest);
    },
    /** What deleting a manifest over the API leaves. */
    emptyRevision(digest) {
      makeFolder(`${folder("_manifests/revisions/sha256")}/${hexOf(digest)}`);
    },
    /** @param former  digests the tag was on before. */
    tag(tag, digest, former = []) {
      const tagFolder = `${folder("_manifests/tags")}/${tag}`;
      makeFolder(tagFolder);
      writeLink(`${tagFolder}/current`, digest);
      makeFolder(`${tagFolder}/index`);
      makeFolder(`${tagFolder}/index/sha256`);
      for (const one of [...former, digest]) writeLink(`${tagFolder}/index/sha256/${hexOf(one)}`, one);
    },
    /** An upload nobody finished. */
    upload(id, startedAt, data) {
      const upload = `${folder("_uploads")}/${id}`;
      makeFolder(upload);
      writeFileSync(`${upload}/startedat`, startedAt);
      writeFileSync(`${upload}/data`, data);
    },
  };
}

/** Makes everything below the folder look as if it had been written that long ago. */
export function setAge(root, ageSeconds) {
  const time = Date.now() / 1000 - ageSeconds;
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    utimesSync(join(entry.parentPath ?? entry.path, entry.name), time, time);
  }
  utimesSync(root, time, time);
}

/** Refuses to write into a folder that already holds a store: the result would be neither of the two. */
export function requireNewStore(root) {
  if (existsSync(storeBase(root))) throw new Error(`${dirname(storeBase(root))} exists already`);
}
