/** Kits for one client each, and kits that are run through ssh, on a machine of their own. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { differences, machineFiles } from "../support/machine-files.ts";
import { REGCTL } from "../support/regctl.ts";
import { mustRun, type ProgramResult, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.one.test";

interface Event {
  readonly kind: string;
  readonly client: string;
  readonly text: string;
}
interface Outcome {
  readonly dryRun: boolean;
  readonly events: readonly Event[];
  readonly checks: readonly { readonly client: string; readonly verdict: string; readonly cause: string }[];
}

let machine: ClientMachine;
let registry: Scenario;
let at: string;
let before: string[];

const kit = (...args: string[]) => machine.run("sh", ["/kit.sh", ...args], { timeoutMs: 100_000 });
const changes = async (): Promise<string[]> => differences(before, await machineFiles(machine));

beforeAll(async () => {
  machine = keep(await clientMachine({ [NAME]: "HOST" }));
  registry = keep(await deployed({ adopt: false, flags: ["--domain", NAME] }));
  at = `${NAME}:${registry.port}`;
  await writeFile(machine.path("/kit.sh"), (await registry.must(["trust", "kit"])).stdout);
});

describe("containerd", () => {
  const CONFIG = "/etc/containerd/config.toml";
  const pull = () => machine.sh(`ctr images pull --hosts-dir /etc/containerd/certs.d ${at}/a/b:c`);

  beforeAll(async () => {
    machine.start("containerd");
    await eventually(async () => (await machine.sh("ctr version")).exitCode === 0, 30_000, 200);
    before = await machineFiles(machine);
  });

  it("gets hosts.toml, and config_path once, and says that it has to be restarted for that", async () => {
    expect((await pull()).stderr).toContain("x509");
    const installed = await kit("--client", "containerd");
    expect(installed, installed.stdout).toMatchObject({ exitCode: 0, stderr: "" });
    expect(installed.stdout).toMatch(/containerd has to be restarted once/);
    expect(installed.stdout).toContain("containerd: trusted: ctr images pull");
    expect((await pull()).stderr).not.toContain("x509");
    expect((await machine.sh(`containerd config dump | grep -A1 'cri".registry\\]'`)).stdout).toContain(
      'config_path = "/etc/containerd/certs.d"',
    );
    expect((await kit("--client", "containerd")).stdout).toContain("kit: nothing to do");
    expect(await kit("--undo")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await changes()).toEqual([]);
    expect((await pull()).stderr).toContain("x509");
  });

  it("is left alone when its configuration has the old lists of registries, with the edit to make", async () => {
    const original = await readFile(machine.path(CONFIG), "utf8");
    const old = `${original}\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\n  endpoint = ["https://m.test"]\n`;
    await writeFile(machine.path(CONFIG), old);
    const refused = await kit("--client", "containerd");
    expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("switch CRI off") });
    expect(refused.stdout).toContain(`registry.configs."${at}".tls]`);
    expect(await readFile(machine.path(CONFIG), "utf8")).toBe(old);
    expect(await kit("--undo")).toMatchObject({ exitCode: 0 });
    await writeFile(machine.path(CONFIG), original);
  });

  it("is told of a hosts.toml that hides the authority", async () => {
    const folder = `/etc/containerd/certs.d/${at}`;
    await machine.sh(`mkdir -p '${folder}' && echo 'server = "https://${at}"' > '${folder}/hosts.toml'`);
    const refused = await kit("--client", "containerd");
    expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("does not name this authority") });
    expect((await kit("--client", "containerd", "--check")).stdout).toContain("has no ca=");
    await kit("--undo");
    await machine.sh("rm -r /etc/containerd/certs.d");
  });
});

describe("shadows", () => {
  it("an empty folder that hides the one after it is found, with what to type", async () => {
    await kit("--client", "docker", "--no-check");
    const empty = `/etc/containers/certs.d/${at}`;
    await machine.sh(`mkdir -p '${empty}'`);
    const check = await kit("--client", "podman", "--check");
    expect(check).toMatchObject({ exitCode: 3, stdout: expect.stringContaining(`fix: rmdir '${empty}'`) });
    await machine.sh(`rm -r /etc/containers/certs.d`);
    // skopeo reads docker's folder as well, when nothing hides it.
    expect((await machine.sh(`skopeo inspect docker://${at}/a/b:c`)).stderr).not.toContain("x509");
    await kit("--undo");
  });

  it("a key without a certificate, and a variable that replaces the store, are found", async () => {
    const folder = `/etc/docker/certs.d/${at}`;
    await kit("--client", "docker", "--no-check");
    await machine.sh(`touch '${folder}/tls.key'; touch /empty.pem`);
    const check = await machine.run("sh", ["/kit.sh", "--client", "docker", "--check"], {
      env: { SSL_CERT_FILE: "/empty.pem" },
    });
    expect(check.stdout).toContain("has no .cert beside it");
    expect(check.stdout).toContain("environment: warning: SSL_CERT_FILE=/empty.pem");
    // What is not the kit's stays, and so does its folder.
    expect(await kit("--undo")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("there is something else in it"),
    });
    expect((await machine.sh(`ls '${folder}'`)).stdout).toBe("tls.key\n");
    await machine.sh("rm -r /etc/docker/certs.d");
  });
});

describe("one client alone", () => {
  beforeAll(async () => {
    before = await machineFiles(machine);
  });

  it.each([
    ["java", ["/etc/ssl/certs/java/cacerts"]],
    ["git", ["/etc/gitconfig"]],
    ["node", []],
  ])("%s trusts it, and is as it was after undo", async (client, files) => {
    const refused = await kit("--client", client, "--check");
    expect(refused).toMatchObject({ exitCode: 3 });
    const installed = await kit("--client", client);
    expect(installed, installed.stdout).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`${client}: trusted: `),
    });
    for (const file of files) expect(installed.stdout).toContain(`wrote ${file}`);
    expect((await kit("--client", client)).stdout).toContain("nothing to do");
    expect(await kit("--undo")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await changes()).toEqual([]);
  });

  it("takes its part alone out of a store and a file that others changed since", async () => {
    expect((await kit("--client", "java,git", "--no-check")).exitCode).toBe(0);
    await machine.sh("git config --system user.name somebody");
    await machine.sh(
      "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout /tmp/k -out /tmp/c && keytool -importcert -noprompt -cacerts -storepass changeit -alias other -file /tmp/c",
    );
    const undone = await kit("--undo");
    expect(undone, undone.stdout).toMatchObject({ exitCode: 0 });
    expect((await machine.sh("cat /etc/gitconfig")).stdout.replace(/\s+/g, " ")).toBe("[user] name = somebody ");
    const { stdout } = await machine.sh("keytool -list -cacerts -storepass changeit | grep -ciE 'regctl|^other,'");
    expect(stdout).toBe("1\n");
    expect((await kit("--client", "java,git", "--check")).exitCode).toBe(3);
  });
});

describe("k3s and buildkitd", () => {
  const K3S = "/etc/rancher/k3s/registries.yaml";

  it("get files of their own when they have none, else what to add to theirs", async () => {
    await machine.sh("mkdir -p /etc/rancher/k3s /etc/buildkit");
    before = await machineFiles(machine);
    const installed = await kit("--client", "k3s,buildkit", "--no-check");
    expect(installed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/k3s.* has to be restarted once/) });
    const written = load(await readFile(machine.path(K3S), "utf8")) as {
      configs: Record<string, { tls: { ca_file: string } }>;
    };
    const authority = written.configs[at]?.tls.ca_file ?? "";
    expect(await readFile(machine.path(authority), "utf8")).toBe(await readFile(registry.caFile, "utf8"));
    expect(await readFile(machine.path("/etc/buildkit/buildkitd.toml"), "utf8")).toContain(
      `[registry."${at}"]\n  ca = ["${authority}"]`,
    );
    expect(await kit("--undo")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await changes()).toEqual([]);

    await writeFile(machine.path(K3S), "mirrors: {}\n");
    const refused = await kit("--client", "k3s", "--no-check");
    expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(`ca_file: "${authority}"`) });
    expect(await readFile(machine.path(K3S), "utf8")).toBe("mirrors: {}\n");
    await kit("--undo");
    await machine.sh("rm -r /etc/rancher /etc/buildkit");
  });
});

describe("through ssh", () => {
  const home = keep(temporaryDirectory("regctl-test-home-"));

  /** regctl with a home of its own: ssh takes that of the user database, so it is put in the place of root's. */
  const overSsh = (...args: string[]): Promise<ProgramResult> =>
    runProgram(
      "unshare",
      [
        "--mount",
        "sh",
        "-c",
        'mount --bind "$1" /root && shift && exec "$@"',
        "sh",
        home.path,
        process.execPath,
        REGCTL,
        ...args,
      ],
      { cwd: registry.directory, timeoutMs: 100_000 },
    );
  const outcome = async (exitCode: number, ...args: string[]): Promise<Outcome> => {
    const result = await overSsh("trust", ...args, "--json");
    expect(result, result.stdout + result.stderr).toMatchObject({ exitCode, stderr: "" });
    return (JSON.parse(result.stdout) as { data: Outcome }).data;
  };

  beforeAll(async () => {
    await mkdir(join(home.path, ".ssh"), { mode: 0o700 });
    const key = join(home.path, ".ssh/id_ed25519");
    await mustRun("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await machine.sh(
      "mkdir -p /run/sshd /root/.ssh && chmod 700 /root/.ssh && ssh-keygen -A && useradd -m -s /bin/bash guest",
    );
    await writeFile(machine.path("/root/.ssh/authorized_keys"), await readFile(`${key}.pub`));
    await machine.sh(
      "mkdir /home/guest/.ssh && cp /root/.ssh/authorized_keys /home/guest/.ssh && chown -R guest /home/guest/.ssh",
    );
    machine.start("/usr/sbin/sshd", ["-D", "-e"]);
    const hostKey = await readFile(machine.path("/etc/ssh/ssh_host_ed25519_key.pub"), "utf8");
    await writeFile(join(home.path, ".ssh/known_hosts"), `${machine.network.address} ${hostKey}`);
    const config = `Host client.test\n  HostName ${machine.network.address}\n`;
    await writeFile(join(home.path, ".ssh/config"), config, { mode: 0o600 });
    await eventually(async () => (await machine.sh("ss -ltn | grep -q ':22 '")).exitCode === 0);
    before = await machineFiles(machine);
  });

  it("runs the kit there: dry run, install, check, undo", async () => {
    const clients = ["--client", "podman,system"];
    const planned = await outcome(0, "kit", "--over-ssh", "root@client.test", "--dry-run", ...clients);
    expect(planned.dryRun).toBe(true);
    expect(planned.events.filter(({ kind }) => kind === "plan")).toHaveLength(3);
    expect(await changes()).toEqual([]);

    const done = await outcome(0, "kit", "--over-ssh", "root@client.test", ...clients);
    expect(done.checks.map(({ client, verdict }) => [client, verdict])).toEqual([
      ["registry", "ok"],
      ["podman", "ok"],
      ["system", "ok"],
    ]);
    expect((await outcome(0, "check", "--over-ssh", "root@client.test", ...clients)).checks).toEqual(done.checks);
    await outcome(0, "kit", "--over-ssh", "root@client.test", "--undo");
    expect(await changes()).toEqual([]);
    await outcome(3, "check", "--over-ssh", "root@client.test", ...clients);
  });

  it("says what is missing when it cannot: no login, no root", async () => {
    const nobody = await overSsh("trust", "kit", "--over-ssh", "nosuch@client.test");
    expect(nobody).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("make `ssh nosuch@client.test true` work"),
    });
    const guest = await overSsh("trust", "kit", "--over-ssh", "guest@client.test");
    expect(guest.exitCode).not.toBe(0);
    expect(guest.stderr).toMatch(/sudo/);
    await outcome(0, "kit", "--over-ssh", "guest@client.test", "--user", "--client", "podman");
    expect((await machine.sh("ls /home/guest/.config/containers/certs.d")).stdout).toBe(`${at}\n`);
    await outcome(0, "kit", "--over-ssh", "guest@client.test", "--user", "--undo");
    expect((await machine.sh("ls -A /home/guest/.config /home/guest/.local")).stdout).toBe("");
  });
});

describe("busybox", () => {
  it("runs the kit with its own shell and tools", async () => {
    await machine.sh("mkdir /bb && busybox --install -s /bb");
    await rm(machine.path("/usr/local/sbin/x"), { force: true });
    before = await machineFiles(machine);
    const run = (...args: string[]) =>
      machine.run("/bb/sh", ["/kit.sh", ...args], { env: { PATH: "/bb:/usr/sbin:/usr/bin" }, timeoutMs: 100_000 });
    const clients = ["--client", "docker,podman,system,git"];
    const installed = await run(...clients);
    expect(installed, installed.stdout + installed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await run(...clients)).stdout).toContain("nothing to do");
    expect(await run("--undo")).toMatchObject({ exitCode: 0, stderr: "" });
    // busybox's touch knows no parts of a second.
    const whole = (line: string) => line.replace(/(\d{10})\.\d+ /, "$1 ");
    expect(differences(before.map(whole), (await machineFiles(machine)).map(whole))).toEqual([]);
  });
});
