import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { ContainerSpec, Engine, LabelFilter } from "../../src/engine/engine.ts";
import { BUSYBOX_IMAGE } from "../support/busybox-image.ts";
import { eventually } from "../support/eventually.ts";
import { collect, type Stage } from "./engine-contract.ts";
import { freePort } from "./free-port.ts";

export function describeContainers(current: () => Stage): void {
  let stage: Stage;
  let engine: Engine;
  beforeAll(() => {
    stage = current();
    engine = stage.engine;
  });
  const name = (suffix: string) => `${stage.prefix}-${suffix}`;
  const running = async (suffix: string, changes: Partial<ContainerSpec> = {}) => {
    const id = await engine.containers.create(await stage.actor(name(suffix), changes));
    await engine.containers.start(id);
    return id;
  };

  describe("containers", () => {
    it("creates, starts, stops, removes, and takes a repetition of each for success", async () => {
      const spec = await stage.actor(name("life"), { labels: { "regctl.test": stage.prefix, role: "life" } });
      const id = await engine.containers.create(spec);
      expect(await engine.containers.inspect(spec.name)).toMatchObject({
        id,
        name: spec.name,
        image: BUSYBOX_IMAGE,
        imageId: (await engine.images.inspect(BUSYBOX_IMAGE))?.id,
        labels: spec.labels,
        state: "created",
        health: "none",
        restartCount: 0,
        startedAt: "",
        mounts: spec.mounts,
      });

      await engine.containers.start(id);
      await engine.containers.start(id);
      const started = await engine.containers.inspect(id);
      expect(started).toMatchObject({ state: "running", exitCode: 0, error: "", outOfMemory: false });
      expect(Math.abs(Date.now() - Date.parse(started?.startedAt ?? ""))).toBeLessThan(60_000);
      expect(await engine.containers.memoryBytes(id)).toBeGreaterThan(0);

      await engine.containers.stop(id);
      await engine.containers.stop(id);
      expect((await engine.containers.inspect(id))?.state).toBe("exited");
      expect(await engine.containers.memoryBytes(id)).toBe(0);

      await engine.containers.remove(id);
      await engine.containers.remove(id);
      await engine.containers.stop(id);
      expect(await engine.containers.inspect(id)).toBeUndefined();
    });

    it("tells what cannot be found from what is there", async () => {
      expect(await engine.containers.inspect(name("absent"))).toBeUndefined();
      await expect(engine.containers.start(name("absent"))).rejects.toMatchObject({ code: "not-found" });
      await expect(engine.containers.rename(name("absent"), name("other"))).rejects.toMatchObject({
        code: "not-found",
      });
    });

    it("refuses a name that is taken, at creation and at renaming", async () => {
      const spec = await stage.actor(name("taken"));
      const id = await engine.containers.create(spec);
      await expect(engine.containers.create(spec)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(spec.name),
      });
      const other = await engine.containers.create(await stage.actor(name("other")));
      await expect(engine.containers.rename(other, spec.name)).rejects.toMatchObject({ code: "conflict" });
      await engine.containers.rename(other, name("renamed"));
      await engine.containers.rename(other, name("renamed"));
      expect((await engine.containers.inspect(name("renamed")))?.id).toBe(other);
      expect((await engine.containers.inspect(spec.name))?.id).toBe(id);
    });

    it("refuses an image that is not there, naming it", async () => {
      const spec = await stage.actor(name("no-image"), { image: "regctl-test/absent:1" });
      await expect(engine.containers.create(spec)).rejects.toMatchObject({
        code: "image-unavailable",
        message: expect.stringContaining("regctl-test/absent:1"),
      });
      expect(await engine.containers.inspect(spec.name)).toBeUndefined();
    });

    it("refuses a bind mount whose source is missing, and does not make the source", async () => {
      const source = join(stage.directory, "missing");
      const spec = await stage.actor(name("no-source"), { mounts: [{ source, target: "/data", readOnly: false }] });
      await expect(engine.containers.create(spec)).rejects.toMatchObject({
        code: "engine-failed",
        message: expect.stringContaining(source),
      });
      await mkdir(source); // fails if the engine made it
    });

    it("refuses a network that is missing when the container starts", async () => {
      const network = { name: name("absent-network"), aliases: [] };
      const id = await engine.containers.create(await stage.actor(name("no-network"), { network }));
      await expect(engine.containers.start(id)).rejects.toMatchObject({ code: "not-found" });
    });

    it("names the port and the container that holds it, and leaves the new container for its maker", async () => {
      const hostPort = await freePort();
      const ports = [{ hostAddress: "127.0.0.1", hostPort, containerPort: 5000 }];
      const holder = await running("port-holder", { ports });
      expect(await engine.containers.findByPort(hostPort)).toBe(name("port-holder"));

      const id = await engine.containers.create(await stage.actor(name("port-second"), { ports }));
      expect((await engine.containers.inspect(id))?.ports).toEqual(ports);
      await expect(engine.containers.start(id)).rejects.toMatchObject({
        code: "conflict",
        message: `cannot start container ${name("port-second")}: port ${hostPort} is in use by container ${name("port-holder")}`,
        details: { port: hostPort, holder: name("port-holder") },
      });
      expect((await engine.containers.inspect(id))?.state).toBe("created");

      await engine.containers.stop(holder);
      expect(await engine.containers.findByPort(hostPort)).toBeUndefined();
      await engine.containers.start(id);
      expect(await engine.containers.findByPort(hostPort)).toBe(name("port-second"));
    });

    it("removes a running container only when forced", async () => {
      const id = await running("forced");
      await expect(engine.containers.remove(id)).rejects.toMatchObject({ code: "conflict" });
      await engine.containers.remove(id, { force: true });
      expect(await engine.containers.inspect(id)).toBeUndefined();
    });

    it("lists exactly the containers with every label, by name", async () => {
      const labelled = async (suffix: string, labels: Record<string, string>) => {
        await engine.containers.create(
          await stage.actor(name(suffix), { labels: { "regctl.test": stage.prefix, ...labels } }),
        );
      };
      await labelled("list-b", { group: "one", role: "x" });
      await labelled("list-a", { group: "one", role: "y" });
      await labelled("list-c", { group: "one-more", role: "x" });
      await labelled("list-d", { group: "", role: "x" });
      const names = async (labels: LabelFilter) =>
        (await engine.containers.list({ "regctl.test": stage.prefix, ...labels })).map((container) => container.name);
      expect(await names({ group: "one" })).toEqual([name("list-a"), name("list-b")]);
      expect(await names({ group: "one", role: "x" })).toEqual([name("list-b")]);
      expect(await names({ group: "" })).toEqual([name("list-d")]);
      expect(await names({ group: "on" })).toEqual([]);
      expect(await names({ group: true, role: "x" })).toEqual([name("list-b"), name("list-c"), name("list-d")]);
      expect(await names({ nothing: true })).toEqual([]);
    });

    it("tells the health of a container as it changes, with the output of the failed probe", async () => {
      const id = await running("health", {
        healthCheck: {
          command: ["sh", "-c", "test -f /control/healthy || { echo sick; exit 1; }"],
          intervalSeconds: 0.2,
          timeoutSeconds: 5,
          retries: 1,
          startPeriodSeconds: 600,
        },
      });
      const health = async () => (await engine.containers.inspect(id))?.health;
      expect(await health()).toBe("starting");
      await stage.setHealth(name("health"), "healthy");
      await eventually(async () => (await health()) === "healthy");
      await stage.setHealth(name("health"), "unhealthy");
      await eventually(async () => (await health()) === "unhealthy");
      expect((await engine.containers.inspect(id))?.healthOutput).toBe("sick");
      await engine.containers.stop(id);
      expect(await health()).toBe("unhealthy");
    });

    it("tells the exit code of a container that ended", async () => {
      const id = await running("exit");
      await stage.exit(name("exit"), 3);
      await eventually(async () => (await engine.containers.inspect(id))?.state === "exited");
      expect((await engine.containers.inspect(id))?.exitCode).toBe(3);
    });

    it("gives all that a container writes from its first word to its end, and then its exit code", async () => {
      const id = await engine.containers.create(await stage.actor(name("attached"), { keepsLogs: false }));
      const reading = collect(await engine.containers.attach(id));
      await engine.containers.start(id);
      const ended = engine.containers.wait(id);
      await stage.write(name("attached"), "stdout", "first\n");
      await stage.write(name("attached"), "stderr", "wrong\n");
      await stage.write(name("attached"), "stdout", "last\n");
      await stage.exit(name("attached"), 3);
      const written = await reading;
      const textOf = (stream: string) =>
        Buffer.concat(written.filter((line) => line.stream === stream).map(({ data }) => data)).toString();
      expect(textOf("stdout")).toBe("first\nlast\n");
      expect(textOf("stderr")).toBe("wrong\n");
      expect(await ended).toBe(3);
      expect(await engine.containers.wait(id)).toBe(3);
      await expect(engine.containers.attach(name("absent"))).rejects.toMatchObject({ code: "not-found" });
      await expect(engine.containers.wait(name("absent"))).rejects.toMatchObject({ code: "not-found" });
    });

    it("stops waiting and reading when it is told to, and the container goes on", async () => {
      const id = await engine.containers.create(await stage.actor(name("left")));
      const abort = new AbortController();
      const reading = collect(await engine.containers.attach(id, { signal: abort.signal }));
      await engine.containers.start(id);
      const ended = engine.containers.wait(id, { signal: abort.signal });
      abort.abort();
      await expect(reading).rejects.toMatchObject({ code: "interrupted" });
      await expect(ended).rejects.toMatchObject({ code: "interrupted" });
      expect((await engine.containers.inspect(id))?.state).toBe("running");
    });

    it("tells the names of a container's variables, and no value", async () => {
      const environment = { REGCTL_TEST_ONE: "secret", REGCTL_TEST_TWO: "a=b" };
      const id = await engine.containers.create(await stage.actor(name("environment"), { environment }));
      const names = (await engine.containers.inspect(id))?.environment;
      expect(names).toEqual(expect.arrayContaining(["PATH", ...Object.keys(environment)]));
    });

    it("keeps stdout and stderr apart, and gives the last lines only when asked", async () => {
      const id = await running("logs");
      await stage.write(name("logs"), "stdout", "eins ✓\n");
      await stage.write(name("logs"), "stderr", "wrong\n");
      await stage.write(name("logs"), "stdout", "zwei\n");
      const read = async (options: { tail?: number; since?: string; timestamps?: boolean } = {}) =>
        collect(engine.containers.logs(id, { follow: false, ...options }));
      const all = await eventually(async () => {
        const lines = await read();
        expect(lines).toHaveLength(3);
        return lines;
      });
      const textOf = (stream: string) =>
        all.filter((line) => line.stream === stream).map((line) => line.data.toString());
      expect(textOf("stdout")).toEqual(["eins ✓\n", "zwei\n"]);
      expect(textOf("stderr")).toEqual(["wrong\n"]);
      // Two pipes: which of two lines comes first is the engine's to say.
      expect(await read({ tail: 1 })).toEqual(all.slice(-1));
      expect((await read({ since: new Date(Date.now() + 60_000).toISOString() })).length).toBe(0);
      expect((await read({ since: new Date(Date.now() - 60_000).toISOString() })).length).toBe(3);
      expect((await read({ timestamps: true }))[0]?.data.toString()).toMatch(
        /^\d{4}-\d\d-\d\dT[\d:.]+Z (eins ✓|wrong)\n$/,
      );
    });

    it("follows the logs until it is told to stop, and then ends without an error", async () => {
      const id = await running("follow");
      const abort = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const line of engine.containers.logs(id, { follow: true, signal: abort.signal }))
          seen.push(line.data.toString());
      })();
      await stage.write(name("follow"), "stdout", "first\n");
      await eventually(() => seen.length === 1);
      await stage.write(name("follow"), "stdout", "second\n");
      await eventually(() => seen.length === 2);
      abort.abort();
      await reading;
      expect(seen).toEqual(["first\n", "second\n"]);
    });

    it("ends following the logs when the container ends", async () => {
      const id = await running("follow-end");
      const reading = collect(engine.containers.logs(id, { follow: true }));
      await stage.exit(name("follow-end"), 0);
      expect(await reading).toEqual([]);
      await expect(collect(engine.containers.logs(name("absent"), { follow: false }))).rejects.toMatchObject({
        code: "not-found",
      });
    });
  });
}
