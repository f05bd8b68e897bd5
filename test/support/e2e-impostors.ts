/** What pretends to be an engine, or only waits for somebody to connect. */
import { readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { runProgram } from "./run-program.ts";

/** A server on a socket that says it is a Docker engine that speaks nothing newer than this. */
export async function engineOfApi(
  version: string,
  socket: string,
): Promise<AsyncDisposable & { readonly endpoint: string }> {
  const server = createHttpServer((request, response) => {
    const isKnown = /^(\/v1\.\d+)?\/(version|info|_ping)$/.test(request.url ?? "");
    response.writeHead(isKnown ? 200 : 400, { "Content-Type": "application/json", "Api-Version": version });
    response.end(
      JSON.stringify({
        Version: "1.12.6",
        ApiVersion: version,
        MinAPIVersion: "1.12",
        Os: "linux",
        Arch: "amd64",
        DockerRootDir: "/none",
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    endpoint: `unix://${socket}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Something that listens at the engine's port on another machine and writes down every connection. */
export async function countConnections(
  argv: (command: string, args: readonly string[]) => string[],
  folder: string,
): Promise<AsyncDisposable & { count(): Promise<number> }> {
  const file = join(folder, "connections");
  const script = `const fs = require("node:fs"); require("node:net").createServer((socket) => { fs.appendFileSync(process.argv[1], "x"); socket.destroy(); })
    .listen(2375, () => fs.writeFileSync(process.argv[1], "")); setInterval(() => { if (fs.existsSync(process.argv[1] + ".end")) process.exit(); }, 50);`;
  const [command, ...args] = argv(process.execPath, ["-e", script, file]) as [string, ...string[]];
  const listening = runProgram(command, args);
  await eventually(() => readFile(file));
  return {
    count: async () => (await readFile(file)).length,
    async [Symbol.asyncDispose]() {
      await writeFile(`${file}.end`, "");
      await listening;
    },
  };
}
