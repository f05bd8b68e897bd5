import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const http2Works: Check<EndpointFacts> = {
  id: "http2-works",
  title: "HTTP/2, where it is offered, works",
  async examine({ http2, answer, target }) {
    if (http2 === undefined || !isAnswer(answer)) return undefined;
    if (isAnswer(http2) && (http2.status === answer.status || http2.status < 500)) return undefined;
    const what = isAnswer(http2) ? `answers ${http2.status}` : `fails (${http2.failure})`;
    return broken(
      `${target.host} offers HTTP/2, which ${what}, while HTTP/1.1 answers ${answer.status}: docker takes HTTP/2 when it is offered`,
      "in the proxy: turn HTTP/2 off for this server (nginx: remove http2 from listen), or http.http2.disabled: true of the registry",
    );
  },
};
