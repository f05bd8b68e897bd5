import type { TrustPair } from "../../probe/client-files.ts";
import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { loadPair, refusalReason } from "../client-pair.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";
import { ownPairs } from "./trust-folders.ts";

const ALERTS =
  /BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE/;

/** Whether the server refuses us for want of a client certificate. In TLS 1.3 it says so only after the handshake. */
export function wantsClientCertificate({ tls, secure }: Pick<EndpointFacts, "tls" | "secure">): boolean {
  if (isAnswer(secure)) return secure.status === 400 && /SSL certificate|certificate was sent/i.test(secure.body);
  return ALERTS.test(secure?.failure ?? tls?.failure ?? "");
}

function described(pair: TrustPair, now: Date): string {
  const loaded = loadPair(pair);
  const why =
    typeof loaded === "string"
      ? loaded
      : (refusalReason(loaded.certificatePem, now) ?? "its CA is not among those it accepts, or it was revoked");
  return `${pair.certificatePath} (${why})`;
}

export const clientCertificate: Check<EndpointFacts> = {
  id: "client-certificate",
  title: "it asks for no client certificate, or takes this machine's",
  async examine(facts) {
    if (!wantsClientCertificate(facts)) return undefined;
    const name = targetName(facts.target);
    const cause = `${name} lets in only who shows a client certificate`;
    const pairs = ownPairs(facts);
    const place = `/etc/docker/certs.d/${name}/client.cert and client.key`;
    if (facts.isOwn) return broken(`${cause}, and does not take regctl's own`, "regctl up");
    if (pairs.length > 0)
      return broken(
        `${cause}, and does not take what this machine has: ${pairs.map((pair) => described(pair, facts.now)).join("; ")}`,
        "on the registry's host: have a client certificate issued for this machine: `regctl certs client NAME`",
        `on this machine: put it into ${place}; no restart is needed`,
      );
    return broken(
      `${cause}, and this machine has none: "remote error: tls: bad certificate", "certificate required"`,
      "on the registry's host: have a client certificate issued for this machine: `regctl certs client NAME`",
      `on this machine: put it into ${place}; no restart is needed`,
    );
  },
};
