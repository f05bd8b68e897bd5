/** Whether a registry serves: its container's state and its own answer on /v2/. */
import { setTimeout as delay } from "node:timers/promises";
import { type Config, registryUrl } from "../config/config.ts";
import { hasClientAuthorities, httpPrefix } from "../config/registry-config.ts";
import type { Engine, ObservedContainer } from "../engine/engine.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { lastLines } from "../last-lines.ts";
import { ping, wantsClientCertificate } from "../registry/client.ts";
import type { ClientPair } from "../registry/connection.ts";
import type { Secret } from "../secret.ts";

const POLL_MS = 100;

export interface ServingCheck {
  readonly config: Config;
  readonly authorityPem: string | undefined;
  /** regctl's own certificate, where clients need one. */
  readonly client?: ClientPair | undefined;
  /** With credentials the answer has to be 200; without, a request for credentials is good enough. */
  readonly credentials?: { readonly username: string; readonly password: Secret } | undefined;
}

/** Where the published port is reached on this host. */
export function publishedAddress(bind: string): string {
  if (bind === "0.0.0.0") return "127.0.0.1";
  return bind === "::" ? "::1" : bind;
}

/** undefined when the registry answers as it should, else what it does instead. */
export async function servingProblem(check: ServingCheck, signal?: AbortSignal): Promise<string | undefined> {
  const { config, credentials } = check;
  const url = registryUrl(config);
  try {
    const answer = await ping({
      url,
      prefix: httpPrefix(config),
      address: publishedAddress(config.bind),
      authorityPem: check.authorityPem,
      client: check.client,
      credentials,
      signal,
    });
    if (!answer.isRegistry)
      return `${url}/v2/ is answered by something that is not a registry (status ${answer.status})`;
    if (answer.status === 200 || (answer.status === 401 && credentials === undefined)) return undefined;
    return `${url}/v2/ answers ${answer.status}`;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (wantsClientCertificate(error) && hasClientAuthorities(config)) return undefined;
    return `${url}/v2/: ${messageOf(error)}`;
  }
}

/** What is wrong with a container's state, or undefined. The order matters: a dead one also counts as unhealthy. */
export function containerProblem(container: ObservedContainer | undefined): string | undefined {
  if (container === undefined) return "the container is gone";
  if (container.state === "restarting") return `it keeps restarting (exit code ${container.exitCode})`;
  if (container.state !== "running") {
    const why = container.outOfMemory ? "out of memory" : container.error;
    return `it is ${container.state} (exit code ${container.exitCode}${why === "" ? "" : `, ${why}`})`;
  }
  return undefined;
}

/** What a registry says when it gives up; a Go panic ends in pages of stack that tell nothing. */
const TELLING = /panic:|level=(fatal|error)|configuration error/;
const LOG_LINES = 60;
const SHOWN_LINES = 5;

async function lastWords(engine: Engine, id: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const line of engine.containers.logs(id, { follow: false, tail: LOG_LINES })) chunks.push(line.data);
  const lines = lastLines(Buffer.concat(chunks).toString("utf8"), LOG_LINES);
  const telling = lines.filter((line) => TELLING.test(line));
  return (telling.length > 0 ? telling : lines).slice(-SHOWN_LINES).join("\n");
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when /v2/ answers as it should; `registry-failed` with the container's last words when it cannot any more or time is up. */
export async function waitUntilServing(
  engine: Engine,
  containerId: string,
  check: ServingCheck,
  options: WaitOptions,
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  // The count goes on over the years; only a restart while we wait tells that it does not come up.
  let restartsBefore: number | undefined;
  for (;;) {
    options.signal.throwIfAborted();
    const problem = await servingProblem(check, options.signal);
    if (problem === undefined) return;
    const container = await engine.containers.inspect(containerId, { signal: options.signal });
    restartsBefore ??= container?.restartCount ?? 0;
    const restarts = (container?.restartCount ?? 0) > restartsBefore;
    const dead =
      containerProblem(container) ?? (restarts ? `it keeps restarting (exit code ${container?.exitCode})` : undefined);
    if (dead !== undefined || performance.now() > deadline) {
      const words = await lastWords(engine, containerId).catch(() => "");
      throw new RegctlError(
        "registry-failed",
        `the registry does not serve: ${dead ?? problem}${words === "" ? "" : `\n${words}`}`,
        { hint: "`regctl logs` shows all it said" },
      );
    }
    await delay(POLL_MS, undefined, { signal: options.signal });
  }
}
