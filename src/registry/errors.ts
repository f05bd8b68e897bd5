/** What goes wrong between us and a registry, as RegctlError: `details.reason` says which kind, for callers to act on. */
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";
import { wantsClientCertificate } from "./client.ts";

/** Append-only: part of what `--json` prints. */
export type FailureReason =
  | "network"
  | "timeout"
  | "tls"
  | "scheme"
  | "truncated"
  | "too-large"
  | "protocol"
  | "corrupt"
  | "redirect"
  | "unauthorized"
  | "denied"
  | "not-found"
  | "unsupported"
  | "rate-limit"
  | "refused"
  | "server";

/** What was being done, and with whom. */
export interface Deed {
  /** `list the repositories`: what follows "cannot". */
  readonly purpose: string;
  /** `registry.example.com:5000`, never more of a URL: queries carry signatures and tokens. */
  readonly host: string;
  readonly isTls: boolean;
}

export interface FailureParts {
  readonly hint: string;
  readonly status?: number | undefined;
  /** Codes of the distribution specification the registry named. */
  readonly codes?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** The error of a deed; code `not-found` for the reason of that name, `registry-failed` otherwise. */
export function failure(deed: Deed, reason: FailureReason, why: string, parts: FailureParts): RegctlError {
  const { hint, status, codes, cause } = parts;
  return new RegctlError(reason === "not-found" ? "not-found" : "registry-failed", `cannot ${deed.purpose}: ${why}`, {
    hint,
    cause,
    details: {
      registry: deed.host,
      reason,
      ...(status === undefined ? {} : { status }),
      ...(codes === undefined || codes.length === 0 ? {} : { codes }),
    },
  });
}

/** The kind of a failure made here; undefined for anything else. */
export function failureReason(error: unknown): FailureReason | undefined {
  if (!(error instanceof RegctlError)) return undefined;
  return error.details?.reason as FailureReason | undefined;
}

export function interrupted(deed: Deed, cause?: unknown): RegctlError {
  return new RegctlError("interrupted", `interrupted: ${deed.purpose}`, { cause });
}

/** Something answered, but not as the specification says. */
export function protocolFailure(deed: Deed, why: string, cause?: unknown): RegctlError {
  const url = `${deed.isTls ? "https" : "http"}://${deed.host}/v2/`;
  return failure(deed, "protocol", why, { hint: `see what answers there: \`curl -i ${url}\``, cause });
}

const UNTRUSTED = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);
/** Bytes that are no TLS record, as OpenSSL's versions name them. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST|RECORD_LAYER_FAILURE/;

/** Translates what Node says of a connection; `code` decides, as texts change between versions. */
export function networkFailure(deed: Deed, error: unknown): RegctlError {
  const { host } = deed;
  const code = systemCodeOf(error) ?? "";
  const say = (reason: FailureReason, why: string, hint: string) => failure(deed, reason, why, { hint, cause: error });
  if (code === "ECONNREFUSED") {
    return say("network", `nothing listens at ${host}`, "start the registry with `regctl up`, or correct the address");
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const name = host.replace(/:\d+$/, "");
    return say("network", `${name} has no address here`, `see what it resolves to: \`getent hosts ${name}\``);
  }
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return say("network", `no way leads to ${host}`, "check the address and this host's routes: `ip route`");
  }
  if (deed.isTls && (NOT_TLS.test(code) || (code === "EPROTO" && !wantsClientCertificate(error)))) {
    return say("scheme", `${host} answers without TLS`, `name it as http://${host} if it is meant to serve plain HTTP`);
  }
  if (wantsClientCertificate(error)) {
    const hint = `try it with a client certificate: \`curl --cert FILE --key FILE https://${host}/v2/\``;
    return say("tls", `${host} wants a client certificate, which is not supported here`, hint);
  }
  if (UNTRUSTED.has(code)) {
    const hint = "run again with NODE_EXTRA_CA_CERTS=/path/to/ca.crt, the certificate of its authority";
    return say("tls", `the certificate of ${host} is from an authority that is not trusted here`, hint);
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const why = code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet by this host's clock";
    return say("tls", `the certificate of ${host} ${why}`, "renew it with `regctl certs renew`, or correct the clock");
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const name = host.replace(/:\d+$/, "");
    const hint = `use a name the certificate has, or add this one: \`regctl certs issue ${name}\``;
    return say("tls", `the certificate of ${host} is for other names`, hint);
  }
  if (code.startsWith("HPE_")) {
    if (!deed.isTls && code !== "HPE_HEADER_OVERFLOW") {
      return say("scheme", `${host} does not answer as HTTP (${code})`, `name it as https://${host} if it serves TLS`);
    }
    return protocolFailure(deed, `${host} does not answer as HTTP (${code})`, error);
  }
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) {
    return say("tls", `no TLS connection to ${host} (${code})`, `see why: \`openssl s_client -connect ${host}\``);
  }
  return say("network", `the connection to ${host} failed: ${messageOf(error)}`, "try again");
}
