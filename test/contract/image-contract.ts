import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import { BUSYBOX_IMAGE } from "../support/busybox-image.ts";
import { collect, type Stage } from "./engine-contract.ts";

export function describeImagesAndNetworks(current: () => Stage): void {
  let stage: Stage;
  let engine: Engine;
  beforeAll(() => {
    stage = current();
    engine = stage.engine;
  });
  const name = (suffix: string) => `${stage.prefix}-${suffix}`;

  describe("images", () => {
    const archiveOf = async function* (bytes: Buffer) {
      for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
    };

    it("loads an archive, and saves one that loads again", async () => {
      expect(await engine.images.load(archiveOf(stage.archive))).toEqual([BUSYBOX_IMAGE]);
      const before = await engine.images.inspect(BUSYBOX_IMAGE);
      expect(before).toMatchObject({
        tags: expect.arrayContaining([BUSYBOX_IMAGE]),
        architecture: engine.info.architecture,
        labels: { "org.opencontainers.image.title": "busybox" },
      });
      expect(before?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(before?.sizeBytes).toBeGreaterThan(500_000);
      const saved = await collect(engine.images.save([BUSYBOX_IMAGE]));
      expect(await engine.images.load(archiveOf(Buffer.concat(saved)))).toEqual([BUSYBOX_IMAGE]);
      expect((await engine.images.inspect(BUSYBOX_IMAGE))?.id).toBe(before?.id);
      expect((await engine.images.list()).map((image) => image.id)).toContain(before?.id);
    });

    it("finds an image by tag and by id, and tells that there is none", async () => {
      const image = await engine.images.inspect(BUSYBOX_IMAGE);
      expect(await engine.images.inspect(image?.id ?? "")).toEqual(image);
      expect(await engine.images.inspect("regctl-test/absent:1")).toBeUndefined();
    });

    it.each([
      ["no archive at all", Buffer.from("this is no archive\n".repeat(100))],
      ["nothing", Buffer.alloc(0)],
      ["an archive without an image", Buffer.alloc(10_240)],
    ])("refuses to load %s", async (_title, bytes) => {
      await expect(engine.images.load(archiveOf(bytes))).rejects.toMatchObject({ code: "engine-failed" });
    });

    it("refuses to load an archive that was cut short", async () => {
      const half = stage.archive.subarray(0, stage.archive.length / 2);
      await expect(engine.images.load(archiveOf(half))).rejects.toMatchObject({ code: "engine-failed" });
    });

    it("passes on the failure of what it loads from", async () => {
      const failure = new RegctlError("not-found", "the archive is gone");
      const failing = (async function* () {
        yield stage.archive.subarray(0, 1024);
        throw failure;
      })();
      await expect(engine.images.load(failing)).rejects.toBe(failure);
    });

    it("refuses to save an image that is not there", async () => {
      await expect(collect(engine.images.save(["regctl-test/absent:1"]))).rejects.toMatchObject({
        code: "not-found",
      });
    });

    it("are in use by containers that were only made, by those that run, and by none that is gone", async () => {
      const used = async (container: string) =>
        (await engine.images.inUse()).filter(({ by }) => by === `container ${container}`);
      const id = await engine.containers.create(await stage.actor(name("in-use")));
      const use = {
        by: `container ${name("in-use")}`,
        image: BUSYBOX_IMAGE,
        repoDigests: (await engine.images.inspect(BUSYBOX_IMAGE))?.repoDigests,
      };
      expect(await used(name("in-use"))).toEqual([use]);
      await engine.containers.start(id);
      expect(await used(name("in-use"))).toEqual([use]);
      await engine.containers.remove(id, { force: true });
      expect(await used(name("in-use"))).toEqual([]);
    });

    it("says that the network is why a pull failed", async () => {
      await expect(engine.images.pull("127.0.0.1:1/team/absent:1")).rejects.toMatchObject({
        code: "image-unavailable",
        details: { reason: "network" },
      });
    });
  });

  describe("networks", () => {
    it("creates one of a name, finds it, and takes a second removal for success", async () => {
      const spec = { name: name("net"), labels: { "regctl.test": stage.prefix, role: "net" } };
      const id = await engine.networks.create(spec);
      expect(await engine.networks.inspect(spec.name)).toEqual({ id, ...spec });
      expect(await engine.networks.list({ role: "net", "regctl.test": stage.prefix })).toEqual([{ id, ...spec }]);
      expect(await engine.networks.list({ role: "ne", "regctl.test": stage.prefix })).toEqual([]);
      await expect(engine.networks.create(spec)).rejects.toMatchObject({ code: "conflict" });
      await engine.networks.remove(id);
      await engine.networks.remove(id);
      expect(await engine.networks.inspect(spec.name)).toBeUndefined();
    });

    it("keeps a network that a running container uses", async () => {
      const spec = { name: name("used"), labels: { "regctl.test": stage.prefix } };
      const id = await engine.networks.create(spec);
      const network = { name: spec.name, aliases: ["registry"] };
      const container = await engine.containers.create(await stage.actor(name("user"), { network }));
      await engine.containers.start(container);
      expect((await engine.containers.inspect(container))?.networks).toEqual([spec.name]);
      await expect(engine.networks.remove(id)).rejects.toMatchObject({ code: "conflict" });
      await engine.containers.remove(container, { force: true });
      await engine.networks.remove(id);
    });
  });
}
