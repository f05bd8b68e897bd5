import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, quoted, unknown } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const GATEWAY = new Set([502, 503, 504]);

export const uploadBegins: Check<EndpointFacts> = {
  id: "upload-begins",
  title: "a push can begin",
  async examine({ upload, target }) {
    if (upload === undefined) return undefined;
    const { begun } = upload;
    if (!isAnswer(begun))
      return broken(
        `${target.host} gives no answer to the beginning of a push (${begun.failure})`,
        "on the registry's host: `regctl logs`; behind a proxy: its error log",
      );
    const { status, body, headers } = begun;
    if (status === 202 && upload.location !== undefined) return undefined;
    if (status === 202)
      return broken(
        `${target.host} begins a push and says not where it goes on: the header Location is missing`,
        "in the proxy: pass Location on",
      );
    if (GATEWAY.has(status)) return undefined;
    if (status === 405)
      return unknown(
        `${target.host} takes no pushes (405): it is a mirror, or read-only`,
        "when pushes are meant to work: remove proxy, or storage.maintenance.readonly, from its configuration",
      );
    if (status === 401 || status === 403)
      return unknown(
        `pushes are not allowed with this login (${status}), so none was tried`,
        "give a user that may push: --user NAME",
      );
    if (status >= 500)
      return broken(
        `a push fails at once with ${status}: ${quoted(body.trim())}; most often the storage is full or may not be written`,
        "on the registry's host: `regctl status`, df -h, `regctl logs`",
      );
    return broken(
      `a push begins with ${status}${headers.location === undefined ? "" : ` to ${quoted(headers.location)}`} instead of 202`,
      "in the proxy: send POST, PATCH, PUT and DELETE of /v2/ to the registry as they come, without redirects",
    );
  },
};
