/** Looks whether the layers of an image are there, where the registry says they are. */
import type { BlobFacts, ImageFacts } from "../doctor/endpoint-facts.ts";
import { ask, isAnswer } from "../probe/http.ts";
import type { Authorize, Endpoint } from "./identify.ts";

const MOST_BLOBS = 20;
const DIGEST = /^[a-z0-9]+:[a-f0-9]{32,128}$/;
const ACCEPT = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

/** undefined when no image was named. A list of platforms is looked at alone, its images are not. */
export async function lookAtImage(endpoint: Endpoint, authorize: Authorize): Promise<ImageFacts | undefined> {
  const { repository, reference } = endpoint.target;
  if (repository === undefined || reference === undefined) return undefined;
  const authorization = await authorize(`repository:${repository}:pull`);
  const common = { ...endpoint, ...(authorization === undefined ? {} : { authorization }) };
  const url = new URL(`${repository}/manifests/${reference}`, endpoint.root);
  const manifest = await ask({ ...common, url, method: "GET", headers: { accept: ACCEPT } });
  const digests = isAnswer(manifest) && manifest.status === 200 ? blobsOf(manifest.body) : [];
  const blobs: BlobFacts[] = [];
  for (const digest of digests) {
    const at = { ...common, url: new URL(`${repository}/blobs/${digest}`, endpoint.root) };
    const head = await ask({ ...at, method: "HEAD" });
    blobs.push({ digest, head, get: await ask({ ...at, method: "GET", headers: { range: "bytes=0-0" } }) });
  }
  return { name: `${repository}:${reference}`, manifest, blobs };
}

function blobsOf(text: string): string[] {
  try {
    const { config, layers } = JSON.parse(text) as { config?: unknown; layers?: unknown };
    const listed = [config, ...(Array.isArray(layers) ? layers : [])] as readonly ({ digest?: unknown } | undefined)[];
    const digests = listed.map((one) => one?.digest);
    return digests.filter((one): one is string => typeof one === "string" && DIGEST.test(one)).slice(0, MOST_BLOBS);
  } catch {
    return [];
  }
}
