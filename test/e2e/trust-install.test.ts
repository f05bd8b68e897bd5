/** regctl on the machine of the clients itself: install, check, undo, and the last resort. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { REGCTL } from "../support/regctl.ts";
import type { ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

const NAME = "registry.install.test";

describe("regctl trust on a client's machine", () => {
  let machine: ClientMachine;
  let registry: Scenario;
  let at: string;

  const trust = (...args: string[]): Promise<ProgramResult> =>
    machine.runHostProgram(process.execPath, [REGCTL, "trust", ...args, "-C", registry.directory, "--json"], {
      timeoutMs: 100_000,
    });
  const data = async (exitCode: number, ...args: string[]): Promise<Record<string, unknown>> => {
    const result = await trust(...args);
    expect(result, result.stdout + result.stderr).toMatchObject({ exitCode, stderr: "" });
    return (JSON.parse(result.stdout) as { data: Record<string, unknown> }).data;
  };
  const verdicts = (answer: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(
      (answer.checks as { client: string; verdict: string }[]).map(({ client, verdict }) => [client, verdict]),
    );
  const pull = async (): Promise<string> => (await machine.sh(`docker pull ${at}/a/b:c`)).stderr;

  beforeAll(async () => {
    machine = keep(await clientMachine({ [NAME]: "HOST" }));
    registry = keep(await deployed({ adopt: false, flags: ["--domain", NAME] }));
    at = `${NAME}:${registry.port}`;
    machine.start("dockerd", ["--storage-driver", "vfs", "--bridge", "none", "--iptables=false"]);
    await eventually(async () => (await machine.sh("docker version")).exitCode === 0, 60_000, 200);
  });

  it("sees that docker does not trust it, makes it trust it, and takes that back", async () => {
    const clients = ["--client", "docker,podman"];
    expect(verdicts(await data(3, "check", ...clients))).toEqual({
      registry: "ok",
      docker: "broken",
      podman: "broken",
    });
    const planned = await data(0, "install", "--dry-run", ...clients);
    expect((planned.events as { kind: string }[]).filter(({ kind }) => kind === "plan")).toHaveLength(2);
    expect(await pull()).toContain("x509");
    expect(verdicts(await data(0, "install", ...clients))).toEqual({ registry: "ok", docker: "ok", podman: "ok" });
    expect(await pull()).not.toContain("x509");
    await data(0, "install", "--undo");
    expect(await pull()).toContain("x509");
  });

  it("switches the engine's checks off when that is asked for, and on again, without a restart and beside other settings", async () => {
    const file = "/etc/docker/daemon.json";
    await writeFile(machine.path(file), '{\n    "debug": true\n}\n');
    expect(await data(0, "insecure", "install", "--yes")).toEqual({ file, registries: [at], reloaded: true });
    expect(await data(0, "insecure", "install", "--yes")).toEqual({ file, registries: [], reloaded: true });
    await eventually(async () => !(await pull()).includes("x509"));
    expect(verdicts(await data(0, "check", "--client", "docker"))).toMatchObject({ docker: "warning" });
    expect(await data(0, "insecure", "remove")).toEqual({ file, registries: [at], reloaded: true });
    await eventually(async () => (await pull()).includes("x509"));
    expect(JSON.parse(await readFile(machine.path(file), "utf8"))).toEqual({ debug: true, "insecure-registries": [] });
    expect((await machine.sh("cat /run/docker.pid")).stdout).toMatch(/^\d+$/);
  });

  it("does not touch a daemon.json that the engine could not read", async () => {
    const file = machine.path("/etc/docker/daemon.json");
    await writeFile(file, '{ "debug": true, }');
    const refused = await trust("insecure", "install", "--yes");
    expect(refused).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("is no JSON") });
    expect(await readFile(file, "utf8")).toBe('{ "debug": true, }');
  });
});
