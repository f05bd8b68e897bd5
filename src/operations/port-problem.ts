/** Whether the port a deployment publishes can be had, and who has it instead. */
import type { Config } from "../config/config.ts";
import { DIRECTORY_LABEL } from "../deployment/labels.ts";
import type { Engine } from "../engine/engine.ts";
import type { ErrorCode, Issue } from "../errors.ts";
import { probeBind, whoListens } from "../host/ports.ts";

export interface PortProblem extends Issue {
  readonly code: ErrorCode;
}

/** A container of this folder may have the port: it is going to be replaced. */
async function holder(
  engine: Engine | undefined,
  port: number,
  directory: string,
): Promise<string | "own" | undefined> {
  const name = await engine?.containers.findByPort(port);
  if (engine === undefined || name === undefined) return undefined;
  const container = await engine.containers.inspect(name);
  return container?.labels[DIRECTORY_LABEL] === directory ? "own" : `the container ${name}`;
}

/** undefined when the port is free, or this folder's own containers have it. */
export async function portProblem(
  engine: Engine | undefined,
  config: Pick<Config, "bind" | "port">,
  directory: string,
): Promise<PortProblem | undefined> {
  const { bind, port } = config;
  const by = await holder(engine, port, directory);
  if (by === "own") return undefined;
  const taken = (who: string): PortProblem => ({
    code: "conflict",
    path: "port",
    message: `${port} is taken by ${who}`,
    hint: `choose another: --port ${port + 1}, or port: in regctl.yaml`,
  });
  if (by !== undefined) return taken(by);
  switch (await probeBind(bind, port)) {
    case undefined:
      return undefined;
    case "in-use": {
      const listener = (await whoListens(port)).find((one) => one.process !== undefined);
      return taken(listener === undefined ? "another program" : `${listener.process} (pid ${listener.pid})`);
    }
    case "no-such-address":
      return {
        code: "precondition-failed",
        path: "bind",
        message: `${bind} is no address of this host`,
        hint: "see `ip address`; --bind, or bind: in regctl.yaml, names another",
      };
    case "not-permitted":
      // The engine publishes ports as root, whatever this user may do.
      return undefined;
  }
}
