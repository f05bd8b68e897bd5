import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { RegctlError } from "../errors.ts";
import { containerLogs, containerOutput } from "./container-logs.ts";
import type { Containers, ObservedContainer } from "./engine.ts";
import { engineTextOf, isPortConflict, statusOf, translateFailure } from "./errors.ts";
import { dockerImages } from "./images.ts";
import { abortable, createOptions } from "./requests.ts";
import {
  hasLabels,
  labelFilters,
  type MemoryStats,
  toCreateBody,
  toMemoryBytes,
  toObservedContainer,
} from "./translate.ts";

const REMOVAL_POLL_MS = 100;
const REMOVAL_LIMIT_MS = 60_000;

/** The containers of the engine behind this dockerode client. */
export function dockerContainers(docker: Docker): Containers {
  const containerOf = (nameOrId: string) => docker.getContainer(encodeURIComponent(nameOrId));

  const images = dockerImages(docker);

  const containers: Containers = {
    async list(labels, { signal } = {}) {
      try {
        const found = await docker.listContainers({ all: true, filters: labelFilters(labels), ...abortable(signal) });
        const observed = await Promise.all(found.map(({ Id }) => containers.inspect(Id, { signal })));
        return observed
          .filter((container): container is ObservedContainer => container !== undefined)
          .filter((container) => hasLabels(container.labels, labels))
          .sort((one, other) => (one.name < other.name ? -1 : 1));
      } catch (error) {
        throw translateFailure(error, { doing: "list containers", signal });
      }
    },

    async findByPort(hostPort, { signal } = {}) {
      try {
        const running = await docker.listContainers(abortable(signal));
        const holder = running.find(({ Ports }) => (Ports ?? []).some((port) => port.PublicPort === hostPort));
        return holder?.Names[0]?.replace(/^\//, "");
      } catch (error) {
        throw translateFailure(error, { doing: "list containers", signal });
      }
    },

    async inspect(nameOrId, { signal } = {}) {
      try {
        return toObservedContainer(await containerOf(nameOrId).inspect(abortable(signal)));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw translateFailure(error, { doing: `inspect container ${nameOrId}`, signal });
      }
    },

    async create(spec, { signal } = {}) {
      const doing = `create container ${spec.name}`;
      try {
        const options = createOptions({ name: spec.name }, toCreateBody(spec), signal);
        return (await docker.createContainer(options)).id;
      } catch (error) {
        const status = statusOf(error);
        if (status === 409) throw nameTaken(doing, spec.name, error);
        if (status === 404 && (await isImageMissing(spec.image, signal))) {
          throw new RegctlError("image-unavailable", `cannot ${doing}: there is no image ${spec.image} on the engine`, {
            hint: `get it: regctl images pull ${spec.image}`,
            details: { reference: spec.image, reason: "not-found" },
            cause: error,
          });
        }
        throw translateFailure(error, { doing, signal });
      }
    },

    async start(id, { signal } = {}) {
      try {
        await containerOf(id).start(abortable(signal));
      } catch (error) {
        if (statusOf(error) === 304) return;
        if (!signal?.aborted && isPortConflict(engineTextOf(error))) throw await portTaken(id, error, signal);
        throw translateFailure(error, { doing: `start container ${await nameOf(id, signal)}`, signal });
      }
    },

    async stop(id, { signal, timeoutSeconds } = {}) {
      try {
        await containerOf(id).stop({
          ...(timeoutSeconds !== undefined && { t: timeoutSeconds }),
          ...abortable(signal),
        });
      } catch (error) {
        const status = statusOf(error);
        if (status === 304 || status === 404) return;
        throw translateFailure(error, { doing: `stop container ${await nameOf(id, signal)}`, signal });
      }
    },

    async remove(id, { signal, force = false } = {}) {
      try {
        // v: the anonymous volumes that images declare; named ones stay.
        await containerOf(id).remove({ v: true, force, ...abortable(signal) });
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) return;
        if (status === 409 && (await isBeingRemoved(id, signal))) return waitUntilGone(id, signal);
        throw translateFailure(error, { doing: `remove container ${await nameOf(id, signal)}`, signal });
      }
    },

    async rename(id, name, { signal } = {}) {
      const doing = `rename container ${id} to ${name}`;
      try {
        await containerOf(id).rename(createOptions({ name }, {}, signal) as { name: string });
      } catch (error) {
        // The engine refuses the name a container has already.
        if (!signal?.aborted && (await nameOf(id, signal)) === name) return;
        if (statusOf(error) === 409) throw nameTaken(doing, name, error);
        throw translateFailure(error, { doing, signal });
      }
    },

    logs: (id, options) => containerLogs(docker, encodeURIComponent(id), options),

    attach: (id, { signal } = {}) => containerOutput(docker, encodeURIComponent(id), signal),

    async wait(id, { signal } = {}) {
      try {
        const options = createOptions({ condition: "not-running" }, {}, signal);
        return ((await containerOf(id).wait(options)) as { StatusCode: number }).StatusCode;
      } catch (error) {
        throw translateFailure(error, { doing: `wait for container ${id}`, signal });
      }
    },

    async memoryBytes(id, { signal } = {}) {
      try {
        // Without one-shot the engine takes a second sample, for CPU shares, and a second of time.
        const options = { stream: false as const, "one-shot": true, ...abortable(signal) };
        const stats = await containerOf(id).stats(options);
        return toMemoryBytes(stats.memory_stats as MemoryStats | undefined);
      } catch (error) {
        throw translateFailure(error, { doing: `measure container ${id}`, signal });
      }
    },
  };

  async function isImageMissing(reference: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await images.inspect(reference, { signal })) === undefined;
    } catch {
      return false;
    }
  }

  /** For messages: must not hide the failure it describes. */
  async function nameOf(id: string, signal: AbortSignal | undefined): Promise<string> {
    if (signal?.aborted) return id;
    return (await containers.inspect(id, { signal }).catch(() => undefined))?.name ?? id;
  }

  async function portTaken(id: string, cause: unknown, signal: AbortSignal | undefined): Promise<RegctlError> {
    const container = await containers.inspect(id, { signal }).catch(() => undefined);
    const ports = container?.ports.map((port) => port.hostPort) ?? [];
    const text = engineTextOf(cause);
    const port = ports.find((candidate) => new RegExp(`:${candidate}(?!\\d)`).test(text)) ?? ports[0];
    const holder =
      port === undefined ? undefined : await containers.findByPort(port, { signal }).catch(() => undefined);
    const by = holder === undefined ? "another process of this host" : `container ${holder}`;
    const release =
      holder === undefined ? `see by what: ss -ltnp 'sport = :${port}'` : `stop it (docker stop ${holder})`;
    return new RegctlError(
      "conflict",
      `cannot start container ${container?.name ?? id}: port ${port} is in use by ${by}`,
      {
        hint: `${release}, or set another port in regctl.yaml, then: regctl up`,
        details: { port, holder },
        cause,
      },
    );
  }

  async function isBeingRemoved(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    const container = await containers.inspect(id, { signal });
    return container === undefined || container.state === "removing";
  }

  async function waitUntilGone(id: string, signal: AbortSignal | undefined): Promise<void> {
    const deadline = Date.now() + REMOVAL_LIMIT_MS;
    while ((await containers.inspect(id, { signal })) !== undefined) {
      if (Date.now() > deadline) {
        throw new RegctlError(
          "engine-failed",
          `container ${id} is still being removed after ${REMOVAL_LIMIT_MS / 1000} s`,
          {
            hint: "restart the engine, then try again",
          },
        );
      }
      await delay(REMOVAL_POLL_MS);
    }
  }

  return containers;
}

function nameTaken(doing: string, name: string, cause: unknown): RegctlError {
  return new RegctlError("conflict", `cannot ${doing}: another container has the name`, {
    hint: `see what it is: docker inspect ${name}`,
    details: { container: name },
    cause,
  });
}
