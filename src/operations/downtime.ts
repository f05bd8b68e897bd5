/** How long a registry does not answer while its container is replaced, seen from the calls that replace it. */
import type { Engine } from "../engine/engine.ts";

export interface DowntimeClock {
  /** The same engine; what is stopped and started through it is timed. */
  readonly engine: Engine;
  /** Sum of the times from a container's stop until its replacement served, or it ran again. */
  downMs(): number;
  /** From the first stop to the end of the last downtime. */
  spanMs(): number;
}

/**
 * A replacement keeps the stopped container until the new one serves, and then removes it; when the new one does not come up,
 * the old one is started again.
 */
export function timeDowntime(engine: Engine, nowMs: () => number = () => performance.now()): DowntimeClock {
  let first: number | undefined;
  let last = 0;
  let down = 0;
  let stopped: { readonly id: string; readonly since: number } | undefined;
  const ends = (id: string): void => {
    if (stopped?.id !== id) return;
    last = nowMs();
    down += last - stopped.since;
    stopped = undefined;
  };
  const { containers } = engine;
  return {
    engine: {
      ...engine,
      close: () => engine.close(),
      containers: {
        ...containers,
        stop: async (id, options) => {
          const since = nowMs();
          first ??= since;
          stopped ??= { id, since };
          await containers.stop(id, options);
        },
        start: async (id, options) => {
          await containers.start(id, options);
          ends(id);
        },
        remove: async (id, options) => {
          ends(id);
          await containers.remove(id, options);
        },
      },
    },
    downMs: () => Math.round(down),
    spanMs: () => (first === undefined ? 0 : Math.round(last - first)),
  };
}
