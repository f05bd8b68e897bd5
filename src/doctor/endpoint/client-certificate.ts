import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, unknown } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";

const ALERTS = /BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE/;

/** Whether the server refuses us for want of a client certificate. In TLS 1.3 it says so only after the handshake. */
export function wantsClientCertificate({ tls, secure }: Pick<EndpointFacts, "tls" | "secure">): boolean {
  if (isAnswer(secure)) return secure.status === 400 && /SSL certificate|certificate was sent/i.test(secure.body);
  return ALERTS.test(secure?.failure ?? tls?.failure ?? "");
}

export const clientCertificate: Check<EndpointFacts> = {
  id: "client-certificate",
  title: "it asks for no client certificate",
  async examine(facts) {
    if (!wantsClientCertificate(facts)) return undefined;
    const name = targetName(facts.target);
    const cause = `${name} lets in only who shows a client certificate`;
    const pairs = facts.client.folders.filter(
      ({ files }) => files.some((one) => one.name.endsWith(".cert")) && files.some((one) => one.name.endsWith(".key")),
    );
    const place = `/etc/docker/certs.d/${name}/client.cert and client.key`;
    if (facts.isOwn) return broken(`${cause}, and does not take regctl's own`, "regctl up");
    if (pairs.length > 0)
      return unknown(
        `${cause}; this machine has one in ${pairs.map(({ path }) => path).join(", ")}`,
        `what is behind was not looked at; try the certificate itself: curl --cert client.cert --key client.key https://${name}/v2/`,
      );
    return broken(
      `${cause}, and this machine has none: "remote error: tls: bad certificate", "certificate required"`,
      "on the registry's host: have a client certificate issued for this machine: `regctl certs client NAME`",
      `on this machine: put it into ${place}; no restart is needed`,
    );
  },
};
