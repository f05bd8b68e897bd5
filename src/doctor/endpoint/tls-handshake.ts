import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { wantsClientCertificate } from "./client-certificate.ts";

/** By Node's code, which carries OpenSSL's reason. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^ETIMEDOUT$/, "it takes the connection and then says nothing"],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, "it speaks only versions of TLS that nobody takes any more"],
  [/UNRECOGNIZED_NAME|INTERNAL_ERROR/, "it has no certificate for this name"],
  [
    /HANDSHAKE_FAILURE|NO_SHARED_CIPHER|NO_CIPHER/,
    "it and this client have no cipher in common, or it has no certificate",
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE|EPROTO/, "what it says is not TLS"],
  [/^ECONNRESET$|^EPIPE$/, "it breaks the connection off"],
];

export const tlsHandshake: Check<EndpointFacts> = {
  id: "tls-handshake",
  title: "the TLS handshake succeeds",
  async examine(facts) {
    const { target, tls, plain } = facts;
    const code = tls?.failure;
    if (target.scheme === "http" || code === undefined || isAnswer(plain) || wantsClientCertificate(facts))
      return undefined;
    const why = REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? "the handshake fails";
    return broken(
      `no TLS with ${target.host} on port ${target.port}: ${why} (${code})`,
      `see it yourself: openssl s_client -connect ${target.host}:${target.port} -servername ${target.host}`,
      "on the registry's host: `regctl logs`; behind a proxy: its error log, and whether it has a certificate for this very name",
    );
  },
};
