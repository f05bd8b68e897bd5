/** A server on 127.0.0.1 that answers as a test says, for the faults a real registry does not have on demand. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createRegistryApi, type RegistryApi, type RegistryApiOptions } from "../../src/registry/api.ts";

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends the answer; may leave it unfinished. */
export type Script = (request: SeenRequest, response: ServerResponse, index: number) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly requests: SeenRequest[];
}

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

export async function scriptedServer(script: Script, tls?: TlsFiles): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const listener = async (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
    requests.push(request);
    script(request, response, requests.length - 1);
  };
  const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
    listener(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server: Server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${tls === undefined ? "http" : "https"}://${host}`,
    host,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The specification's form of an error. */
export function sendError(response: ServerResponse, status: number, code: string, message = ""): void {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}

export function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

/** A client of it that does not wait between attempts but notes how long it would have. */
export function clientOf(
  server: { readonly url: string },
  options: Partial<RegistryApiOptions> = {},
): RegistryApi & Disposable & { readonly waits: number[] } {
  const waits: number[] = [];
  const wait = async (ms: number) => waits.push(ms);
  const api = createRegistryApi({ url: server.url, wait, timeoutMs: 5_000, ...options });
  return { ...api, waits, [Symbol.dispose]: () => api.close() };
}

/** What a call was rejected with, to look at more than one of its parts. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved to ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

/** Everything a generator yields. */
export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}
