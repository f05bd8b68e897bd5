import { isLoopback } from "../../probe/address.ts";
import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";

export const speaksTls: Check<EndpointFacts> = {
  id: "speaks-tls",
  title: "it speaks what the address says: TLS",
  async examine({ target, tls, plain, address = "" }) {
    const name = targetName(target);
    const isSecure = tls !== undefined && tls.failure === undefined;
    if (target.scheme === "http") {
      if (isSecure)
        return broken(
          `port ${target.port} speaks TLS and http:// was asked for: "Client sent an HTTP request to an HTTPS server"`,
          `name it https://${name}; take ${name} out of insecure-registries, and http:// out of mirrors and scripts`,
        );
      if (!isAnswer(plain) || isLoopback(address)) return undefined;
      return warning(
        `${name} is plain HTTP: whoever is on the way reads passwords and changes images; docker refuses it unless told otherwise`,
        "on the registry's host: remove tls.mode: none from regctl.yaml, then `regctl up`",
      );
    }
    if (isSecure || !isAnswer(plain)) return undefined;
    return broken(
      `port ${target.port} speaks plain HTTP, not TLS (HTTP status ${plain.status}): docker says "server gave HTTP response to HTTPS client"`,
      "on the registry's host: remove tls.mode: none from regctl.yaml and run `regctl up`; behind a proxy: listen 443 ssl with a certificate",
      `on clients, as a last resort in a network of your own: "insecure-registries": ["${name}"] in /etc/docker/daemon.json, then kill -HUP $(pidof dockerd)`,
    );
  },
};
