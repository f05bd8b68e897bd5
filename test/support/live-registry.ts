/** A real registry over a folder of the test's choice, which can be restarted and killed while clients use it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../contract/free-port.ts";
import { cachedProgram } from "./cached-program.ts";
import { eventually } from "./eventually.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface LiveRegistryOptions {
  /** The `rootdirectory`; made when missing. */
  readonly store: string;
  /** Debian's 2.8.2 unless told. */
  readonly program?: string;
  /** True unless told. */
  readonly deleteEnabled?: boolean;
  /** None unless told. */
  readonly cache?: "inmemory";
  readonly readonly?: boolean;
  /** Text of an htpasswd file. */
  readonly htpasswd?: string;
  /** Another port with `/debug/health` and `/debug/vars`. */
  readonly debug?: boolean;
  /** Variables of the process; none unless told. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface LiveRegistry extends AsyncDisposable {
  /** `127.0.0.1:40123`, the same after a restart. */
  readonly host: string;
  readonly url: string;
  /** `127.0.0.1:40124`, with `debug`. */
  readonly debugHost: string | undefined;
  readonly configFile: string;
  readonly store: string;
  pid(): number | undefined;
  /** SIGTERM, waits for its end. */
  stop(): Promise<void>;
  /** Resolves when it answers. `changes` stay for later restarts. */
  start(
    changes?: Partial<Pick<LiveRegistryOptions, "cache" | "readonly" | "deleteEnabled" | "program">>,
  ): Promise<void>;
  restart(changes?: Parameters<LiveRegistry["start"]>[0]): Promise<void>;
  /** SIGKILL, waits for its end; `start` brings it back. */
  kill9(): Promise<void>;
  /** The end of what it wrote. */
  log(): string;
}

/** Debian's registry, 2.8.x. */
export function debianRegistry(): Promise<string> {
  return cachedProgram("docker-registry", "usr/bin/docker-registry");
}

/** Starts a registry on a free port of 127.0.0.1 and waits until it answers. */
export async function liveRegistry(options: LiveRegistryOptions): Promise<LiveRegistry> {
  const folder = temporaryDirectory();
  const [port, debugPort] = [await freePort(), options.debug === true ? await freePort() : undefined];
  const host = `127.0.0.1:${port}`;
  const debugHost = debugPort === undefined ? undefined : `127.0.0.1:${debugPort}`;
  const configFile = join(folder.path, "config.yml");
  const logFile = join(folder.path, "log");
  const htpasswd = join(folder.path, "htpasswd");
  if (options.htpasswd !== undefined) await writeFile(htpasswd, options.htpasswd);
  const log = () => readFileSync(logFile, "utf8").slice(-8_000);

  let settings = options;
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, "exit");
    ending.kill(signal);
    await ended;
  };

  const start: LiveRegistry["start"] = async (changes = {}) => {
    if (child !== undefined) throw new Error("the registry runs already");
    settings = { ...settings, ...changes };
    const file = settings.htpasswd === undefined ? undefined : htpasswd;
    await writeFile(configFile, JSON.stringify(distributionConfig(settings, host, debugHost, file)));
    const output = openSync(logFile, "a");
    const started = spawn(settings.program ?? (await debianRegistry()), ["serve", configFile], {
      env: { ...settings.environment },
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    child = started;
    const failed = new Promise<never>((_, reject) => {
      started.once("error", reject);
      started.once("exit", (code, signal) => reject(new Error(`the registry ended with ${code ?? signal}\n${log()}`)));
    });
    try {
      await Promise.race([failed, eventually(() => answers(host), 20_000, 20)]);
    } catch (error) {
      await end("SIGKILL");
      throw error;
    }
    // It may end later: that is for the test to notice.
    failed.catch(() => {});
  };

  const stop = () => end("SIGTERM");
  const dispose = async () => {
    await end("SIGKILL");
    await folder[Symbol.asyncDispose]();
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    host,
    url: `http://${host}`,
    debugHost,
    configFile,
    store: options.store,
    pid: () => child?.pid,
    start,
    stop,
    async restart(changes) {
      await stop();
      await start(changes);
    },
    kill9: () => end("SIGKILL"),
    log,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Any answer will do: with htpasswd it is 401. */
async function answers(host: string): Promise<boolean> {
  const { status } = await fetch(`http://${host}/v2/`);
  return status === 200 || status === 401;
}

function distributionConfig(
  options: LiveRegistryOptions,
  host: string,
  debugHost: string | undefined,
  htpasswd: string | undefined,
): object {
  return {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: options.store },
      delete: { enabled: options.deleteEnabled ?? true },
      ...(options.cache === undefined ? {} : { cache: { blobdescriptor: options.cache } }),
      maintenance: {
        readonly: { enabled: options.readonly ?? false },
        // Otherwise it may purge uploads, at a random time, while a test looks.
        uploadpurging: { enabled: false },
      },
    },
    http: { addr: host, secret: "tests", ...(debugHost === undefined ? {} : { debug: { addr: debugHost } }) },
    ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "test", path: htpasswd } } }),
  };
}
