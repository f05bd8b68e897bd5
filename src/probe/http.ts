/** One HTTP request on a connection of its own: bounded in time and size, redirects told and never followed. */

import { request as requestPlain } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestTls } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import { systemCodeOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { isLoopback } from "./address.ts";

/** A client certificate, PEM. */
export interface ClientPair {
  readonly certificatePem: string;
  readonly keyPem: Secret;
}

export interface HttpQuestion {
  readonly url: URL;
  /** Where to connect, whatever the name resolves to. */
  readonly address: string;
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** PEM to verify the server with; absent = any certificate will do, and then no secret is sent but to this machine. */
  readonly verifyWith?: readonly string[];
  /** The whole Authorization header. */
  readonly authorization?: Secret;
  /** Shown to a server that asks for a client certificate. */
  readonly pair?: ClientPair;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case, repeated ones joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of the body. */
  readonly body: string;
  /** When it came, by this machine's clock. */
  readonly at: Date;
}

/** No answer: Node's code, such as `ECONNRESET`, `ETIMEDOUT`, `HPE_HEADER_OVERFLOW`. */
export interface HttpFailure {
  readonly failure: string;
}

export type HttpResult = HttpAnswer | HttpFailure;

export function isAnswer(result: HttpResult | undefined): result is HttpAnswer {
  return result !== undefined && "status" in result;
}

const BODY_BYTES = 64 * 1024;
const BODY_MS = 3000;

/** Whether credentials may go there: the server is verified, or the connection never leaves this machine. */
export function maySendSecret({
  url,
  address,
  verifyWith,
}: Pick<HttpQuestion, "url" | "address" | "verifyWith">): boolean {
  return (url.protocol === "https:" && verifyWith !== undefined) || isLoopback(address);
}

/** Never rejects for what the server does; throws when a secret would go where it could be read. */
export async function ask(question: HttpQuestion): Promise<HttpResult> {
  const { url, address, authorization } = question;
  if (authorization !== undefined && !maySendSecret(question))
    throw new Error(`credentials are not sent to ${url.host}: it is not verified`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { method, verifyWith, body } = question;
  const isTls = url.protocol === "https:";
  return new Promise((resolve) => {
    const request = (isTls ? requestTls : requestPlain)({
      host: address,
      port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method,
      // Replicas behind a gateway are only met on connections of their own.
      agent: false,
      headers: {
        host: url.host,
        "accept-encoding": "identity",
        connection: "close",
        ...(body === undefined ? {} : { "content-length": String(body.length) }),
        ...question.headers,
        ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
      },
      ...(isTls ? { ...tlsOptions(host, verifyWith), ...shown(question.pair) } : {}),
    });
    const end = (result: HttpResult): void => {
      clearTimeout(timer);
      resolve(result);
      request.destroy();
    };
    let timer = setTimeout(() => end({ failure: "ETIMEDOUT" }), question.timeoutMs);
    request.on("error", (error) => end({ failure: systemCodeOf(error) ?? "EPROTO" }));
    request.on("response", (response) => {
      const at = new Date();
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        const text = Buffer.concat(chunks).subarray(0, BODY_BYTES).toString("utf8");
        end({ status: response.statusCode ?? 0, headers: joined(response.headers), body: text, at });
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= BODY_BYTES) finish();
      });
      response.on("end", finish);
      // What came before it broke off is answer enough.
      response.on("error", finish);
      // A body that drips is not waited for.
      clearTimeout(timer);
      timer = setTimeout(finish, Math.min(question.timeoutMs, BODY_MS));
    });
    request.end(body);
  });
}

/** Options of Node's TLS that show a client certificate where one is asked for. */
export function shown(pair: ClientPair | undefined): { readonly cert?: string; readonly key?: string } {
  return pair === undefined ? {} : { cert: pair.certificatePem, key: pair.keyPem.reveal() };
}

function tlsOptions(host: string, verifyWith: readonly string[] | undefined): object {
  const name = isIP(host) === 0 ? { servername: host } : {};
  // A server only old clients can speak to is named elsewhere; here its answer is what matters.
  if (verifyWith === undefined)
    return { ...name, rejectUnauthorized: false, minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" };
  return {
    ...name,
    ca: [...verifyWith],
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  };
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value] as const],
  );
  return Object.fromEntries(entries);
}

/** The status of a GET over HTTP/2, where the server offers it; any certificate will do. Never rejects. */
export function askHttp2(question: Pick<HttpQuestion, "url" | "address" | "timeoutMs" | "pair">): Promise<HttpResult> {
  const { url, address, timeoutMs } = question;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const session = connectHttp2(url.origin, {
      createConnection: () =>
        connectTls({
          host: address,
          port: url.port === "" ? 443 : Number(url.port),
          ALPNProtocols: ["h2"],
          ...tlsOptions(host, undefined),
          ...shown(question.pair),
        }),
    });
    const end = (result: HttpResult): void => {
      clearTimeout(timer);
      resolve(result);
      session.destroy();
    };
    const timer = setTimeout(() => end({ failure: "ETIMEDOUT" }), timeoutMs);
    const failed = (error: unknown): void => end({ failure: systemCodeOf(error) ?? "EPROTO" });
    session.on("error", failed);
    const stream = session.request({ ":path": url.pathname, ":method": "GET" });
    stream.on("error", failed);
    stream.on("response", (headers) =>
      end({ status: Number(headers[":status"]), headers: {}, body: "", at: new Date() }),
    );
    stream.on("close", () => end({ failure: "ECONNRESET" }));
    stream.end();
  });
}
