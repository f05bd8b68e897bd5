import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, quoted } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetUrl } from "../target.ts";

export const uploadLocation: Check<EndpointFacts> = {
  id: "upload-location",
  title: "a push goes on where it began",
  async examine({ upload, target }) {
    if (upload?.location === undefined || !isAnswer(upload.begun) || upload.begun.status !== 202) return undefined;
    const asked = new URL(targetUrl(target));
    if (!URL.canParse(upload.location, asked.href))
      return broken(
        `the Location of a push is no address: ${quoted(upload.location)}`,
        "in the proxy: pass Location on as it is",
      );
    const sent = new URL(upload.location, asked);
    if (sent.origin === asked.origin) return undefined;
    const shown = quoted(sent.origin);
    const setHost = `or give the registry its own address once: http.host: ${asked.origin} (in regctl.yaml: registry.http.host), or http.relativeurls: true`;
    if (sent.hostname !== asked.hostname)
      return broken(
        `a push begun at ${asked.origin} is sent on to ${shown}, another host: the proxy does not tell the registry its name`,
        "in nginx: proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;",
        setHost,
      );
    if (sent.protocol !== asked.protocol)
      return broken(
        `a push begun at ${asked.origin} is sent on to ${shown}: the proxy does not say that clients use TLS (X-Forwarded-Proto), so login and pull work and every push fails`,
        "in nginx: proxy_set_header X-Forwarded-Proto $scheme; in Apache: RequestHeader set X-Forwarded-Proto https",
        setHost,
      );
    return broken(
      `a push begun at ${asked.origin} is sent on to ${shown}: the port is lost on the way, as with "proxy_set_header Host $host"`,
      "in nginx: proxy_set_header Host $http_host;",
      setHost,
    );
  },
};
