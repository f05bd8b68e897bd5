/** What every Engine does, told once for all implementations. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContainerSpec, Engine } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import { describeContainers } from "./container-contract.ts";
import { describeImagesAndNetworks } from "./image-contract.ts";

/** An engine, and a way to make its containers do something. */
export interface Stage {
  readonly engine: Engine;
  /** Begins every name the suite makes. */
  readonly prefix: string;
  readonly directory: string;
  /** A `docker save` archive of BUSYBOX_IMAGE. */
  readonly archive: Buffer;
  /** A container that obeys the functions below while it runs. */
  actor(name: string, changes?: Partial<ContainerSpec>): Promise<ContainerSpec>;
  /** One line, its newline included. */
  write(name: string, stream: "stdout" | "stderr", text: string): Promise<void>;
  setHealth(name: string, health: "healthy" | "unhealthy"): Promise<void>;
  exit(name: string, exitCode: number): Promise<void>;
  dispose(): Promise<void>;
}

export function describeEngineContract(title: string, prepare: () => Promise<Stage>): void {
  describe(title, () => {
    let stage: Stage;
    let engine: Engine;

    beforeAll(async () => {
      stage = await prepare();
      engine = stage.engine;
    });
    afterAll(() => stage?.dispose());

    const name = (suffix: string) => `${stage.prefix}-${suffix}`;

    describeContainers(() => stage);
    describeImagesAndNetworks(() => stage);

    describe("interruption", () => {
      const aborted = AbortSignal.abort();

      it.each<[string, () => Promise<unknown>]>([
        ["containers.list", () => engine.containers.list({}, { signal: aborted })],
        ["containers.findByPort", () => engine.containers.findByPort(1, { signal: aborted })],
        ["containers.inspect", () => engine.containers.inspect("x", { signal: aborted })],
        [
          "containers.create",
          async () => engine.containers.create(await stage.actor(name("never")), { signal: aborted }),
        ],
        ["containers.start", () => engine.containers.start("x", { signal: aborted })],
        ["containers.stop", () => engine.containers.stop("x", { signal: aborted })],
        ["containers.remove", () => engine.containers.remove("x", { signal: aborted })],
        ["containers.rename", () => engine.containers.rename("x", "y", { signal: aborted })],
        ["containers.memoryBytes", () => engine.containers.memoryBytes("x", { signal: aborted })],
        ["containers.attach", () => engine.containers.attach("x", { signal: aborted })],
        ["containers.wait", () => engine.containers.wait("x", { signal: aborted })],
        ["containers.logs", () => collect(engine.containers.logs("x", { follow: false, signal: aborted }))],
        ["images.inspect", () => engine.images.inspect("x", { signal: aborted })],
        ["images.list", () => engine.images.list({ signal: aborted })],
        ["images.inUse", () => engine.images.inUse({ signal: aborted })],
        ["images.pull", () => engine.images.pull("x", { signal: aborted })],
        ["images.load", () => engine.images.load(nothing(), { signal: aborted })],
        ["networks.list", () => engine.networks.list({}, { signal: aborted })],
        ["networks.inspect", () => engine.networks.inspect("x", { signal: aborted })],
        ["networks.create", () => engine.networks.create({ name: name("never"), labels: {} }, { signal: aborted })],
        ["networks.remove", () => engine.networks.remove("x", { signal: aborted })],
        ["inspection.details", () => engine.inspection.details({ signal: aborted })],
        ["inspection.settings", () => engine.inspection.settings("x", { signal: aborted })],
        ["inspection.networks", () => engine.inspection.networks({ signal: aborted })],
        ["inspection.registry", () => engine.inspection.registry("127.0.0.1:1", { signal: aborted })],
      ])("ends %s", async (_operation, call) => {
        await expect(call()).rejects.toMatchObject({ code: "interrupted" });
      });

      it("leaves nothing of a creation that was interrupted before it began", async () => {
        expect(await engine.containers.inspect(name("never"))).toBeUndefined();
        expect(await engine.networks.inspect(name("never"))).toBeUndefined();
      });

      it("gives the reason of the signal when that is an error to report", async () => {
        const reason = new RegctlError("terminated", "terminated");
        await expect(engine.images.list({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      });
    });
  });
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Everything a stream gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
