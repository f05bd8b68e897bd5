/**
 * Small stores of every shape a registry's disk can have, made by doing what clients do (push, retag, delete, mount, attach)
 * to a registry in memory and writing down what would be left. Valid throughout: upstream's garbage-collect reads them.
 */
import { DOCKER, digestOf, makeConfig, makeIndex, makeLayer, makeManifest, OCI, PLATFORMS } from "./store-content.mjs";
import { blobWriter, createStore, repositoryWriter, requireNewStore, setAge } from "./store-files.mjs";

const NAMES = ["a", "a/b", "a-b", "a/b/c", "ab", "z.9/x__y", "team/app", "team/app-2", "0"];
const TAGS = ["latest", "1.0.0", "1.0.0-rc.1", "1.1.0", "v2", "nightly_2024", "A"];
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", data: Buffer.from("{}") };
const FALLBACK = (digest) => digest.replace(":", "-");

/** Choices made from the one source of randomness. */
function choicesFrom(random) {
  const below = (limit) => Math.min(limit - 1, Math.floor(random() * limit));
  return {
    below,
    chance: (probability) => random() < probability,
    among: (values) => values[below(values.length)],
  };
}

/** A registry's state in memory; the methods are what its API does to it. */
function emptyRegistry() {
  const blobs = new Map();
  const manifests = new Map();
  const repositories = new Map();
  const put = (blob) => blobs.set(blob.digest, blob);
  return {
    blobs,
    manifests,
    repositories,
    put,
    create(name) {
      const repository = {
        name,
        layers: new Set(),
        revisions: new Set(),
        deleted: new Set(),
        tags: new Map(),
        former: new Map(),
        kind: "normal",
      };
      repositories.set(name, repository);
      return repository;
    },
    putLayer(repository, blob) {
      put(blob);
      repository.layers.add(blob.digest);
    },
    putManifest(repository, manifest, tag) {
      put(manifest);
      manifests.set(manifest.digest, manifest);
      repository.revisions.add(manifest.digest);
      repository.deleted.delete(manifest.digest);
      if (tag === undefined) return;
      const former = repository.former.get(tag) ?? new Set();
      const current = repository.tags.get(tag);
      if (current !== undefined) former.add(current);
      repository.former.set(tag, former);
      repository.tags.set(tag, manifest.digest);
    },
    deleteManifest(repository, digest) {
      repository.revisions.delete(digest);
      repository.deleted.add(digest);
      for (const [tag, current] of repository.tags) if (current === digest) this.deleteTag(repository, tag);
    },
    deleteTag(repository, tag) {
      repository.tags.delete(tag);
      repository.former.delete(tag);
    },
  };
}

/** What clients push: made so that some of it is shared with what was pushed before. */
function pusher(registry, choices, options, prefix) {
  const { below, chance, among } = choices;
  let made = 0;
  const fresh = () => {
    made += 1;
    return `${prefix}/${made}`;
  };
  const layers = [];
  const configs = [];
  const images = [];
  const created = () => new Date(Date.UTC(2024, 0, 1 + below(600))).toISOString();
  const typed = () => (chance(0.2) ? { mediaType: undefined } : {});

  function image(platform = PLATFORMS[0]) {
    if (images.length > 0 && chance(0.15)) return among(images);
    const types = chance(0.5) ? OCI : DOCKER;
    const own = Array.from({ length: 1 + below(3) }, () => {
      if (layers.length > 0 && chance(0.5)) return among(layers);
      const layer = makeLayer(fresh());
      layers.push(layer);
      return layer;
    });
    const sharedConfig = configs.length > 0 && chance(0.2) ? among(configs) : undefined;
    const config = sharedConfig?.config ?? makeConfig(fresh(), own, created(), platform);
    const content = sharedConfig?.layers ?? own;
    if (sharedConfig === undefined) configs.push({ config, layers: own });
    const extra = {
      ...(types === OCI ? typed() : {}),
      ...(types === OCI && chance(0.5) ? { annotations: { serial: fresh() } } : {}),
    };
    const manifest = { ...makeManifest(types, config, content, extra), blobs: [config, ...content], children: [] };
    images.push(manifest);
    return manifest;
  }

  const pushManifest = (repository, manifest, tag) => {
    for (const blob of manifest.blobs) registry.putLayer(repository, blob);
    for (const child of manifest.children) {
      if (!repository.revisions.has(child.digest)) pushManifest(repository, child);
    }
    registry.putManifest(repository, manifest, tag);
  };

  return {
    layer: () => makeLayer(fresh()),
    pushImage: (repository, tag) => pushManifest(repository, image(), tag),
    pushIndex(repository, tag) {
      const present = [...repository.revisions].map((digest) => registry.manifests.get(digest));
      const usable = options.nestedIndexes ? present : present.filter((one) => one.children.length === 0);
      const children = Array.from({ length: 1 + below(3) }, (_, at) =>
        usable.length > 0 && chance(0.5) ? among(usable) : image(PLATFORMS[at]),
      ).filter((child) => options.nestedIndexes || child.children.length === 0);
      const types = chance(0.5) ? OCI : DOCKER;
      const index = makeIndex(types, children, types === OCI ? typed() : {});
      pushManifest(repository, { ...index, blobs: [], children }, tag);
    },
    /** A signature, say: a manifest with `subject`, which may be gone, and where clients look for it: the fallback tag. */
    attach(repository) {
      const subject =
        repository.revisions.size > 0 && chance(0.85)
          ? registry.manifests.get(among([...repository.revisions]))
          : { ...image(), digest: digestOf(fresh()) };
      const layer = makeLayer(fresh());
      const config = { ...EMPTY, digest: digestOf(EMPTY.data), size: EMPTY.data.length };
      const { mediaType, digest, size } = subject;
      const extra = { artifactType: "application/vnd.example.signature", subject: { mediaType, digest, size } };
      const referrer = { ...makeManifest(OCI, config, [layer], extra), blobs: [config, layer], children: [] };
      pushManifest(repository, referrer);
      if (!chance(0.5)) return;
      const tag = FALLBACK(digest);
      const before = registry.manifests.get(repository.tags.get(tag))?.children ?? [];
      const children = [...before, referrer];
      pushManifest(repository, { ...makeIndex(OCI, children), blobs: [], children }, tag);
    },
  };
}

const hasChild = (registry, index, digest) =>
  registry.manifests.get(index).children.some((child) => child.digest === digest);

function act(registry, push, choices, options, repository) {
  const { below, chance, among } = choices;
  const tag = () => (chance(0.75) ? among(TAGS.slice(0, 1 + below(options.tags))) : undefined);
  const everywhere = [...registry.blobs.keys()];
  const revisions = [...repository.revisions];
  const deletable = options.deletedChildren
    ? revisions
    : revisions.filter((one) => !revisions.some((other) => hasChild(registry, other, one)));
  switch (below(12)) {
    case 0:
    case 1:
      return push.pushIndex(repository, tag());
    case 2: {
      // What an index holds, rather than anything: that is where collectors differ.
      const children = deletable.filter((one) => revisions.some((other) => hasChild(registry, other, one)));
      const candidates = children.length > 0 && chance(0.5) ? children : deletable;
      if (candidates.length > 0) registry.deleteManifest(repository, among(candidates));
      return;
    }
    case 3:
      if (repository.tags.size > 0) registry.deleteTag(repository, among([...repository.tags.keys()]));
      return;
    case 4:
      return options.referrers ? push.attach(repository) : push.pushImage(repository, tag());
    case 5:
      if (everywhere.length > 0) registry.putLayer(repository, registry.blobs.get(among(everywhere)));
      return;
    case 6:
      // The same manifest again, perhaps on another tag, perhaps after it was deleted.
      if (repository.revisions.size + repository.deleted.size > 0) {
        const digest = among([...repository.revisions, ...repository.deleted]);
        const manifest = registry.manifests.get(digest);
        if (manifest.children.every((child) => repository.revisions.has(child.digest)))
          registry.putManifest(repository, manifest, tag());
      }
      return;
    default:
      return push.pushImage(repository, tag());
  }
}

function isWhole(registry, repository, digest) {
  if (!repository.revisions.has(digest)) return false;
  return registry.manifests.get(digest).children.every((child) => isWhole(registry, repository, child.digest));
}

function writeRepository(root, repository) {
  const writer = repositoryWriter(root, repository.name);
  for (const digest of repository.layers) writer.layer(digest);
  for (const digest of repository.revisions) writer.revision(digest);
  for (const digest of repository.deleted) writer.emptyRevision(digest);
  for (const [tag, digest] of repository.tags) {
    const former = [...repository.former.get(tag)].filter((one) => one !== digest);
    writer.tag(tag, digest, former);
  }
  if (repository.kind !== "uploads only") {
    writer.folder("_layers/sha256");
    const hadManifests = repository.revisions.size + repository.deleted.size > 0;
    if (hadManifests && repository.kind !== "no tags folder") writer.folder("_manifests/tags");
  }
  writer.folder("_uploads");
  if (repository.hasUpload) writer.upload("4f1c2f5e-6a55-4a57-9d1d-000000000001", "2024-01-01T00:00:00Z", "half");
}

function fillRepository(registry, push, choices, options, repository) {
  const { below, chance } = choices;
  repository.hasUpload = chance(0.2);
  const kind = below(20);
  if (kind === 0) {
    repository.kind = "uploads only";
    return;
  }
  if (kind === 1) {
    repository.kind = "layers only";
    for (let count = below(3); count > 0; count -= 1) registry.putLayer(repository, push.layer());
    return;
  }
  for (let count = below(10); count > 0; count -= 1) act(registry, push, choices, options, repository);
  if (kind > 3) return;
  for (const tag of [...repository.tags.keys()]) registry.deleteTag(repository, tag);
  repository.kind = kind === 2 && options.missingTagsFolders ? "no tags folder" : "empty tags folder";
}

/**
 * Writes a small random store below `root` (which must hold none yet).
 * @param random  numbers in [0, 1): `randomFrom(seed)`, or fast-check's; the same numbers give the same store.
 * @returns what is there: `pullable` are tags of which nothing is missing, `inCatalog` what `_catalog` of 2.x names.
 */
export function randomStore(root, random, wanted = {}) {
  const options = {
    repositories: 8,
    tags: 6,
    nestedIndexes: true,
    deletedChildren: true,
    missingTagsFolders: true,
    referrers: true,
    ...wanted,
  };
  requireNewStore(root);
  createStore(root);
  const choices = choicesFrom(random);
  const registry = emptyRegistry();
  const push = pusher(registry, choices, options, `random/${choices.below(2 ** 31)}`);
  const wantedCount = 1 + choices.below(Math.min(options.repositories, NAMES.length));
  while (registry.repositories.size < wantedCount) {
    const free = NAMES.filter((name) => !registry.repositories.has(name));
    fillRepository(registry, push, choices, options, registry.create(choices.among(free)));
  }
  for (let count = choices.below(4); count > 0; count -= 1) registry.put(push.layer());

  const blobs = blobWriter(root);
  for (const blob of registry.blobs.values()) blobs.write(blob);
  const emptyBlobs = Array.from({ length: choices.below(3) }, () => push.layer().digest);
  for (const digest of emptyBlobs) blobs.writeEmpty(digest);
  for (const repository of registry.repositories.values()) writeRepository(root, repository);
  if (options.ageSeconds !== undefined) setAge(root, options.ageSeconds);
  return {
    repositories: [...registry.repositories.values()].map((repository) => ({
      name: repository.name,
      kind: repository.kind,
      inCatalog: repository.kind !== "uploads only",
      tags: Object.fromEntries(repository.tags),
      revisions: [...repository.revisions],
      deleted: [...repository.deleted],
      layers: [...repository.layers],
      pullable: [...repository.tags].filter(([, digest]) => isWhole(registry, repository, digest)).map(([tag]) => tag),
    })),
    blobs: new Map([...registry.blobs].map(([digest, blob]) => [digest, blob.data.length])),
    emptyBlobs,
  };
}
