import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, unknown } from "../diagnosis.ts";
import type { BlobFacts, EndpointFacts } from "../endpoint-facts.ts";

/** distribution 2.x answers from its cache with 200 and then has no byte to send. */
function isGone({ head, get }: BlobFacts): boolean {
  const promised = isAnswer(head) && head.status === 200 ? Number(head.headers["content-length"] ?? 0) : 0;
  if (!isAnswer(get)) return promised > 0;
  return get.status === 404 || (get.status < 300 && promised > 0 && get.body === "");
}

export const layersPresent: Check<EndpointFacts> = {
  id: "layers-present",
  title: "the layers of the image that was named are there",
  async examine({ image }) {
    if (image === undefined) return undefined;
    const { name, manifest, blobs } = image;
    if (!isAnswer(manifest) || manifest.status !== 200)
      return unknown(
        `the image ${name} was not found (${isAnswer(manifest) ? manifest.status : manifest.failure})`,
        "name an image that is there: regctl tags REPOSITORY",
      );
    const gone = blobs.filter(isGone);
    if (gone.length === 0) return undefined;
    const stale = gone.filter(({ head }) => isAnswer(head) && head.status === 200);
    const digests = gone.map(({ digest }) => digest).join(", ");
    if (stale.length > 0)
      return broken(
        `the registry says it has layers of ${name} and does not send them: ${digests}. A garbage collection removed them and the cache still knows them: pushes say "Layer already exists", pulls fail`,
        "on the registry's host: `regctl restart`, then push the image again; remove storage.cache.blobdescriptor from its configuration",
      );
    return broken(
      `layers of ${name} are gone: ${digests}`,
      "on the registry's host: `regctl fsck`; then push the image again",
    );
  },
};
