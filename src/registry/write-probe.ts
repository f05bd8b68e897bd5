/** Whether a registry takes changes, found out without making one. */
import type { PingTarget } from "./client.ts";
import { connectionOptions, requesterFor } from "./connection.ts";

/** A manifest that can be none: a registry that would take changes refuses it with 400, and writes nothing. */
const BODY = "{}";

/**
 * The status of a PUT that no registry can carry out: 405 when it takes no changes (distribution's read-only mode leaves the
 * handlers of PUT, POST, PATCH and DELETE out), 400 when it does, 401 or 403 when these credentials do not get so far.
 * Rejects with Node's own network or TLS error.
 */
export function probeWrites(target: PingTarget): Promise<number> {
  const path = "/v2/regctl-write-probe/manifests/probe";
  const url = new URL(`${(target.prefix ?? "/").replace(/\/$/, "")}${path}`, target.url);
  const send = requesterFor(url);
  return new Promise((resolve, reject) => {
    const request = send(
      {
        ...connectionOptions({ url, address: target.address, authorities: target.authorityPem, client: target.client }),
        method: "PUT",
        agent: false,
        timeout: 5_000,
        headers: { host: url.host, "content-type": "application/octet-stream", "content-length": BODY.length },
        ...(target.signal === undefined ? {} : { signal: target.signal }),
        ...(target.credentials === undefined
          ? {}
          : { auth: `${target.credentials.username}:${target.credentials.password.reveal()}` }),
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer within 5 seconds")));
    request.on("error", reject);
    request.end(BODY);
  });
}
