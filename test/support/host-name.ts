import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { eventually } from "./eventually.ts";
import { mustRun } from "./run-program.ts";

/** /etc/hosts may be a bind mount (in a container), so it is written in place, under its own lock. */
async function editHosts(script: string, line: string): Promise<void> {
  await mustRun("flock", [
    "/etc/hosts",
    "sh",
    "-c",
    `content=$(${script}; echo x) && printf %s "\${content%x}" > /etc/hosts`,
    "sh",
    line,
  ]);
}

/**
 * Makes `name` resolve to `address` on this host and for its engine until disposed. One line is put first in /etc/hosts
 * and exactly that line is removed. Resolves when the engine, which keeps what it read for five seconds, knows the name.
 */
export async function withHostName(name: string, address: string): Promise<AsyncDisposable> {
  const line = `${address} ${name} # regctl-test ${randomBytes(6).toString("hex")}`;
  await editHosts(`printf '%s\\n' "$1"; cat /etc/hosts`, line);
  const remove = () => editHosts(`grep -vxF -- "$1" /etc/hosts || true`, line);
  try {
    await eventually(async () => !(await engineLookup(name)).includes("no such host"), 15_000, 200);
  } catch (error) {
    await remove();
    throw error;
  }
  return { [Symbol.asyncDispose]: remove };
}

/** What the engine says when it looks for a registry at port 1 of that host. */
function engineLookup(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: "/var/run/docker.sock", path: `/distribution/${name}:1/none/json` },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve(text));
      },
    );
    call.once("error", reject);
    call.end();
  });
}
