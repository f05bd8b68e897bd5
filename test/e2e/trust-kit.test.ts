/** A trust kit on a machine of its own: every client refuses before it, and trusts after it; after its undo nothing is left. */
import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { tinyImage } from "../support/e2e-image.ts";
import { eventually } from "../support/eventually.ts";
import { differences, machineFiles } from "../support/machine-files.ts";
import type { Scenario } from "../support/scenario.ts";

const NAME = "registry.trust.test";
const CLIENTS = ["docker", "podman", "system", "java", "node", "python", "git"];

interface Event {
  readonly kind: string;
  readonly client: string;
  readonly text: string;
}

describe("a trust kit", () => {
  let machine: ClientMachine;
  let registry: Scenario;
  let at: string;
  let before: string[];

  const kit = (...args: string[]) => machine.run("sh", ["/kit.sh", ...args], { timeoutMs: 200_000 });
  const events = async (exitCode: number, ...args: string[]): Promise<Event[]> => {
    const result = await kit("--porcelain", ...args);
    expect(result, `${result.stdout}\n${result.stderr}`).toMatchObject({ exitCode, stderr: "" });
    return result.stdout
      .trim()
      .split("\n")
      .map((line) => {
        const [kind = "", client = "", text = ""] = line.split("\t");
        return { kind, client, text };
      });
  };
  const clientsWith = (found: readonly Event[], kind: string): string[] => [
    ...new Set(found.filter((event) => event.kind === kind).map(({ client }) => client)),
  ];

  beforeAll(async () => {
    machine = keep(await clientMachine({ [NAME]: "HOST" }));
    registry = keep(await deployed({ adopt: false, flags: ["--domain", NAME, "--san", machine.network.hostAddress] }));
    at = `${NAME}:${registry.port}`;
    const { stdout } = await registry.must(["trust", "kit"]);
    await writeFile(machine.path("/kit.sh"), stdout);
    machine.start("dockerd", ["--storage-driver", "vfs", "--bridge", "none", "--iptables=false"]);
    await eventually(async () => (await machine.sh("docker version")).exitCode === 0, 60_000, 200);
    before = await machineFiles(machine);
  });

  /** What clients say that do not know the authority. */
  async function expectRefusals(): Promise<void> {
    const options = { input: registry.credentials.password, env: { HOME: "/tmp" } };
    const clients = ["docker login -u admin --password-stdin", "skopeo login -u admin --password-stdin"];
    for (const client of clients) expect((await machine.sh(`${client} ${at}`, options)).stderr).toContain("x509");
    expect((await machine.sh(`curl -sS https://${at}/v2/`, options)).exitCode).toBe(60);
    expect((await machine.sh(`wget -q https://${at}/v2/`, options)).exitCode).toBe(5);
  }

  it("sees that no client trusts the registry, and says so with exit code 3", async () => {
    await expectRefusals();
    const found = await events(3, "--check");
    expect(clientsWith(found, "broken")).toEqual(CLIENTS);
    expect(found).toContainEqual(expect.objectContaining({ kind: "ok", client: "registry" }));
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });

  it("says with --dry-run what it would do, and changes nothing", async () => {
    const found = await events(0, "--dry-run");
    expect(clientsWith(found, "plan")).toEqual(["docker", "podman", "system", "java", "kit", "node"]);
    for (const folder of [at, `${machine.network.hostAddress}:${registry.port}`])
      expect(found).toContainEqual({
        kind: "plan",
        client: "docker",
        text: `would write /etc/docker/certs.d/${folder}/ca.crt`,
      });
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });

  it("makes every client trust it, and a stranger's first pull works", async () => {
    expect(clientsWith(await events(0), "ok")).toEqual(["registry", ...CLIENTS]);
    await using image = await tinyImage();
    await image.save(machine.path("/image.tar"));
    // Images and logins of these clients go with /tmp.
    const login = { input: registry.credentials.password, env: { HOME: "/tmp" } };
    for (const script of [
      `docker load -i /image.tar && docker tag ${image.reference} ${at}/team/app:1`,
      `docker login -u admin --password-stdin ${at}`,
      `docker push ${at}/team/app:1 && docker rmi ${at}/team/app:1 ${image.reference} && docker pull ${at}/team/app:1`,
      `skopeo login -u admin --password-stdin ${at} && skopeo inspect docker://${at}/team/app:1`,
      `podman --root /tmp/p --runroot /tmp/r --storage-driver vfs pull ${at}/team/app:1`,
    ]) {
      const done = await machine.sh(script, login);
      expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    }
    // A login shell is where Node gets to know of it.
    const node = `node -e 'require("https").get("https://${at}/v2/", (r) => console.log(r.statusCode))'`;
    expect((await machine.run("bash", ["-lc", node])).stdout).toBe("401\n");
    await machine.sh(
      `docker rmi ${at}/team/app:1; docker logout ${at}; rm -rf /root/.docker /root/.config /run/containers`,
    );
  });

  it("has nothing to do a second time", async () => {
    const installed = await machineFiles(machine);
    const again = await events(0);
    expect(clientsWith(again, "change")).toEqual([]);
    expect(again).toContainEqual({ kind: "same", client: "kit", text: "nothing to do" });
    expect(
      differences(installed, await machineFiles(machine)).filter((line) => !line.includes("/regctl-trust/")),
    ).toEqual([]);
  });

  it("takes all of it back with --undo: every byte, mode and time, and clients refuse again", async () => {
    expect(clientsWith(await events(0, "--undo", "--dry-run"), "plan")).toEqual([
      "node",
      "kit",
      "system",
      "podman",
      "docker",
    ]);
    await events(0, "--undo");
    expect(differences(before, await machineFiles(machine))).toEqual([]);
    await expectRefusals();
    expect(await events(0, "--undo")).toEqual([
      { kind: "same", client: "kit", text: "nothing of this kit is on this machine" },
    ]);
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });
});
