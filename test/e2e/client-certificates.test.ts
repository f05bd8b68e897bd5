/** Two factors with real clients: a certificate to get as far as the question for the password, then the password. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../support/addresses.ts";
import { curl, type DockerClient, dockerClient, podmanPull, skopeo, skopeoCopy } from "../support/clients.ts";
import { deployed, edit, keep, onlyContainer } from "../support/e2e-deployment.ts";
import { type TinyImage, tinyImage } from "../support/e2e-image.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { eventually } from "../support/eventually.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.clients.test";

/** What Go's server says of no certificate and of a wrong one, as each client words it. */
const REFUSED = /bad certificate|certificate required|unknown (certificate )?authority/;

describe("client certificates", () => {
  let folder: TemporaryDirectory;
  let machine: NetworkNamespace;
  let address: HostAddress;
  let registry: Scenario;
  let docker: DockerClient;
  let image: TinyImage;
  let at: string;
  const place = (name: string): string => join(folder.path, name);
  const client = (name: string, credentials = true) => ({
    caFile: registry.caFile,
    inside: machine,
    clientFolder: name === "" ? undefined : place(name),
    credentials: credentials ? registry.credentials : undefined,
  });
  const status = async (name: string, credentials = true): Promise<number | string> => {
    const answer = await curl(`https://${at}/v2/`, client(name, credentials));
    // 35 and 56: the registry's alert; 55: it was faster than curl's request, and the connection is gone.
    return [35, 55, 56].includes(answer.exitCode) ? "refused" : answer.status;
  };
  const copy = (name: string) =>
    skopeoCopy(`docker-archive:${place("image.tar")}`, `docker://${at}/team/${name}:1`, {
      destination: client(name),
      inside: machine,
    });

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    machine = keep(await networkNamespace({ [NAME]: "HOST" }));
    address = keep(await hostAddress());
    docker = keep(dockerClient());
    image = keep(await tinyImage());
    await image.save(place("image.tar"));
    registry = keep(await deployed({ flags: ["--domain", NAME, "--san", address.address] }));
    at = `${NAME}:${registry.port}`;
    for (const name of ["anna", "ci"]) await registry.must(["certs", "client", name, "-o", place(name)]);
    await edit(registry.directory, /^ {2}mode: own-ca$/m, "  mode: own-ca\n  clientAuth: required");
    await registry.must(["up"]);
    // A certificate for servers, from the registry's own authority, as somebody would try it who got hold of one.
    await mkdir(place("server"));
    for (const [from, to] of [
      ["domain.crt", "client.cert"],
      ["domain.key", "client.key"],
    ] as const)
      await cp(join(registry.directory, "certs", from), join(place("server"), to));
  });

  it("without one nobody gets as far as the password; with one the password is asked for; with both all works", async () => {
    for (const name of ["", "server"]) expect(await status(name), name).toBe("refused");
    for (const name of ["anna", "ci"]) {
      expect(await status(name, false), name).toBe(401);
      expect(await status(name), name).toBe(200);
    }
    const pushed = await copy("anna");
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
    for (const name of ["", "server"]) {
      expect((await skopeo("inspect", `docker://${at}/team/anna:1`, client(name))).stderr).toMatch(REFUSED);
      expect((await podmanPull(`${at}/team/anna:1`, client(name))).stderr).toMatch(REFUSED);
    }
    expect((await skopeo("inspect", `docker://${at}/team/anna:1`, client("ci", false))).stderr).toMatch(
      /unauthorized|authentication required/,
    );
    expect(await skopeo("inspect", `docker://${at}/team/anna:1`, client("ci"))).toMatchObject({ exitCode: 0 });
    const pulled = await podmanPull(`${at}/team/anna:1`, client("ci"));
    expect(pulled, pulled.stderr).toMatchObject({ exitCode: 0 });
  });

  it("docker pushes and pulls with both, finds its own among several pairs, and is refused with less", async () => {
    const host = `${address.address}:${registry.port}`;
    const reference = `${host}/team/docker:1`;
    await docker.tag(image.reference, reference);
    {
      await using _trust = await trustInEngine(host, await readFile(registry.caFile, "utf8"));
      expect((await docker.login(host, registry.credentials)).stderr).toMatch(REFUSED);
    }
    const pairs = { anna: place("anna"), "a-server": place("server") };
    await using _trust = await trustInEngine(host, await readFile(registry.caFile, "utf8"), pairs);
    expect((await docker.push(reference)).stderr).toContain("no basic auth credentials");
    expect(await docker.login(host, registry.credentials)).toMatchObject({ exitCode: 0 });
    expect(await docker.push(reference)).toMatchObject({ exitCode: 0 });
    await docker.removeImage(reference);
    const pulled = await docker.pull(reference);
    expect(pulled, pulled.stderr).toMatchObject({ exitCode: 0 });
  });

  it("regctl's own commands show a certificate too, and the engine finds the registry healthy", async () => {
    await eventually(async () => {
      expect((await onlyContainer(registry)).State.Health?.Status).toBe("healthy");
    }, 30_000);
    expect(await registry.must(["status"])).toMatchObject({ stderr: "" });
    await writeFile(place("pw"), registry.credentials.password, { mode: 0o600 });
    const listed = await registry.must(["repos", "--api", "--user", "admin", "--password-file", place("pw")]);
    expect(listed.stdout).toContain("team/anna");
    const looked = await registry.regctl(["doctor", "--json", "--user", "admin", "--password-file", place("pw")]);
    const { checks } = JSON.parse(looked.stdout).data as { checks: readonly { id: string; verdict: string }[] };
    for (const id of ["client-certificate", "certificate-authority", "login-works", "upload-begins", "upload-size"])
      expect(checks).toContainEqual(expect.objectContaining({ id, verdict: "ok" }));
    expect(await registry.must(["restart"])).toMatchObject({ exitCode: 0 });
    expect(await registry.must(["up"])).toMatchObject({ stdout: "no changes\n" });
    // What `docker compose` would mount is what was checked: no key of an authority of clients is anywhere.
    const { stdout } = await runProgram("grep", ["-rlE", "PRIVATE KEY", registry.directory]);
    expect(stdout.split("\n").filter(Boolean).sort()).toEqual(
      [".regctl/own-client.json", "certs/ca.key", "certs/domain.key"].map((file) => join(registry.directory, file)),
    );
  });

  it("a revoked one is refused from then on, and nobody else notices; the last one revoked opens nothing", async () => {
    const revoked = await registry.must(["certs", "revoke", "anna"]);
    expect(revoked.stdout).toContain("other clients notice nothing");
    expect(await status("anna")).toBe("refused");
    expect((await skopeo("inspect", `docker://${at}/team/anna:1`, client("anna"))).stderr).toMatch(REFUSED);
    expect(await status("ci")).toBe(200);
    const pushed = await copy("ci");
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });

    await registry.must(["certs", "revoke", "ci"]);
    for (const name of ["", "server", "anna", "ci"]) expect(await status(name), name).toBe("refused");
    expect(await registry.must(["status"])).toMatchObject({ stderr: "" });
  });
});
