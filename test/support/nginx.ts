/** Debian's nginx, unpacked and never installed, in front of what a test likes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { cachedProgram } from "./cached-program.ts";
import { eventually } from "./eventually.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface NginxOptions {
  /** What stands inside `http { }`. */
  readonly servers: string;
  /** `10.0.0.1:443`: where it has to listen before it is ready. */
  readonly readyAt: { readonly address: string; readonly port: number };
}

/** OpenSSL's default level refuses the keys and versions that tests want to see refused by others. */
const OPENSSL = `openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
`;

/** Runs until disposed. */
export async function nginx({ servers, readyAt }: NginxOptions): Promise<AsyncDisposable> {
  const folder = temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  const program = await cachedProgram("nginx", "usr/sbin/nginx");
  await Promise.all(["client", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => mkdir(at(name))));
  const paths = ["client_body:client", "proxy:proxy", "fastcgi:fastcgi", "uwsgi:uwsgi", "scgi:scgi"].map((pair) => {
    const [setting, name = ""] = pair.split(":");
    return `${setting}_temp_path ${at(name)};`;
  });
  const config = [
    "daemon off; master_process off; worker_processes 1;",
    `pid ${at("pid")}; error_log ${at("error.log")} notice;`,
    "events { worker_connections 512; }",
    `http { access_log off; ${paths.join(" ")}`,
    servers,
    "}",
  ].join("\n");
  await writeFile(at("nginx.conf"), config);
  await writeFile(at("openssl.cnf"), OPENSSL);
  await chmod(folder.path, 0o755);
  const child = spawn(program, ["-p", folder.path, "-c", at("nginx.conf"), "-e", at("error.log")], {
    env: { OPENSSL_CONF: at("openssl.cnf") },
    stdio: "ignore",
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      readFile(at("error.log"), "utf8").then((log) => reject(new Error(`nginx ended with ${code}\n${log}`)), reject);
    });
  });
  try {
    await Promise.race([ended, eventually(() => accepts(readyAt), 10_000, 20)]);
  } catch (error) {
    await end(child);
    throw error;
  }
  ended.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      await end(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function accepts({ address, port }: NginxOptions["readyAt"]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const answer = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
