/** Begins uploads, sends to them, and takes them back: what a push meets on its way through gateways and replicas. */
import { ask, type HttpQuestion, type HttpResult, isAnswer } from "./http.ts";

export interface UploadLook {
  /** The first POST. */
  readonly begun: HttpResult;
  /** Its Location, as sent. */
  readonly location?: string;
  /** PATCHes of a few bytes, each to an upload begun just before on another connection. */
  readonly rounds: readonly HttpResult[];
  /** A PATCH of 2 MB, where those were taken. */
  readonly large?: HttpResult;
}

export type UploadQuestion = Pick<
  HttpQuestion,
  "url" | "address" | "verifyWith" | "authorization" | "pair" | "timeoutMs"
> & {
  /** `url` is the root of the API, ending in `/v2/`. */
  readonly repository: string;
};

/** More than nginx takes by itself (1 MB), as most layers are. */
const LARGE_BYTES = 2 * 1024 * 1024;
/** Replicas taken at random are told apart by four in 15 of 16 runs, taken in turn always. */
const ROUNDS = 4;
const DELETE_ATTEMPTS = 3;

/** Never rejects; leaves no upload behind where the registry lets us take it back. */
export async function lookAtUploads(question: UploadQuestion): Promise<UploadLook> {
  const begun = await begin(question);
  const location = isAnswer(begun) ? begun.headers.location : undefined;
  const seen = { begun, ...(location === undefined ? {} : { location }) };
  const rounds: HttpResult[] = [];
  let next = uploadUrl(question.url, begun);
  for (let round = 0; next !== undefined && round < ROUNDS; round += 1) {
    const patched = await send(question, next, Buffer.from("regctl"));
    rounds.push(patched);
    await takeBack(question, uploadUrl(question.url, patched) ?? next);
    next = uploadUrl(question.url, await begin(question));
  }
  if (next === undefined) return { ...seen, rounds };
  // Replicas at odds break off what is large, and the gateway then leaves one of them out: nothing would be learned.
  const isSteady = rounds.every((round) => isAnswer(round) && round.status === 202);
  const large = isSteady ? await send(question, next, new Uint8Array(LARGE_BYTES)) : undefined;
  await takeBack(question, (large && uploadUrl(question.url, large)) ?? next);
  return { ...seen, rounds, ...(large === undefined ? {} : { large }) };
}

function begin(question: UploadQuestion): Promise<HttpResult> {
  const url = new URL(`${question.repository}/blobs/uploads/`, question.url);
  return ask({ ...question, url, method: "POST", body: new Uint8Array(0) });
}

function send(question: UploadQuestion, url: URL, body: Uint8Array): Promise<HttpResult> {
  const headers = { "content-type": "application/octet-stream", "content-range": `0-${body.length - 1}` };
  return ask({ ...question, url, method: "PATCH", headers, body });
}

/** Where an upload goes on: the path of its Location, on the registry's own host whatever the Location says. */
function uploadUrl(root: URL, result: HttpResult): URL | undefined {
  if (!isAnswer(result) || result.status !== 202) return undefined;
  const { location = "" } = result.headers;
  if (!URL.canParse(location, root.href)) return undefined;
  const { pathname, search } = new URL(location, root);
  return pathname.includes("/blobs/uploads/") ? new URL(`${pathname}${search}`, root.origin) : undefined;
}

/** Each replica knows its own uploads only; a DELETE may have to be sent again until it meets the right one. */
async function takeBack(question: UploadQuestion, url: URL): Promise<void> {
  for (let attempt = 0; attempt < DELETE_ATTEMPTS; attempt += 1) {
    const result = await ask({ ...question, url, method: "DELETE" });
    if (isAnswer(result) && result.status === 204) return;
  }
}
