import { type HttpAnswer, isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, quoted } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { wantsClientCertificate } from "./client-certificate.ts";

/** Whether an answer to `GET /v2/` can be a registry's. */
export function isRegistry({ status, headers, body }: HttpAnswer): boolean {
  if (status !== 200 && status !== 401) return false;
  // A proxy that asks for the login in the registry's place answers in HTML.
  if (status === 401 && headers["www-authenticate"] !== undefined) return true;
  if (headers["docker-distribution-api-version"] !== undefined) return true;
  // Other registries leave the header out; what a web site sends is HTML.
  return !/html/.test(headers["content-type"] ?? "") && !/^\s*</.test(body);
}

function description({ status, headers }: HttpAnswer): string {
  if (status >= 300 && status < 400) return `redirects (${status}) to ${quoted(headers.location ?? "")}`;
  const type = headers["content-type"];
  return `answers ${status}${type === undefined ? "" : ` with ${quoted(type)}`}`;
}

/** The gateway's own words for a registry behind it that does not answer are another check's. */
const GATEWAY = new Set([502, 503, 504]);

export const answersAsRegistry: Check<EndpointFacts> = {
  id: "answers-as-registry",
  title: "a registry answers on /v2/",
  async examine(facts) {
    const { answer, target } = facts;
    if (answer === undefined || wantsClientCertificate(facts)) return undefined;
    const url = `${target.scheme}://${target.host}:${target.port}/v2/`;
    if (!isAnswer(answer))
      return broken(
        `${url} gives no answer that can be read (${answer.failure})`,
        "on the registry's host: `regctl status` and `regctl logs`; behind a proxy: its error log",
      );
    if (isRegistry(answer) || GATEWAY.has(answer.status)) return undefined;
    if (answer.status >= 500)
      return broken(
        `${url} answers ${answer.status}: the registry itself fails`,
        "on its host: `regctl logs`, `regctl status`",
      );
    return broken(
      `${url} ${description(answer)} and without Docker-Distribution-Api-Version: something else than a registry answers, docker says "invalid character '<'" or "404"`,
      "in the proxy: send all of /v2/ to the registry, with its path unchanged: location /v2/ { proxy_pass http://registry:5000; }",
      `on this machine: see that ${target.port} is the registry's port: ${url}`,
    );
  },
};
