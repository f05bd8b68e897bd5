import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { join } from "node:path";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface SocketServer extends AsyncDisposable {
  readonly socketPath: string;
  readonly received: Received[];
}

/** What Engine 20.10 says to `/version`. */
export const ENGINE_20_10 = {
  version: {
    Version: "20.10.24+dfsg1",
    ApiVersion: "1.41",
    MinAPIVersion: "1.12",
    Arch: "amd64",
    Components: [{ Name: "Engine" }],
  },
};

/** An HTTP server on a unix socket that answers as an engine would whose `/version` is this. */
export function serveEngine(engine: { version: unknown }, others?: RequestListener): Promise<SocketServer> {
  return serve((request, response) => {
    const answer = request.url === "/version" ? engine.version : undefined;
    if (answer !== undefined)
      return void response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    if (others !== undefined) return others(request, response);
    response.writeHead(404).end(JSON.stringify({ message: "page not found" }));
  });
}

/** An HTTP server on a unix socket in a new folder; it records what it receives before it answers. */
export async function serve(listener: RequestListener): Promise<SocketServer> {
  const directory = temporaryDirectory();
  const socketPath = join(directory.path, "engine.sock");
  const received: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    listener(request, response);
  }).listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await directory[Symbol.asyncDispose]();
    },
  };
}
