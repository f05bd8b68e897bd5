import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { refusedUploads } from "./replicas.ts";

export const replicaStorage: Check<EndpointFacts> = {
  id: "replica-storage",
  title: "every replica has the same storage",
  async examine(facts) {
    const { refused, all } = refusedUploads(facts, "BLOB_UPLOAD_UNKNOWN");
    if (refused === 0) return undefined;
    return broken(
      `${refused} of ${all} uploads were unknown (BLOB_UPLOAD_UNKNOWN) when they went on over another connection: several registries answer here, each with a storage of its own`,
      "give all replicas one storage (object storage, or one mounted folder), or run one: docker service scale REGISTRY=1",
    );
  },
};
