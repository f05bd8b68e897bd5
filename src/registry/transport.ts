/** One HTTP exchange: connections kept alive, bodies bounded and whole, silence limited. Knows no credentials. */
import { setMaxListeners } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent } from "node:http";
import { type RequestOptions, Agent as TlsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import { type ClientPair, connectionOptions, requesterFor } from "./connection.ts";
import { type Deed, failure, interrupted, networkFailure } from "./errors.ts";

export type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

export interface Outgoing {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** More than this of a successful answer is `too-large`; of any other answer the rest is dropped. */
  readonly maximumBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TransportOptions {
  readonly registry: URL;
  /** Where to connect for the registry's own name. */
  readonly address: string | undefined;
  /** PEM, trusted for the registry alone in place of the public authorities, and for other hosts beside them. */
  readonly authority: string | undefined;
  /** Shown to the registry alone. */
  readonly client: ClientPair | undefined;
  /** Longest silence of a server, in milliseconds. */
  readonly timeoutMs: number;
  readonly connections: number;
}

export interface Transport {
  /** Resolves to any complete answer, whatever its status; rejects with RegctlError. */
  exchange(deed: Deed, outgoing: Outgoing): Promise<Answer>;
  /** Ends the connections that are kept alive. */
  close(): void;
}

const ERROR_BODY_BYTES = 64 * 1024;

export function createTransport(options: TransportOptions): Transport {
  const { registry, timeoutMs } = options;
  const settings = { keepAlive: true, maxSockets: options.connections, maxFreeSockets: options.connections };
  // Pooled connections are told apart by address, not by the name that was checked: other hosts get a pool of their own.
  const agents = [0, 1].map(() => ({ "http:": new PlainAgent(settings), "https:": new TlsAgent(settings) }));

  const foreignAuthorities = options.authority === undefined ? undefined : [...rootCertificates, options.authority];
  const requestOptions = ({ url, method, headers, body, signal }: Outgoing): RequestOptions => {
    const isOwn = url.origin === registry.origin;
    return {
      ...connectionOptions({
        url,
        address: isOwn ? options.address : undefined,
        authorities: isOwn ? options.authority : foreignAuthorities,
        client: isOwn ? options.client : undefined,
      }),
      method,
      agent: agents[isOwn ? 0 : 1]?.[url.protocol as "http:" | "https:"],
      timeout: timeoutMs,
      headers: {
        host: url.host,
        // A compressed body would have neither the length nor the digest that was promised.
        "accept-encoding": "identity",
        ...(body === undefined ? {} : { "content-length": String(body.length) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    };
  };

  return {
    exchange: (deed, outgoing) =>
      new Promise((resolve, reject) => {
        const { url, signal, body } = outgoing;
        if (signal?.aborted) throw interrupted(deed, signal.reason);
        // Node warns of a leak when more than ten requests share a signal at once.
        if (signal !== undefined) setMaxListeners(0, signal);
        const request = requesterFor(url)(requestOptions(outgoing), (response) => {
          readAnswer(deed, outgoing, response)
            .finally(() => (response.complete ? undefined : request.destroy()))
            .then(resolve, reject);
        });
        request.on("timeout", () => {
          const hint = "see what it is busy with: `regctl logs`";
          reject(failure(deed, "timeout", `${url.host} was silent for ${timeoutMs / 1000} seconds`, { hint }));
          request.destroy();
        });
        request.on("error", (error) =>
          reject(signal?.aborted ? interrupted(deed, error) : networkFailure({ ...deed, ...partyOf(url) }, error)),
        );
        request.end(body);
      }),
    close() {
      for (const pair of agents) for (const agent of Object.values(pair)) agent.destroy();
    },
  };
}

/** Who was really talked to, which a redirect changes. */
function partyOf(url: URL): Pick<Deed, "host" | "isTls"> {
  return { host: url.host, isTls: url.protocol === "https:" };
}

function readAnswer(deed: Deed, outgoing: Outgoing, response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const isSuccess = status >= 200 && status < 300;
  const limit = isSuccess ? outgoing.maximumBytes : ERROR_BODY_BYTES;
  const announced = outgoing.method === "HEAD" ? 0 : Number(headers["content-length"] ?? 0);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const overflow = (bytes: number): void => {
      const hint = "see what answers there, it is not what a registry sends";
      const why = `the answer has ${bytes} bytes or more; ${limit} are allowed`;
      if (isSuccess) reject(failure(deed, "too-large", why, { hint }));
      else resolve({ status, headers, body: Buffer.concat(chunks) });
    };
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) return overflow(size);
      chunks.push(chunk);
    });
    response.on("end", () => resolve({ status, headers, body: Buffer.concat(chunks, size) }));
    response.on("error", (cause) => {
      if (outgoing.signal?.aborted) return reject(interrupted(deed, cause));
      const whole = announced > 0 ? ` of ${announced}` : "";
      const hint = "if it stays so, restart the registry, whose cache may name what is gone: `regctl restart`";
      const why = `${outgoing.url.host} broke off after ${size}${whole} bytes`;
      reject(failure(deed, "truncated", why, { hint, cause }));
    });
    if (isSuccess && announced > limit) overflow(announced);
  });
}
