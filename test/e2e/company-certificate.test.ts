/** A certificate under a root that clients have in their system's store already: they need nothing, and a kit takes nothing away. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClientMachine, clientMachine } from "../support/client-machine.ts";
import { deployed, keep, place, quickFlags, writtenError } from "../support/e2e-deployment.ts";
import { tinyImage } from "../support/e2e-image.ts";
import { CA_EXTENSIONS, type Issued, issue, leafExtensions } from "../support/e2e-issue.ts";
import { eventually } from "../support/eventually.ts";
import { verdicts } from "../support/examined.ts";
import { withHostName } from "../support/host-name.ts";
import { differences, machineFiles } from "../support/machine-files.ts";
import { REGCTL } from "../support/regctl.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.company.test";

describe("a certificate of a company's authority", () => {
  const folder = keep(temporaryDirectory());
  let machine: ClientMachine;
  let registry: Scenario;
  let at: string;
  let root: Issued;
  let intermediate: Issued;
  let chain: string;
  const leaf = (name: string): Promise<Issued> =>
    issue(folder.path, { name, issuer: intermediate, extensions: leafExtensions(`DNS:${NAME},DNS:localhost`) });
  /** Commands of the machine with the registry's password on stdin. */
  const expectDone = async (...scripts: string[]): Promise<void> => {
    for (const script of scripts) {
      const done = await machine.sh(script, { input: registry.credentials.password, env: { HOME: "/tmp" } });
      expect(done, `${script}\n${done.stderr}`).toMatchObject({ exitCode: 0 });
    }
  };

  beforeAll(async () => {
    machine = keep(await clientMachine({ [NAME]: "HOST" }));
    keep(await withHostName(NAME, machine.network.hostAddress));
    root = await issue(folder.path, { name: "company-root", extensions: CA_EXTENSIONS, days: 3650 });
    const path = "authorityKeyIdentifier=keyid\n";
    intermediate = await issue(folder.path, { name: "company-tls", issuer: root, extensions: CA_EXTENSIONS + path });
    chain = join(folder.path, "chain.pem");
    const parts = await Promise.all([intermediate.certificate, root.certificate].map((file) => readFile(file, "utf8")));
    await writeFile(chain, parts.join(""));
    await writeFile(machine.path("/usr/local/share/ca-certificates/company.crt"), await readFile(root.certificate));
    expect((await machine.sh("update-ca-certificates")).exitCode).toBe(0);
    machine.start("dockerd", ["--storage-driver", "vfs", "--bridge", "none", "--iptables=false"]);
    const first = await leaf("first");
    registry = keep(
      await deployed({
        adopt: false,
        flags: [
          ...["--domain", NAME, "--san", "localhost"],
          ...["--tls", "provided", "--cert", first.certificate, "--key", first.key, "--chain", chain],
        ],
      }),
    );
    at = `${NAME}:${registry.port}`;
    await eventually(async () => (await machine.sh("docker version")).exitCode === 0, 60_000, 200);
  });

  it("is not taken without the root: which one is missing is said, and nothing is written", async () => {
    await using other = await place({ adopt: false });
    const given = await leaf("alone");
    const flags = ["--domain", NAME, "--tls", "provided", "--cert", given.certificate, "--key", given.key];
    const refused = await other.regctl(
      [...other.initArgs, ...(await quickFlags()), ...flags, "--chain", intermediate.certificate, "--json"],
      { input: other.credentials.password },
    );
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(JSON.stringify(writtenError(refused.stderr).details)).toMatch(/MISSING_INTERMEDIATE.*CN ?= ?company-root/);
  });

  it("is trusted by docker, skopeo and curl of a machine that was given nothing, before and after it is renewed", async () => {
    await using image = await tinyImage();
    await image.save(machine.path("/image.tar"));
    const pull = `docker rmi ${at}/team/app:1; docker pull ${at}/team/app:1`;
    await expectDone(
      `docker load -i /image.tar && docker tag ${image.reference} ${at}/team/app:1`,
      `docker login -u admin --password-stdin ${at} && docker push ${at}/team/app:1`,
      pull,
      `skopeo login -u admin --password-stdin ${at}`,
      `skopeo copy docker://${at}/team/app:1 docker://${at}/team/again:1`,
      `[ "$(curl -sS -o /dev/null -w '%{http_code}' https://${at}/v2/)" = 401 ]`,
    );
    // A renewed one comes without the root: that is known by now.
    const second = await leaf("second");
    const { certificate, key } = second;
    await registry.must(["certs", "import", certificate, "--key", key, "--chain", intermediate.certificate]);
    await expectDone(pull, `skopeo inspect docker://${at}/team/again:1`, `curl -sS https://${at}/v2/`);
  });

  it("leaves doctor with nothing to say, where the registry runs and on the client", async () => {
    expect(await verdicts(registry.directory)).toEqual({});
    const seen = await machine.runHostProgram(process.execPath, [REGCTL, "doctor", "--from-client", `https://${at}`]);
    expect(seen, seen.stdout + seen.stderr).toMatchObject({ exitCode: 0 });
  });

  it("has a kit that finds the root in the store, says so, and leaves it there after undo", async () => {
    await machine.sh(`rm -rf /root/.docker /root/.config /run/containers`);
    const before = await machineFiles(machine);
    await writeFile(
      machine.path("/kit.sh"),
      (await registry.must(["trust", "kit", "--client", "docker,podman,system"])).stdout,
    );
    const check = await machine.sh("sh /kit.sh --check");
    expect(check).toMatchObject({ exitCode: 0, stderr: "" });
    expect(check.stdout.match(/^\w+: \w+/gm)).toEqual(
      ["registry", "docker", "podman", "system"].map((client) => `${client}: trusted`),
    );
    const installed = await machine.sh("sh /kit.sh");
    expect(installed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(installed.stdout).toContain(
      "ca-certificates.crt holds the authority already; this kit did not put it there",
    );
    expect((await machine.sh("sh /kit.sh --undo")).exitCode).toBe(0);
    expect(differences(before, await machineFiles(machine))).toEqual([]);
  });
});
