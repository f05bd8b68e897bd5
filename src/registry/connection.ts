import { request as requestPlain } from "node:http";
import { type RequestOptions, request as requestTls } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { Secret } from "../secret.ts";

/** What a client shows of itself, PEM. */
export interface ClientPair {
  readonly certificatePem: string;
  readonly keyPem: Secret;
}

/** Where a connection goes and whom it trusts. */
export interface ConnectionTarget {
  readonly url: URL;
  /** Where to connect instead of what the name resolves to. */
  readonly address?: string | undefined;
  /** PEM of the authorities to trust; undefined = the public ones. */
  readonly authorities?: string | readonly string[] | undefined;
  /** Shown to a server that asks for a certificate. */
  readonly client?: ClientPair | undefined;
}

/** Node's options for a request to that URL: its name is what is asked for and checked, wherever it is connected to. */
export function connectionOptions({ url, address, authorities, client }: ConnectionTarget): RequestOptions {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host: address ?? host,
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    ...(authorities === undefined ? {} : { ca: typeof authorities === "string" ? authorities : [...authorities] }),
    ...(client === undefined ? {} : { cert: client.certificatePem, key: client.keyPem.reveal() }),
    // SNI must not carry an address (RFC 6066 §3); Node would then check the one it connects to.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  };
}

/** The function of Node that speaks the URL's protocol. */
export function requesterFor(url: URL): typeof requestPlain | typeof requestTls {
  return url.protocol === "https:" ? requestTls : requestPlain;
}
