/** What a deployment's registry answers on its port, whoever it is: nothing is verified, and nothing secret is sent. */
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Config } from "../config/config.ts";
import { httpPrefix } from "../config/registry-config.ts";
import { publishedAddress } from "../deployment/health.ts";
import type { ServedAnswer } from "../doctor/deployment-facts.ts";

const WITHIN_MS = 3000;
const LONGEST_CHAIN = 10;

function sent(socket: TLSSocket): string[] {
  const fingerprints: string[] = [];
  let next = socket.getPeerX509Certificate();
  for (; next !== undefined && fingerprints.length < LONGEST_CHAIN; next = next.issuerCertificate)
    fingerprints.push(next.fingerprint256);
  return fingerprints;
}

/** undefined = nothing answers. */
export function servedAnswer(config: Config, signal: AbortSignal): Promise<ServedAnswer | undefined> {
  const hasTls = config.tls.mode !== "none";
  return new Promise((resolve) => {
    let fingerprints: string[] = [];
    const request = (hasTls ? requestTls : requestPlain)({
      host: publishedAddress(config.bind),
      port: config.port,
      path: `${httpPrefix(config)}v2/`,
      agent: false,
      rejectUnauthorized: false,
      ...(isIP(config.domain) === 0 ? { servername: config.domain } : {}),
      headers: { host: `${config.domain}:${config.port}`, connection: "close" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
    });
    request.on("socket", (socket) =>
      socket.once("secureConnect", () => {
        fingerprints = sent(socket as TLSSocket);
      }),
    );
    request.on("response", (response) => {
      response.destroy();
      resolve({ fingerprints });
    });
    // One that wants a certificate of the client's ends the connection after it has shown its own.
    request.on("error", () => resolve(fingerprints.length === 0 ? undefined : { fingerprints }));
    request.end();
  });
}
