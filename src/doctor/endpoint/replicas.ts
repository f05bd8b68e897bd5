/** What PATCHes on other connections say of the replicas behind one address. */
import { type HttpAnswer, isAnswer } from "../../probe/http.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

function patches({ upload }: EndpointFacts): HttpAnswer[] {
  return [...(upload?.rounds ?? []), upload?.large].filter(isAnswer);
}

/** Answers that refuse an upload begun a moment before: `BLOB_UPLOAD_UNKNOWN`, `BLOB_UPLOAD_INVALID`. */
export function refusedUploads(facts: EndpointFacts, code: string): { readonly refused: number; readonly all: number } {
  const all = patches(facts);
  return {
    refused: all.filter(({ status, body }) => status >= 400 && body.includes(`"${code}"`)).length,
    all: all.length,
  };
}
