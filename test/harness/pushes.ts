/** What clients do in a schedule; each action tells what the registry answered to its manifests. */
import { setTimeout as delay } from "node:timers/promises";
import { digestOf, type PushClient } from "../support/push-client.ts";
import type { Choices } from "./choices.ts";
import { type Facts, factsOf, type KnownManifest, knownRevisions } from "./facts.ts";

/** told: 201; refused: 4xx, nothing was changed; unknown: no answer, or 5xx. */
export interface Push {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly manifest: KnownManifest;
  readonly outcome: "told" | "refused" | "unknown";
  readonly tookMs: number;
}

export interface PushAction {
  readonly name: string;
  run(client: PushClient): Promise<Push[]>;
}

export interface Timing {
  /** Before the first request. */
  readonly startMs: number;
  /** Between the blobs and the manifest, and between manifests. */
  readonly pauseMs: number;
}

export const REPOSITORIES = ["a", "a/b", "a-b", "team/app", "z.9/x__y"];
export const TAGS = ["latest", "1.0.0", "1.1.0", "nightly", "v2"];
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json";

/** Layers and configurations that images of a schedule share. */
export interface Material {
  layer(): Buffer;
  config(): Buffer;
}

export function materialFrom(choices: Choices, name: string): Material {
  let made = 0;
  const fresh = () => Buffer.from(`layer ${name} ${++made} ${"x".repeat(choices.below(200))}`);
  const layers: Buffer[] = [];
  const configs: Buffer[] = [];
  const among = (all: Buffer[], make: () => Buffer) => {
    if (all.length > 0 && choices.chance(0.55)) return choices.among(all);
    const one = make();
    all.push(one);
    return one;
  };
  return {
    layer: () => among(layers, fresh),
    config: () =>
      choices.chance(0.3)
        ? among(configs, () => Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", serial: ++made })))
        : Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", serial: `${name}/${++made}` })),
  };
}

interface Content {
  readonly mediaType: string;
  readonly document: object;
  readonly blobs?: readonly Buffer[];
  readonly children?: readonly string[];
  readonly subject?: string;
}

function known({ mediaType, document, blobs = [], children = [], subject }: Content): KnownManifest {
  const data = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  return { mediaType, digest: digestOf(data), size: data.length, data, blobs, children, subject };
}

const descriptor = (mediaType: string, data: Buffer) => ({ mediaType, digest: digestOf(data), size: data.length });

export function makeImage(choices: Choices, material: Material, subject?: KnownManifest): KnownManifest {
  const config = material.config();
  const layers = Array.from({ length: 1 + choices.below(3) }, () => material.layer());
  const mediaType = subject === undefined && choices.chance(0.4) ? DOCKER_IMAGE : IMAGE;
  const isDocker = mediaType === DOCKER_IMAGE;
  const layerType = isDocker
    ? "application/vnd.docker.image.rootfs.diff.tar.gzip"
    : "application/vnd.oci.image.layer.v1.tar+gzip";
  const configType = isDocker
    ? "application/vnd.docker.container.image.v1+json"
    : "application/vnd.oci.image.config.v1+json";
  const attached =
    subject === undefined
      ? {}
      : { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } };
  const document = {
    config: descriptor(configType, config),
    layers: layers.map((layer) => descriptor(layerType, layer)),
    ...attached,
  };
  return known({
    mediaType,
    document,
    blobs: [config, ...layers],
    ...(subject === undefined ? {} : { subject: subject.digest }),
  });
}

export function makeIndex(choices: Choices, children: readonly KnownManifest[]): KnownManifest {
  const manifests = children.map(({ mediaType, digest, size }, at) => ({
    mediaType,
    digest,
    size,
    platform: { os: "linux", architecture: ["amd64", "arm64", "s390x"][at % 3] },
  }));
  const isDocker = children.every(({ mediaType }) => mediaType === DOCKER_IMAGE) || choices.chance(0.3);
  return known({
    mediaType: isDocker ? DOCKER_INDEX : INDEX,
    document: { manifests },
    children: children.map(({ digest }) => digest),
  });
}

/** A manifest put as a client puts it; what the registry answered. */
async function put(
  client: PushClient,
  repository: string,
  tag: string | undefined,
  manifest: KnownManifest,
): Promise<Push> {
  const began = performance.now();
  const outcome = await client
    .send("PUT", `/v2/${repository}/manifests/${tag ?? manifest.digest}`, {
      headers: { "content-type": manifest.mediaType },
      body: manifest.data,
    })
    .then(({ status }) => (status === 201 ? "told" : status >= 400 && status < 500 ? "refused" : "unknown"))
    .catch(() => "unknown" as const);
  return { repository, tag, manifest, outcome, tookMs: performance.now() - began };
}

/** True when every blob is there, or was mounted from the other repository. */
async function putBlobs(
  client: PushClient,
  repository: string,
  blobs: readonly Buffer[],
  from?: string,
): Promise<boolean> {
  const uploads = await Promise.allSettled(
    blobs.map(async (data) => {
      const isMounted = from !== undefined && (await client.mount(repository, digestOf(data), from));
      if (!isMounted) await client.pushBlob(repository, data);
    }),
  );
  return uploads.every(({ status }) => status === "fulfilled");
}

const NAMES = {
  image: 5,
  index: 4,
  attach: 2,
  mount: 2,
  again: 4,
  retag: 3,
  nested: 1,
  layers: 1,
} as const;

/** Draws a push; what it refers to is what clients know at that moment. */
export function drawPush(choices: Choices, facts: Facts, material: Material, timing: Timing): PushAction {
  const kind = choices.weighed(NAMES);
  const repository = choices.among(REPOSITORIES);
  const tag = choices.chance(0.8) ? choices.among(TAGS) : undefined;
  const here = [...factsOf(facts.repositories, repository).revisions.keys()].flatMap(
    (digest) => facts.manifests.get(digest) ?? [],
  );
  const everywhere = knownRevisions(facts);
  const pause = () => (timing.pauseMs > 0 ? delay(timing.pauseMs) : undefined);
  const action = (what: string, run: PushAction["run"]): PushAction => ({
    name: `${what} ${repository}${tag === undefined ? "" : `:${tag}`} (${timing.startMs}/${timing.pauseMs} ms)`,
    async run(client) {
      if (timing.startMs > 0) await delay(timing.startMs);
      return run(client);
    },
  });
  const one = (what: string, manifest: KnownManifest, from?: string): PushAction =>
    action(`${what} ${manifest.digest.slice(7, 15)} to`, async (client) => {
      if (!(await putBlobs(client, repository, manifest.blobs, from))) return [];
      await pause();
      return [await put(client, repository, tag, manifest)];
    });
  /** Children first, each by its digest, as clients do. */
  const many = (what: string, index: KnownManifest, children: readonly KnownManifest[]): PushAction =>
    action(`${what} ${index.digest.slice(7, 15)} to`, async (client) => {
      const pushes: Push[] = [];
      for (const child of children) {
        if (!(await putBlobs(client, repository, child.blobs))) return pushes;
        pushes.push(await put(client, repository, undefined, child));
        if (pushes.at(-1)?.outcome !== "told") return pushes;
      }
      await pause();
      return [...pushes, await put(client, repository, tag, index)];
    });
  const images = here.filter(({ children }) => children.length === 0);
  switch (kind) {
    case "index": {
      const children = Array.from({ length: 1 + choices.below(3) }, () =>
        images.length > 0 && choices.chance(0.3) ? choices.among(images) : makeImage(choices, material),
      );
      return many("push index", makeIndex(choices, children), children);
    }
    case "nested": {
      const inner = here.filter(({ children }) => children.length > 0);
      if (inner.length === 0) break;
      const child = choices.among(inner);
      const index = makeIndex(choices, [child]);
      return action(`push nested index ${index.digest.slice(7, 15)} to`, async (client) => [
        await put(client, repository, tag, index),
      ]);
    }
    case "attach": {
      if (here.length === 0) break;
      const subject = choices.among(here);
      const artifact = makeImage(choices, material, subject);
      return action(`attach ${artifact.digest.slice(7, 15)} to ${subject.digest.slice(7, 15)} in`, async (client) => {
        if (!(await putBlobs(client, repository, artifact.blobs))) return [];
        await pause();
        return [await put(client, repository, undefined, artifact)];
      });
    }
    case "mount":
    case "again": {
      if (everywhere.length === 0) break;
      const { repository: from, digest } = choices.among(everywhere);
      const manifest = facts.manifests.get(digest);
      if (manifest === undefined) break;
      if (manifest.children.length > 0) {
        const children = manifest.children.flatMap((child) => facts.manifests.get(child) ?? []);
        return many("push again index", manifest, children);
      }
      return kind === "mount" ? one(`mount from ${from} and push`, manifest, from) : one("push again", manifest);
    }
    case "retag": {
      if (here.length === 0) break;
      const manifest = choices.among(here);
      return action(`retag ${manifest.digest.slice(7, 15)} in`, async (client) => [
        await put(client, repository, tag, manifest),
      ]);
    }
    case "layers": {
      const layers = [material.layer(), material.layer()];
      return action("push layers alone to", async (client) => {
        await putBlobs(client, repository, layers);
        return [];
      });
    }
    default:
  }
  return one("push", makeImage(choices, material));
}
