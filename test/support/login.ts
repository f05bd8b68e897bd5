import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { Made } from "./made-deployment.ts";

/** The status a client gets on /v2/ that trusts nothing but the deployment's authority. */
export async function loginStatus(
  made: Pick<Made, "directory" | "port">,
  user: string,
  password: string,
): Promise<number> {
  const ca = await readFile(join(made.directory, "certs/ca.crt"));
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: made.port, path: "/v2/", auth: `${user}:${password}`, ca, agent: false };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}
