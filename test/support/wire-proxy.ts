import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface WireRequest {
  /** `POST /v1.41/containers/create?name=acme-registry HTTP/1.1`. */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without chunk framing; what follows an `Upgrade` is not part of it. */
  readonly body: Buffer;
}

export interface WireProxy extends AsyncDisposable {
  /** For DOCKER_HOST: `unix:///tmp/…/engine.sock`. */
  readonly endpoint: string;
  /** Every complete request so far, in the order of the connections. */
  requests(): WireRequest[];
  /** Every byte sent to the engine so far. */
  bytes(): Buffer;
}

/** A recording proxy in front of the engine's socket. Both sides keep half-open connections, or exec's stdin would break. */
export async function wireProxy(target = "/var/run/docker.sock"): Promise<WireProxy> {
  const directory = temporaryDirectory("regctl-test-wire-");
  const path = join(directory.path, "engine.sock");
  const connections: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const chunks: Buffer[] = [];
    connections.push(chunks);
    const engine = createConnection({ path: target, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(socket);
      socket.once("error", () => other.destroy());
      socket.once("close", () => sockets.delete(socket));
    }
    client.on("data", (chunk) => chunks.push(chunk));
    client.pipe(engine);
    engine.pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    endpoint: `unix://${path}`,
    requests: () => connections.flatMap((chunks) => parseRequests(Buffer.concat(chunks))),
    bytes: () => Buffer.concat(connections.flat()),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The complete HTTP/1.1 requests at the beginning of a connection's bytes. */
export function parseRequests(bytes: Buffer): WireRequest[] {
  const requests: WireRequest[] = [];
  let at = 0;
  while (at < bytes.length) {
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    if (headEnd < 0) break;
    const [line = "", ...rest] = bytes.toString("latin1", at, headEnd).split("\r\n");
    const headers: Record<string, string> = {};
    for (const text of rest)
      headers[text.slice(0, text.indexOf(":")).toLowerCase()] = text.slice(text.indexOf(":") + 1).trim();
    const body = readBody(bytes, headEnd + 4, headers);
    if (body === undefined) break;
    requests.push({ line, headers, body: body.content });
    if (headers.upgrade !== undefined) break;
    at = body.end;
  }
  return requests;
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: Readonly<Record<string, string>>,
): { content: Buffer; end: number } | undefined {
  if (headers["transfer-encoding"] !== "chunked") {
    const end = start + Number(headers["content-length"] ?? 0);
    return end > bytes.length ? undefined : { content: bytes.subarray(start, end), end };
  }
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (end + 2 > bytes.length) return undefined;
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
    if (size === 0) return { content: Buffer.concat(parts), end: at };
  }
}
