import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, unknown } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

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
    const gone = blobs.filter(({ get }) => isAnswer(get) && get.status === 404);
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
