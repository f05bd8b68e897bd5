import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { refusedUploads } from "./replicas.ts";

export const replicaSecret: Check<EndpointFacts> = {
  id: "replica-secret",
  title: "every replica has the same http.secret",
  async examine(facts) {
    const { refused, all } = refusedUploads(facts, "BLOB_UPLOAD_INVALID");
    if (refused === 0) return undefined;
    return broken(
      `${refused} of ${all} uploads were refused with BLOB_UPLOAD_INVALID when they went on over another connection: several registries answer here, and each signs uploads with a secret of its own`,
      "give every replica one and the same http.secret (in regctl.yaml: registry.http.secret): openssl rand -hex 32; then restart them all",
    );
  },
};
