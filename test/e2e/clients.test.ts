/** Real clients on other machines: with the authority and the password they push and pull, with anything less they do not. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../support/addresses.ts";
import { curl, dockerClient, podmanPull, skopeo, skopeoCopy } from "../support/clients.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { tinyImage } from "../support/e2e-image.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { withHostName } from "../support/host-name.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { opensslAuthority } from "../support/openssl-authority.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.clients.test";

describe("clients on other machines", () => {
  let folder: TemporaryDirectory;
  let address: HostAddress;
  let machine: NetworkNamespace;
  let registry: Scenario;
  let strangerFile: string;
  let at: string;

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    address = keep(await hostAddress());
    machine = keep(await networkNamespace({ [NAME]: "HOST" }));
    registry = keep(
      await deployed({ flags: ["--domain", NAME, "--san", `${address.address},${machine.hostAddress}`] }),
    );
    await mkdir(join(folder.path, "stranger"));
    strangerFile = (await opensslAuthority(join(folder.path, "stranger"), "Stranger")).caFile;
    at = `${NAME}:${registry.port}`;
  });

  it("docker pushes and pulls with the authority and the password, and with nothing less", async () => {
    await using docker = dockerClient();
    await using image = await tinyImage();
    await using _name = await withHostName(NAME, address.address);
    const wrong = { ...registry.credentials, password: secretForTest() };
    expect((await docker.login(at, registry.credentials)).stderr).toContain("certificate signed by unknown authority");
    {
      await using _stranger = await trustInEngine(at, await readFile(strangerFile, "utf8"));
      expect((await docker.login(at, registry.credentials)).stderr).toContain("x509");
    }
    await using _trust = await trustInEngine(at, await readFile(registry.caFile, "utf8"));
    expect((await docker.login(at, wrong)).stderr).toContain("401");

    expect(await docker.login(at, registry.credentials)).toMatchObject({ exitCode: 0 });
    const reference = `${at}/team/api:1`;
    await docker.tag(image.reference, reference);
    expect(await docker.push(reference)).toMatchObject({ exitCode: 0 });
    await docker.removeImage(reference);
    await docker.removeImage(image.reference);
    expect(await docker.pull(reference)).toMatchObject({ exitCode: 0 });
    expect((await mustRun("docker", ["image", "inspect", "--format", "{{.Id}}", reference])).stdout.trim()).toBe(
      image.id,
    );

    expect(await docker.logout(at)).toMatchObject({ exitCode: 0 });
    expect((await docker.push(reference)).stderr).toContain("no basic auth credentials");
  });

  it("skopeo, podman and curl do the same from a machine of their own", async () => {
    await using image = await tinyImage();
    const archive = join(folder.path, "image.tar");
    await image.save(archive);
    const right = { inside: machine, caFile: registry.caFile, credentials: registry.credentials };
    const wrong = { ...right, credentials: { ...registry.credentials, password: secretForTest() } };
    const target = `docker://${at}/team/web:1`;
    const copy = (destination: typeof right) =>
      skopeoCopy(`docker-archive:${archive}`, target, { destination, inside: machine });

    expect(await copy(right)).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await copy(wrong)).stderr).toMatch(/unauthorized|authentication required/);
    expect((await skopeo("inspect", target, { ...right, caFile: undefined })).stderr).toContain("x509");
    expect((await skopeo("inspect", target, { ...right, caFile: strangerFile })).stderr).toContain("x509");
    expect(JSON.parse((await skopeo("inspect", target, right)).stdout)).toMatchObject({ RepoTags: ["1"] });

    expect(await podmanPull(`${at}/team/web:1`, right)).toMatchObject({ exitCode: 0 });
    expect((await podmanPull(`${at}/team/web:1`, { ...right, caFile: strangerFile })).stderr).toContain("x509");
    expect((await podmanPull(`${at}/team/web:1`, wrong)).exitCode).not.toBe(0);

    const url = `https://${at}/v2/team/web/tags/list`;
    expect(JSON.parse((await curl(url, right)).body)).toEqual({ name: "team/web", tags: ["1"] });
    expect((await curl(url, wrong)).status).toBe(401);
    expect((await curl(url, { ...right, credentials: undefined })).status).toBe(401);
    expect(await curl(url, { ...right, caFile: undefined })).toMatchObject({ exitCode: 60, status: 0 });
    expect(await curl(url, { ...right, caFile: strangerFile })).toMatchObject({ exitCode: 60, status: 0 });
    // By address as well: the certificate covers it.
    expect((await curl(`https://${machine.hostAddress}:${registry.port}/v2/`, right)).status).toBe(200);
  });
});
