/** Composition root: the only file that knows every adapter. Each is loaded when a command first asks for it. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Engine, RegistryCredentials } from "./engine/engine.ts";
import type { RunCommand } from "./host/command.ts";
import { createOutput, type Output } from "./terminal/output.ts";
import { createProgress, type Progress } from "./terminal/progress.ts";
import { createPrompt, noPrompt, type Prompt } from "./terminal/prompt.ts";

/** Flags every command takes. */
export interface GlobalOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly yes: boolean;
  readonly input: boolean;
  readonly color: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

/** What a run of regctl gets from the outside; tests hand in their own. */
export interface Surroundings {
  readonly streams: Streams;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  /** How this program is called from here: `regctl`, or `bin/regctl` in a clone. */
  readonly programName: string;
  /** Absolute path of this program, as it was called: links are kept, they outlive a version. */
  readonly programPath?: string;
  readonly userId: number;
  readonly groupId: number;
  readonly now: () => Date;
  readonly connectEngine?: (signal: AbortSignal) => Promise<Engine>;
  readonly prompt?: Prompt;
  readonly run?: RunCommand;
}

export interface Context {
  readonly options: GlobalOptions;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly output: Output;
  readonly progress: Progress;
  readonly prompt: Prompt;
  readonly stdin: Streams["stdin"];
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  readonly programName: string;
  /** Absolute. */
  readonly programPath: string;
  readonly userId: number;
  readonly groupId: number;
  readonly isRoot: boolean;
  /** Where images are assembled; nothing there is needed twice. */
  readonly cacheDirectory: string;
  /** How long to wait for a lock or for the registry to serve. */
  readonly timeoutMs: number;
  readonly run: RunCommand;
  /** Connects once; later calls get the same engine. */
  engine(): Promise<Engine>;
  /** Connects anew: after the engine was installed or started. */
  reconnectEngine(): Promise<Engine>;
  findCredentials(registryHost: string): Promise<RegistryCredentials | undefined>;
  /** An absolute path: relative ones are seen from where regctl was started. */
  absolute(path: string): string;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_SECONDS = 60;

function mayAsk(options: GlobalOptions, surroundings: Surroundings): boolean {
  const { streams, environment } = surroundings;
  return (
    streams.stdin.isTTY === true &&
    streams.stderr.isTTY === true &&
    options.input &&
    !options.json &&
    (environment.CI ?? "") === ""
  );
}

function useColour(options: GlobalOptions, surroundings: Surroundings): boolean {
  const { environment, streams } = surroundings;
  if (!options.color || (environment.NO_COLOR ?? "") !== "" || environment.TERM === "dumb") return false;
  return streams.stderr.isTTY === true || (environment.FORCE_COLOR ?? "") !== "";
}

export function createContext(options: GlobalOptions, surroundings: Surroundings, signal: AbortSignal): Context {
  const { streams, environment } = surroundings;
  const home = environment.HOME ?? homedir();
  const isRoot = surroundings.userId === 0;
  let engine: Promise<Engine> | undefined;
  const connect = async (): Promise<Engine> => {
    if (surroundings.connectEngine !== undefined) return surroundings.connectEngine(signal);
    const { connectEngine } = await import("./engine/connect.ts");
    return connectEngine({ environment, homeDirectory: home, signal });
  };
  const close = async () => {
    const open = engine;
    engine = undefined;
    await open?.then((connected) => connected.close()).catch(() => undefined);
  };
  return {
    options,
    signal,
    now: surroundings.now,
    output: createOutput({ ...streams, json: options.json, quiet: options.quiet, verbose: options.verbose }),
    progress: createProgress({
      stderr: streams.stderr,
      quiet: options.quiet || options.json,
      colour: useColour(options, surroundings),
      elapsedMs: () => performance.now(),
    }),
    prompt: surroundings.prompt ?? (mayAsk(options, surroundings) ? createPrompt({ ...streams, signal }) : noPrompt),
    stdin: streams.stdin,
    environment,
    workingDirectory: surroundings.workingDirectory,
    programName: surroundings.programName,
    programPath: surroundings.programPath ?? "/usr/local/bin/regctl",
    userId: surroundings.userId,
    groupId: surroundings.groupId,
    isRoot,
    cacheDirectory: isRoot ? "/var/cache/regctl" : join(environment.XDG_CACHE_HOME ?? join(home, ".cache"), "regctl"),
    timeoutMs: (options.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    run: surroundings.run ?? (async (...args) => (await import("./host/command.ts")).runCommand(...args)),
    engine: () => {
      engine ??= connect();
      return engine;
    },
    reconnectEngine: async () => {
      await close();
      engine = connect();
      return engine;
    },
    findCredentials: async (registryHost) => {
      const { findCredentials } = await import("./engine/credentials.ts");
      return findCredentials(registryHost, { environment, homeDirectory: home });
    },
    absolute: (path) => resolve(surroundings.workingDirectory, path),
    close,
  };
}
