/** Trust kits while the authority is replaced: a machine is given both, goes on to the new one, and is as it was after undo. */
import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { differences, machineFiles } from "../support/machine-files.ts";
import type { ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

const NAME = "registry.both.test";
const CLIENTS = "docker,podman,containerd,system,java,node,python";

describe("a trust kit during a rollover", () => {
  let machine: ClientMachine;
  let registry: Scenario;
  let at: string;
  let before: string[];

  /** Of several \`--client\` the last one counts. */
  const run = (kit: string, ...args: string[]): Promise<ProgramResult> =>
    machine.run("sh", [`/${kit}.sh`, "--client", CLIENTS, ...args], { timeoutMs: 100_000 });
  const must = async (kit: string, ...args: string[]): Promise<string> => {
    const result = await run(kit, ...args);
    expect(result, result.stdout + result.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    return result.stdout;
  };
  const makeKit = async (name: string): Promise<void> =>
    writeFile(machine.path(`/${name}.sh`), (await registry.must(["trust", "kit"])).stdout);
  const count = async (script: string): Promise<number> => Number((await machine.sh(script)).stdout);
  /** How many authorities docker, skopeo, the system and Java were given. */
  const given = async (): Promise<number[]> =>
    Promise.all([
      count(`grep -c BEGIN '/etc/docker/certs.d/${at}/ca.crt'`),
      count(`grep -c BEGIN '/etc/containers/certs.d/${at}/ca.crt'`),
      count("ls /usr/local/share/ca-certificates | grep -c '^regctl-'"),
      count("keytool -list -cacerts -storepass changeit 2>&1 | grep -ci regctl-"),
    ]);

  beforeAll(async () => {
    machine = keep(await clientMachine({ [NAME]: "HOST" }));
    registry = keep(await deployed({ adopt: false, flags: ["--domain", NAME] }));
    at = `${NAME}:${registry.port}`;
    // What pip installs beside requests: a list of its own, which has nothing of this machine's.
    await machine.sh(
      `mkdir -p /usr/local/lib/python3.11/dist-packages/certifi && cd /usr/local/lib/python3.11/dist-packages/certifi &&
       openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=other -keyout /tmp/k -out cacert.pem &&
       echo 'import os.path
where = lambda: os.path.join(os.path.dirname(__file__), "cacert.pem")' >__init__.py && python3 -c 'import requests'`,
    );
    machine.start("dockerd", ["--storage-driver", "vfs", "--bridge", "none", "--iptables=false"]);
    await eventually(async () => (await machine.sh("docker version")).exitCode === 0, 60_000, 200);
    before = await machineFiles(machine);
    await registry.must(["certs", "rollover"]);
    await makeKit("both");
    await registry.must(["certs", "rollover", "--finish", "--yes"]);
    await makeKit("new");
  });

  it("gives every client both authorities, and takes both back", async () => {
    const requests = `python3 -c 'import requests; print(requests.get("https://${at}/v2/").status_code)'`;
    expect((await machine.run("bash", ["-lc", requests])).stderr).toContain("CERTIFICATE_VERIFY_FAILED");
    const installed = await must("both", "--restart");
    expect(await given()).toEqual([2, 2, 2, 2]);
    for (const client of ["registry", "docker", "podman", "system", "java", "node", "python"])
      expect(installed).toContain(`${client}: trusted: `);
    // What nobody can restart is said, and nothing is claimed of a containerd that does not run.
    expect(installed).toContain("fix: systemd does not run containerd here: restart it the way it was started");
    expect(installed).toContain("containerd: unknown: could not verify: containerd does not run here");
    // requests of pip is told in a login shell.
    expect((await machine.run("bash", ["-lc", requests])).stdout).toBe("401\n");
    expect(await must("both", "--no-check")).toContain("kit: nothing to do");
    await must("both", "--undo");
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });

  it("goes on to the new authority alone, also in Java's store, which the system's fills", async () => {
    const clients = ["--client", "docker,podman,system", "--no-check"];
    await must("both", ...clients);
    expect(await must("new", ...clients)).toMatch(/removed \S+, which an earlier kit wrote/);
    expect(await given()).toEqual([1, 1, 1, 1]);
    await must("new", "--undo");
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });

  it("takes authorities that were replaced out of a store of Java's that nobody else fills", async () => {
    // As a JDK that is no package of the distribution has it.
    await machine.sh("mv /etc/ca-certificates/update.d/jks-keystore /root && cp -a /etc/ssl/certs/java/cacerts /root");
    const java = ["--client", "java", "--no-check"];
    await must("both", ...java);
    await must("new", ...java);
    expect((await given())[3]).toBe(1);
    await must("new", "--undo");
    expect((await machine.sh("cmp /root/cacerts /etc/ssl/certs/java/cacerts")).exitCode).toBe(0);
    await machine.sh("mv /root/jks-keystore /etc/ca-certificates/update.d && mv /root/cacerts /etc/ssl/certs/java");
  });

  it("restarts with --restart what an earlier run only spoke of, and once", async () => {
    const systemctl = "/usr/local/sbin/systemctl";
    const log = async () => (await machine.sh("grep -v is-active /systemctl.log")).stdout;
    await machine.sh(`printf '#!/bin/sh\necho "$*" >>/systemctl.log\n' >${systemctl} && chmod +x ${systemctl}`);
    const containerd = ["--client", "containerd", "--no-check"];
    expect(await must("new", ...containerd)).toContain("(or run this kit with --restart)");
    expect(await log()).toBe("");
    expect(await must("new", ...containerd, "--restart")).toContain("containerd: restarted containerd");
    expect(await must("new", ...containerd, "--restart")).toContain("kit: nothing to do");
    expect(await log()).toBe("restart containerd\n");
    await must("new", ...containerd, "--undo", "--restart");
    expect(await log()).toBe("restart containerd\nrestart containerd\n");
    await machine.sh(`rm ${systemctl} /systemctl.log`);
  });
});
