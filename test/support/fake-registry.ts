/**
 * The part of distribution regctl's commands talk to, served from a deployment's own files: TLS with the mounted
 * certificate (read once, as the real one does), htpasswd re-read on every request, the version check, read-only mode.
 */
import { readFileSync } from "node:fs";
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { TlsOptions } from "node:tls";
import { compareSync } from "bcryptjs";
import { load } from "js-yaml";
import type { ContainerSpec } from "../../src/engine/engine.ts";

interface Tls {
  readonly certificate: string;
  readonly key: string;
  readonly clientcas?: readonly string[];
}

interface Config {
  readonly http: { readonly tls?: Tls };
  readonly storage?: { readonly maintenance?: { readonly readonly?: { readonly enabled?: boolean } } };
  readonly auth?: { readonly htpasswd?: { readonly realm: string; readonly path: string } };
}

/** A path inside the container, on the host. */
function hostPath(spec: ContainerSpec, path: string): string {
  const mount = spec.mounts.find((one) => path.startsWith(`${one.target}/`));
  if (mount === undefined) throw new Error(`${path} is not mounted`);
  return mount.source + path.slice(mount.target.length);
}

function isAllowed(header: string | undefined, file: string): boolean {
  const [name, password = ""] = Buffer.from(header?.replace(/^Basic /, "") ?? "", "base64")
    .toString()
    .split(/:(.*)/s);
  const hash = readFileSync(file, "utf8")
    .split("\n")
    .findLast((line) => line.split(":")[0] === name)
    ?.split(":")[1];
  return hash !== undefined && compareSync(password, hash);
}

/** With authorities for them, 2.x requires a certificate of every client. */
function clientCertificates(spec: ContainerSpec, { clientcas = [] }: Tls): TlsOptions {
  if (clientcas.length === 0) return {};
  const ca = clientcas.map((path) => readFileSync(hostPath(spec, path)));
  return { ca, requestCert: true, rejectUnauthorized: true };
}

export interface FakeRegistry {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts it on the port the container publishes; rejects as the real one's start fails on a key that does not fit. */
export async function serveRegistry(spec: ContainerSpec, configDirectory: string): Promise<FakeRegistry> {
  const config = load(readFileSync(hostPath(spec, `${configDirectory}/config.yml`), "utf8")) as Config;
  const htpasswd = config.auth?.htpasswd;
  const isReadOnly = config.storage?.maintenance?.readonly?.enabled === true;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
    if (htpasswd !== undefined && !isAllowed(request.headers.authorization, hostPath(spec, htpasswd.path))) {
      response.setHeader("WWW-Authenticate", `Basic realm="${htpasswd.realm}"`);
      response.statusCode = 401;
    } else if (!["GET", "HEAD"].includes(request.method ?? "")) {
      // As the real one answers what no manifest can be.
      response.statusCode = isReadOnly ? 405 : 400;
    }
    response.end("{}");
  };
  const { tls } = config.http;
  const server: Server & { closeAllConnections(): void } =
    tls === undefined
      ? createPlainServer(answer)
      : createTlsServer(
          {
            cert: readFileSync(hostPath(spec, tls.certificate)),
            key: readFileSync(hostPath(spec, tls.key)),
            ...clientCertificates(spec, tls),
          },
          answer,
        );
  const binding = spec.ports[0]!;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(binding.hostPort, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
