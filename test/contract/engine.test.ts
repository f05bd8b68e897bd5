import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectEngine } from "../../src/engine/connect.ts";
import type { ContainerSpec } from "../../src/engine/engine.ts";
import { BUSYBOX_IMAGE, busyboxArchive, ensureBusyboxImage } from "../support/busybox-image.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { describeEngineContract, type Stage } from "./engine-contract.ts";

const run = promisify(execFile);

const ACTOR: Omit<ContainerSpec, "name"> = {
  image: BUSYBOX_IMAGE,
  command: ["sh", "-c", 'exec 3<>/control/commands; while read -r line <&3; do eval "$line"; done'],
  environment: {},
  labels: {},
  mounts: [],
  ports: [],
  readOnlyRoot: true,
  dropCapabilities: ["ALL"],
  securityOptions: ["no-new-privileges:true"],
  restart: "no",
  stopTimeoutSeconds: 1,
  init: true,
};

describeEngineContract("FakeEngine", async (): Promise<Stage> => {
  const directory = temporaryDirectory();
  const archive = await busyboxArchive();
  const engine = new FakeEngine({ healthAfterStart: "starting" });
  await ensureBusyboxImage(engine);
  return {
    engine,
    prefix: "fake",
    directory: directory.path,
    archive,
    actor: async (name, changes) => ({ ...ACTOR, name, ...changes }),
    write: async (name, stream, text) => engine.writeLog(name, stream, text),
    setHealth: async (name, health) => engine.setHealth(name, health, health === "unhealthy" ? "sick" : ""),
    exit: async (name, exitCode) => engine.exit(name, exitCode),
    dispose: async () => directory[Symbol.asyncDispose](),
  };
});

describeEngineContract("DockerEngine", async (): Promise<Stage> => {
  const directory = temporaryDirectory();
  const prefix = `regctl-contract-${process.pid}`;
  const engine = await connectEngine({ environment: process.env, homeDirectory: homedir() });
  await ensureBusyboxImage(engine);
  const controlOf = (name: string) => join(directory.path, name);
  // Each container runs the lines written to its fifo, which it never closes: between two readers they would be lost.
  const order = (name: string, commands: string) => writeFile(join(controlOf(name), "commands"), commands);
  return {
    engine,
    prefix,
    directory: directory.path,
    archive: await busyboxArchive(),
    async actor(name, changes = {}) {
      const control = controlOf(name);
      await mkdir(control, { recursive: true });
      const fifo = join(control, "commands");
      if (!existsSync(fifo)) await run("mkfifo", [fifo]);
      const mounts = [{ source: control, target: "/control", readOnly: true }];
      return { ...ACTOR, name, labels: { "regctl.test": prefix }, mounts, ...changes };
    },
    write: (name, stream, text) => order(name, `echo '${text.trimEnd()}' >&${stream === "stdout" ? 1 : 2}\n`),
    setHealth: async (name, health) => {
      const mark = join(controlOf(name), "healthy");
      await (health === "healthy" ? writeFile(mark, "") : rm(mark));
    },
    exit: (name, exitCode) => order(name, `exit ${exitCode}\n`),
    async dispose() {
      for (const container of await engine.containers.list({ "regctl.test": prefix })) {
        await engine.containers.remove(container.id, { force: true });
      }
      for (const network of await engine.networks.list({ "regctl.test": prefix }))
        await engine.networks.remove(network.id);
      engine.close();
      await directory[Symbol.asyncDispose]();
    },
  };
});
