/** Podman's service in place of a Docker Engine: what regctl does there works, and doctor says what is different. */
import { writeFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { findingsIn } from "../support/doctor-report.ts";
import { keep, registryImage } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { REGCTL } from "../support/regctl.ts";
import { mustRun, type ProgramResult } from "../support/run-program.ts";

const DIRECTORY = "/root/reg";
const CONTAINER = "reg-registry-1";
const SOCKET = "/run/podman/podman.sock";

/** Podman asks for more open files than a host may allow; the limits are left as they are. */
const RUNTIME = `#!/usr/bin/python3
import json, os, sys
arguments = sys.argv[1:]
if "--bundle" in arguments:
    path = os.path.join(arguments[arguments.index("--bundle") + 1], "config.json")
    with open(path) as file:
        container = json.load(file)
    container["process"].pop("rlimits", None)
    with open(path, "w") as file:
        json.dump(container, file)
os.execvp("runc", ["runc"] + arguments)
`;

const CONTAINERS = `[engine]
cgroup_manager = "cgroupfs"
runtime = "no-limits"
events_logger = "file"
[engine.runtimes]
no-limits = ["/usr/local/bin/no-limits"]
`;

const STORAGE = `[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/docker/podman"
`;

let machine: ClientMachine;

async function must(script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.sh(script);
  expect(exitCode, `${script}\n${stdout}\n${stderr}`).toBe(0);
  return stdout.trim();
}

async function regctl(args: readonly string[], exitCode = 0, input?: string): Promise<ProgramResult> {
  const env = { DOCKER_HOST: `unix://${SOCKET}` };
  const result = await machine.runHostProgram(process.execPath, [REGCTL, ...args], { env, input });
  expect(result, result.stdout + result.stderr).toMatchObject({ exitCode });
  return result;
}

async function findings(): Promise<Record<string, { verdict: string; cause: string }>> {
  const { stdout } = await regctl(["doctor", "-C", DIRECTORY, "--json"], 3);
  return Object.fromEntries([...findingsIn(stdout)].map(([id, { verdict, cause }]) => [id, { verdict, cause }]));
}

beforeAll(async () => {
  const image = await registryImage();
  machine = keep(await clientMachine({}));
  keep({
    // Control groups are this host's: they go with their container.
    async [Symbol.asyncDispose]() {
      await machine.sh("podman rm --all --force");
    },
  });
  await must("mkdir -p /etc/containers /run/podman");
  await writeFile(machine.path("/usr/local/bin/no-limits"), RUNTIME, { mode: 0o755 });
  await writeFile(machine.path("/etc/containers/containers.conf"), CONTAINERS);
  await writeFile(machine.path("/etc/containers/storage.conf"), STORAGE);
  await mustRun("docker", ["save", "--output", machine.path("/root/image.tar"), image]);
  await must("podman load --input /root/image.tar");
  machine.start("podman", ["system", "service", "--time=0", `unix://${SOCKET}`]);
  await eventually(() => must(`curl --silent --unix-socket ${SOCKET} http://podman/_ping`), 20_000);
  const flags = ["--yes", "--image", image, "--offline", "--bcrypt-cost", "5", "--user", "admin", "--password-stdin"];
  await regctl(["init", DIRECTORY, ...flags], 0, secretForTest());
});

it("has one thing to say of a deployment that is in order", async () => {
  expect(await findings()).toEqual({
    engine: { verdict: "warning", cause: expect.stringContaining("(DOCKER_HOST) is Podman") },
  });
  expect(await must(`podman inspect --format '{{.HostConfig.LogConfig.Size}}' ${CONTAINER}`)).toBe("10MB");
});

it("changes nothing when nothing has to change, though Podman calls the image by another name", async () => {
  expect(await must(`podman inspect --format '{{.ImageName}}' ${CONTAINER}`)).toMatch(/^localhost\//);
  expect((await regctl(["up", "-C", DIRECTORY])).stdout).toBe("no changes\n");
});

it("sees a container that was killed, brings it up again and takes it down", async () => {
  await must(`podman kill --signal KILL ${CONTAINER} && podman wait ${CONTAINER}`);
  expect(await findings()).toMatchObject({
    container: { verdict: "broken", cause: expect.stringContaining("exit code 137") },
  });
  await regctl(["up", "-C", DIRECTORY]);
  await regctl(["restart", "-C", DIRECTORY]);
  expect(Object.keys(await findings())).toEqual(["engine"]);
  await regctl(["down", "-C", DIRECTORY]);
  expect(await must("podman ps --all --quiet")).toBe("");
});
