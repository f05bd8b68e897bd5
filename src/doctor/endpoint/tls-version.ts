import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const tlsVersion: Check<EndpointFacts> = {
  id: "tls-version",
  title: "it speaks TLS 1.2 or newer",
  async examine({ target, tls }) {
    const { protocol = "" } = tls ?? {};
    if (target.scheme === "http" || !/^(SSL|TLSv1$|TLSv1\.1$)/.test(protocol)) return undefined;
    return broken(
      `${target.host} speaks ${protocol} at most: docker, curl and Node of today want TLS 1.2 or newer`,
      "in the proxy's configuration: ssl_protocols TLSv1.2 TLSv1.3; or http.tls.minimumtls: tls1.2 of the registry",
    );
  },
};
