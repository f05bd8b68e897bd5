/** Getting an image: local, pulled, or assembled from the host's own distribution packages. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { formatBytes } from "../bytes.ts";
import { DEFAULT_IMAGE } from "../config/defaults.ts";
import type { Engine, PullProgress } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { parseReference } from "../registry/reference.ts";
import type { OperationPorts } from "./ports.ts";
import { proxyEnvironment } from "./proxy-environment.ts";
import { withStep } from "./with-step.ts";

export type ImageSource = "local" | "pulled" | "packages";

export interface ObtainedImage {
  /** Differs from what was asked for only when the default image could not be pulled. */
  readonly reference: string;
  readonly source: ImageSource;
}

export interface ObtainOptions {
  readonly reference: string;
  /** No network at all: only what the engine already has. */
  readonly offline: boolean;
}

/** Images regctl assembles itself; no registry has them. */
const ASSEMBLED_REPOSITORY = "regctl/registry";

export function isAssembled(reference: string): boolean {
  return reference.startsWith(`${ASSEMBLED_REPOSITORY}:`);
}

function pullWords(progress: PullProgress): string {
  const bytes =
    progress.bytesTotal === 0 ? "" : ` ${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesTotal)}`;
  return progress.layersTotal === 0 ? progress.status : `layer ${progress.layersDone}/${progress.layersTotal}${bytes}`;
}

async function localAssembled(ports: OperationPorts, engine: Engine): Promise<string | undefined> {
  const images = await engine.images.list({ signal: ports.signal });
  return images.flatMap((image) => image.tags).find(isAssembled);
}

/** Pulls with the credentials docker has for that registry; progress by layer. */
export async function pullImage(ports: OperationPorts, engine: Engine, reference: string): Promise<void> {
  const failure = await tryPull(ports, engine, reference, () => false);
  if (failure !== undefined) throw failure;
}

/** Resolves to the failure when it is one the caller can do without the image for; others are thrown. */
async function tryPull(
  ports: OperationPorts,
  engine: Engine,
  reference: string,
  isBearable: (error: RegctlError) => boolean,
): Promise<RegctlError | undefined> {
  const { domain } = parseReference(reference);
  const credentials = await ports.findCredentials(domain).catch((error: unknown) => {
    if (!(error instanceof RegctlError) || error.code !== "operation-failed") throw error;
    ports.output.warn(`${error.message}; pulling without credentials`);
    return undefined;
  });
  return withStep(ports.progress, `pull ${reference}`, async (step) => {
    try {
      const onProgress = (progress: PullProgress) => step.update(pullWords(progress));
      await engine.images.pull(reference, { signal: ports.signal, credentials, onProgress });
      return { value: undefined };
    } catch (error) {
      if (error instanceof RegctlError && isBearable(error)) return { value: error, words: "not reachable" };
      throw error;
    }
  });
}

function isForNetworkReasons(error: RegctlError): boolean {
  return error.code === "image-unavailable" && error.details?.reason === "network";
}

/** Assembles the registry image from packages and loads it; resolves to its reference. */
export async function buildRegistryImage(ports: OperationPorts, engine: Engine): Promise<string> {
  const [{ assembleImage }, { registryRecipe }, { readOsRelease }] = await Promise.all([
    import("../packages/assemble.ts"),
    import("../packages/recipe.ts"),
    import("../host/os-release.ts"),
  ]);
  const os = await readOsRelease();
  return withStep(ports.progress, "assemble the registry image from packages", async (step) => {
    const image = await assembleImage(registryRecipe, {
      run: ports.run,
      workDirectory: ports.cacheDirectory,
      distribution: os.id,
      env: proxyEnvironment(ports.environment),
      onProgress: (what) => step.update(what),
      signal: ports.signal,
    });
    try {
      await engine.images.load(createReadStream(image.archivePath), { signal: ports.signal });
    } finally {
      await rm(image.archivePath, { force: true });
    }
    return { value: image.reference, words: image.reference };
  });
}

/**
 * Makes sure the engine has the image. Another one than asked for is taken only when the DEFAULT reference cannot be
 * pulled for reasons of the network, and that is announced; a wrong reference is an error (`image-unavailable`).
 */
export async function obtainImage(
  ports: OperationPorts,
  engine: Engine,
  options: ObtainOptions,
): Promise<ObtainedImage> {
  const { reference, offline } = options;
  if ((await engine.images.inspect(reference, { signal: ports.signal })) !== undefined)
    return { reference, source: "local" };

  const isDefault = reference === DEFAULT_IMAGE;
  if (offline) {
    const assembled = isDefault ? await localAssembled(ports, engine) : undefined;
    if (assembled !== undefined) return { reference: assembled, source: "local" };
    throw new RegctlError(
      "image-unavailable",
      `this engine does not have ${reference}, and --offline forbids to fetch it`,
      {
        hint: `on a connected host: regctl images save --output images.tar ${reference}; here: regctl images load images.tar`,
      },
    );
  }
  if (isAssembled(reference)) {
    const built = await buildRegistryImage(ports, engine);
    if (built === reference) return { reference, source: "packages" };
    throw new RegctlError("image-unavailable", `this host's packages make ${built}, not ${reference}`, {
      hint: `set image: ${built} in regctl.yaml, then run \`regctl up\``,
    });
  }
  const failure = await tryPull(ports, engine, reference, (error) => isDefault && isForNetworkReasons(error));
  if (failure === undefined) return { reference, source: "pulled" };
  ports.output.warn(`${failure.message}; taking the registry from this host's packages instead`);
  const assembled = (await localAssembled(ports, engine)) ?? (await buildRegistryImage(ports, engine));
  return { reference: assembled, source: "packages" };
}
