/** Tries the beginning of a push on a registry, and takes it back. */
import type { EndpointFacts } from "../doctor/endpoint-facts.ts";
import { lookAtUploads } from "../probe/upload.ts";
import type { Authorize, Endpoint } from "./identify.ts";

/** A repository nobody has: an upload that is begun and taken back makes no image and is in no catalog. */
const PROBE_REPOSITORY = "regctl-doctor/probe";

export async function pushProbe(
  endpoint: Endpoint,
  authorize: Authorize,
): Promise<Pick<EndpointFacts, "upload" | "uploadWithheld">> {
  const repository = endpoint.target.repository ?? PROBE_REPOSITORY;
  const authorization = await authorize(`repository:${repository}:pull,push`);
  const secret = authorization === undefined ? {} : { authorization };
  return { upload: await lookAtUploads({ ...endpoint, ...secret, url: endpoint.root, repository }) };
}
