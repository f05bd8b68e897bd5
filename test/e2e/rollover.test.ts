/** A new authority for a registry that serves: whatever a client knows, it goes on working. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../support/addresses.ts";
import { type DockerClient, dockerClient, skopeo, skopeoCopy } from "../support/clients.ts";
import { deployed, jsonOf, keep } from "../support/e2e-deployment.ts";
import { tinyImage } from "../support/e2e-image.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import type { ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";
import { everyVerifier, verdicts } from "../support/verifiers.ts";

const NAME = "registry.rollover.test";
const IMAGE = "team/api:1";

describe("a rollover, seen from other machines", () => {
  let folder: TemporaryDirectory;
  let machine: NetworkNamespace;
  let address: HostAddress;
  let registry: Scenario;
  let docker: DockerClient;
  const file = (name: string): string => join(folder.path, `${name}.crt`);

  /** What docker says that trusts these authorities and has to ask the registry for everything. */
  const dockerPull = async (authorities: string): Promise<ProgramResult> => {
    const at = `${address.address}:${registry.port}`;
    await using _trust = await trustInEngine(at, authorities);
    await docker.removeImage(`${at}/${IMAGE}`);
    return await docker.pull(`${at}/${IMAGE}`);
  };
  const expectTrusted = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const one = { registry: `${NAME}:${registry.port}`, caFile: file(name), inside: machine };
      expect(await verdicts(one), name).toEqual(everyVerifier("trusted"));
      const pulled = await dockerPull(await readFile(file(name), "utf8"));
      expect(pulled, `docker, ${name}: ${pulled.stderr}`).toMatchObject({ exitCode: 0 });
    }
  };

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    machine = keep(await networkNamespace({ [NAME]: "HOST" }));
    address = keep(await hostAddress());
    docker = keep(dockerClient());
    registry = keep(await deployed({ adopt: false, flags: ["--domain", NAME, "--san", address.address] }));
    await registry.must(["certs", "ca", file("old")]);
    await using image = await tinyImage();
    await image.save(join(folder.path, "image.tar"));
    const pushed = await skopeoCopy(
      `docker-archive:${folder.path}/image.tar`,
      `docker://${NAME}:${registry.port}/${IMAGE}`,
      { destination: { caFile: file("old"), credentials: registry.credentials }, inside: machine },
    );
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
    await using _trust = await trustInEngine(
      `${address.address}:${registry.port}`,
      await readFile(file("old"), "utf8"),
    );
    expect(await docker.login(`${address.address}:${registry.port}`, registry.credentials)).toMatchObject({
      exitCode: 0,
    });
  });

  it("no client that pulls all the time ever sees a certificate it does not trust", async () => {
    await expectTrusted("old");
    const failures: string[] = [];
    let pulls = 0;
    let isOver = false;
    const pullAllTheTime = async (pull: () => Promise<ProgramResult>): Promise<void> => {
      while (!isOver) {
        const { exitCode, stderr } = await pull();
        pulls += 1;
        if (exitCode !== 0) failures.push(stderr);
      }
    };
    const old = await readFile(file("old"), "utf8");
    const right = { caFile: file("old"), credentials: registry.credentials, inside: machine };
    const loops = [
      pullAllTheTime(() => dockerPull(old)),
      pullAllTheTime(() => skopeo("inspect", `docker://${NAME}:${registry.port}/${IMAGE}`, right)),
    ];
    try {
      await registry.must(["certs", "rollover"]);
      await registry.must(["certs", "renew"]);
    } finally {
      isOver = true;
      await Promise.all(loops);
    }
    expect(pulls).toBeGreaterThan(5);
    // For the moment in which one container follows the other a client has to try again; about certificates none complains.
    for (const failure of failures) expect(failure).toMatch(/connection refused|connection reset|EOF|no route/);
  });

  it("clients with the old, the new and both authorities are served; after --finish those with the new one", async () => {
    await registry.must(["certs", "ca", file("new")]);
    await writeFile(file("both"), (await readFile(file("new"), "utf8")) + (await readFile(file("old"), "utf8")));
    await expectTrusted("old", "new", "both");

    const finished = await jsonOf<{ outcome: string }>(registry, ["certs", "rollover", "--finish", "--yes"]);
    expect(finished.outcome).toBe("finished");
    await expectTrusted("new");
    const stale = { registry: `${NAME}:${registry.port}`, caFile: file("old"), inside: machine };
    expect(await verdicts(stale)).toEqual(everyVerifier("refused"));
    expect((await dockerPull(await readFile(file("old"), "utf8"))).stderr).toContain("x509");
  });
});
