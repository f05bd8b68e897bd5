/** Debian's registry with parts of its configuration that other tests have no use for: token authentication, a prefix. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../contract/free-port.ts";
import { eventually } from "./eventually.ts";
import { debianRegistry } from "./live-registry.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface ConfiguredRegistry extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
}

/** Sections replace those of a registry with delete enabled and a store of its own; `http` is added to. */
export async function configuredRegistry(
  sections: { readonly http?: object; readonly [section: string]: object | undefined },
  address = "127.0.0.1",
): Promise<ConfiguredRegistry> {
  const folder = temporaryDirectory();
  const host = `${address}:${await freePort()}`;
  const storage = { filesystem: { rootdirectory: join(folder.path, "store") }, delete: { enabled: true } };
  const { http, ...others } = sections;
  const log = { level: "error", accesslog: { disabled: true } };
  const config = { version: "0.1", log, storage, ...others, http: { addr: host, secret: "tests", ...http } };
  await writeFile(join(folder.path, "config.yml"), JSON.stringify(config));
  const program = await debianRegistry();
  const child = spawn(program, ["serve", join(folder.path, "config.yml")], { env: {}, stdio: "ignore" });
  await eventually(async () => (await fetch(`http://${host}/`)).status > 0, 20_000);
  return {
    host,
    url: `http://${host}`,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await ended;
      await folder[Symbol.asyncDispose]();
    },
  };
}
