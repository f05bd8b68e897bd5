/** The version check of the distribution API, which tells whether a registry serves; everything else is in `api.ts`. */
import { systemCodeOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type ClientPair, connectionOptions, requesterFor } from "./connection.ts";

export interface PingTarget {
  /** `https://registry.example.com:5000`, as clients name it. */
  readonly url: string;
  /** Path under which the API lies: `/` unless distribution's http.prefix says otherwise. */
  readonly prefix?: string | undefined;
  /** Where to connect instead of what the name resolves to. */
  readonly address?: string | undefined;
  /** PEM of the authority to trust; undefined = the public ones. */
  readonly authorityPem?: string | undefined;
  /** Shown to a registry that asks for a certificate. */
  readonly client?: ClientPair | undefined;
  readonly credentials?: { readonly username: string; readonly password: Secret } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PingAnswer {
  readonly status: number;
  /** Answers with `Docker-Distribution-Api-Version: registry/2.0`: it is a registry and not something else on its port. */
  readonly isRegistry: boolean;
}

/** What OpenSSL calls the alert of a server that wants a client certificate. */
const WANTS_CERTIFICATE = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)$/;

/** A server that refuses us for want of a client certificate serves all the same. */
export function wantsClientCertificate(error: unknown): boolean {
  return WANTS_CERTIFICATE.test(systemCodeOf(error) ?? "");
}

/** GET /v2/ (distribution spec, "API version check"). Rejects with Node's own network or TLS error. */
export function ping(target: PingTarget): Promise<PingAnswer> {
  const url = new URL(`${(target.prefix ?? "/").replace(/\/$/, "")}/v2/`, target.url);
  const send = requesterFor(url);
  return new Promise((resolve, reject) => {
    const request = send(
      {
        ...connectionOptions({ url, address: target.address, authorities: target.authorityPem, client: target.client }),
        agent: false,
        timeout: 5_000,
        headers: { host: url.host },
        ...(target.signal === undefined ? {} : { signal: target.signal }),
        ...(target.credentials === undefined
          ? {}
          : { auth: `${target.credentials.username}:${target.credentials.password.reveal()}` }),
      },
      (response) => {
        response.resume();
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            isRegistry: response.headers["docker-distribution-api-version"] === "registry/2.0",
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer within 5 seconds")));
    request.on("error", reject);
    request.end();
  });
}
