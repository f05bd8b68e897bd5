import { describe, expect, it } from "vitest";
import type { ContainerSpec } from "../../../src/engine/engine.ts";
import { RegctlError } from "../../../src/errors.ts";
import { FakeEngine } from "../../support/fake-engine.ts";

const SPEC: ContainerSpec = {
  name: "web",
  image: "docker.io/library/registry:2",
  environment: {},
  labels: {},
  mounts: [],
  ports: [{ hostAddress: "127.0.0.1", hostPort: 5000, containerPort: 5000 }],
  readOnlyRoot: true,
  dropCapabilities: [],
  securityOptions: [],
  restart: "no",
  stopTimeoutSeconds: 1,
  init: false,
};

describe("FakeEngine", () => {
  it("fails the next call of an operation, before or after it takes effect", async () => {
    const engine = new FakeEngine({ images: ["registry:2"] });
    const error = new RegctlError("engine-failed", "lost");
    engine.failOn("containers.create", error);
    await expect(engine.containers.create(SPEC)).rejects.toBe(error);
    expect(await engine.containers.inspect("web")).toBeUndefined();
    engine.failOn("containers.create", error, { when: "after" });
    await expect(engine.containers.create(SPEC)).rejects.toBe(error);
    expect(await engine.containers.inspect("web")).toMatchObject({ state: "created" });
    await engine.containers.start("web");
    expect(engine.calls).toEqual([
      "containers.create",
      "containers.inspect",
      "containers.create",
      "containers.inspect",
      "containers.start",
    ]);
  });

  it("has ports that other processes hold", async () => {
    const engine = new FakeEngine({ images: ["registry:2"] });
    engine.occupyPort(5000);
    const id = await engine.containers.create(SPEC);
    await expect(engine.containers.start(id)).rejects.toMatchObject({
      code: "conflict",
      details: { port: 5000, holder: undefined },
    });
  });

  it("has containers that end, and that the engine restarts in vain", async () => {
    const engine = new FakeEngine({ images: ["registry:2"] });
    await engine.containers.start(await engine.containers.create(SPEC));
    engine.crashLoop("web", 2);
    expect(await engine.containers.inspect("web")).toMatchObject({ state: "restarting", exitCode: 2, restartCount: 3 });
    engine.exit("web", 137, { outOfMemory: true, error: "killed" });
    expect(await engine.containers.inspect("web")).toMatchObject({
      state: "exited",
      exitCode: 137,
      outOfMemory: true,
      error: "killed",
    });
  });

  it("pulls what it is told a registry has, with progress", async () => {
    const engine = new FakeEngine({ pullable: ["registry:2"] });
    const seen: number[] = [];
    await engine.images.pull("docker.io/library/registry:2", { onProgress: ({ bytesDone }) => seen.push(bytesDone) });
    expect(seen).toEqual([500_000, 1_000_000]);
    expect(await engine.images.inspect("registry:2")).toMatchObject({ tags: ["registry:2"] });
  });
});
