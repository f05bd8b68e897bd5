/** What an engine says of itself, of a container and of its networks, beside what docker's own client says. */
import { homedir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectEngine } from "../../src/engine/connect.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { BUSYBOX_IMAGE, ensureBusyboxImage } from "../support/busybox-image.ts";
import { mustRun } from "../support/run-program.ts";

const name = `regctl-inspection-${process.pid}`;

let engine: Engine;
beforeAll(async () => {
  engine = await connectEngine({ environment: process.env, homeDirectory: homedir() });
  await ensureBusyboxImage(engine);
  return () => engine.close();
});
afterAll(async () => {
  await mustRun("docker", ["rm", "--force", "--volumes", name]);
});

const docker = async (...args: string[]): Promise<string> => (await mustRun("docker", args)).stdout.trim();

it("details are those of `docker info`", async () => {
  const details = await engine.inspection.details();
  const format = "{{.DockerRootDir}}|{{.LiveRestoreEnabled}}|{{.HTTPProxy}}|{{.OperatingSystem}}";
  const told = `${details.rootFolder}|${details.keepsContainersAlive}|${details.httpProxy}|${details.operatingSystem}`;
  expect(told).toBe(await docker("info", "--format", format));
  expect(Math.abs(Date.parse(details.time) - Date.now())).toBeLessThan(60_000);
  expect(details.insecureRegistries).toContain("127.0.0.0/8");
});

it("settings are what a container really has, a volume without a name among them", async () => {
  const options = ["--restart", "on-failure", "--log-opt", "max-size=3m", "--volume", "/data"];
  await docker("create", "--name", name, ...options, BUSYBOX_IMAGE);
  const settings = await engine.inspection.settings(name);
  expect(settings).toMatchObject({
    restart: "on-failure",
    logDriver: "json-file",
    logOptions: { "max-size": "3m" },
    mounts: [{ kind: "volume", name: expect.stringMatching(/^[0-9a-f]{64}$/), target: "/data" }],
  });
  await docker("update", "--restart", "no", name);
  expect((await engine.inspection.settings(name))?.restart).toBe("no");
  expect(await engine.inspection.settings(`${name}-none`)).toBeUndefined();
});

it("networks are the engine's bridges with their addresses", async () => {
  const networks = await engine.inspection.networks();
  const subnet = await docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}");
  expect(networks.find((network) => network.name === "bridge")).toEqual({
    name: "bridge",
    bridge: "docker0",
    subnets: [subnet],
  });
  expect(networks.some((network) => network.name === "host")).toBe(false);
});
