/** `certs import` into a real registry: what clients elsewhere are shown then, and what is left when it does not come up. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { curl, skopeo } from "../support/clients.ts";
import { answer, deployed, keep, onlyContainer } from "../support/e2e-deployment.ts";
import { CA_EXTENSIONS, EC, type Issued, issue, leafExtensions, RSA } from "../support/e2e-issue.ts";
import { stateOf } from "../support/e2e-state.ts";
import { pushProbe } from "../support/e2e-verifiers.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.import.test";
const NAMES = `DNS:${NAME},DNS:localhost`;

describe("certs import", () => {
  let folder: TemporaryDirectory;
  let machine: NetworkNamespace;
  let registry: Scenario;
  let root: Issued;
  let intermediate: Issued;
  const leaf = (name: string, key: readonly string[] = EC): Promise<Issued> =>
    issue(folder.path, { name, key, issuer: intermediate, extensions: leafExtensions(NAMES) });

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    machine = keep(await networkNamespace({ [NAME]: "HOST" }));
    root = await issue(folder.path, { name: "root", extensions: CA_EXTENSIONS, days: 3650 });
    const path = "authorityKeyIdentifier=keyid\n";
    intermediate = await issue(folder.path, { name: "middle", issuer: root, extensions: CA_EXTENSIONS + path });
    const chain = await Promise.all([root.certificate, intermediate.certificate].map((file) => readFile(file, "utf8")));
    await writeFile(join(folder.path, "chain.pem"), chain.join(""));
    registry = keep(await deployed({ flags: ["--domain", NAME, "--san", "localhost"] }));
    await pushProbe(registry);
  });

  /** What other machines see: the subjects in the order sent, and whether curl and skopeo trust the file alone. */
  async function seen(caFile: string) {
    const at = `${NAME}:${registry.port}`;
    const args = ["s_client", "-connect", at, "-servername", NAME, "-showcerts", "-CAfile", caFile, "-x509_strict"];
    const shown = await machine.run("openssl", [...args, "-verify_return_error"]);
    const client = { caFile, credentials: registry.credentials, inside: machine };
    return {
      subjects: [...shown.stdout.matchAll(/^ *\d s:(.*)$/gm)].map(([, subject]) => subject?.replace(/^.*CN ?= ?/, "")),
      openssl: shown.exitCode,
      curl: (await curl(`https://${at}/v2/`, client)).status,
      skopeo: (await skopeo("list-tags", `docker://${at}/chain/probe`, client)).exitCode,
    };
  }

  it.each([
    { kind: "an EC", key: EC },
    { kind: "an RSA", key: RSA },
  ])(
    "serves a chain with $kind key to machines that know the root alone; --undo serves the own one again",
    async ({ key, kind }) => {
      const before = await stateOf(registry);
      const own = await readFile(registry.caFile, "utf8");
      const ownFile = join(folder.path, "own.crt");
      await writeFile(ownFile, own);
      const given = await leaf(kind.replaceAll(" ", "-"), key);
      const imported = await registry.must([
        "certs",
        "import",
        given.certificate,
        "--key",
        given.key,
        "--chain",
        join(folder.path, "chain.pem"),
      ]);
      expect(imported.stdout).toContain("hand out certs/ca.crt");
      const good = { openssl: 0, curl: 200, skopeo: 0 };
      expect(await seen(root.certificate)).toEqual({ subjects: [kind.replaceAll(" ", "-"), "middle"], ...good });
      expect(await seen(ownFile)).toMatchObject({ curl: 0, skopeo: 1 });
      expect((await registry.must(["up"])).stdout).toBe("no changes\n");
      await registry.must(["certs", "import", "--undo"]);
      expect(await seen(ownFile)).toEqual({ subjects: [NAME], ...good });
      const after = await stateOf(registry);
      const kept = ({ files }: { files: readonly string[] }) =>
        files.filter((line) => !/^\.regctl|^regctl\.yaml/.test(line));
      expect(kept(after)).toEqual(kept(before));
      expect(after.containers).toEqual(before.containers);
    },
  );

  it("leaves files, regctl.yaml and the container as they were when the registry does not come up with it", async () => {
    const given = await leaf("unlucky");
    const before = { state: await stateOf(registry), container: await onlyContainer(registry) };
    const certificate = await readFile(join(registry.directory, "certs/domain.crt"), "utf8");
    // What asks whether the registry serves gets no answer it could use.
    const preload = join(folder.path, "broken-check.mjs");
    await writeFile(
      preload,
      `import https from "node:https"; import { syncBuiltinESMExports } from "node:module";
       https.request = () => { throw new Error("the check fails"); }; syncBuiltinESMExports();`,
    );
    const args = ["certs", "import", given.certificate, "--key", given.key, "--chain", join(folder.path, "chain.pem")];
    const failed = await registry.regctl([...args, "--timeout", "3"], { nodeArgs: ["--import", preload] });
    expect(failed).toMatchObject({ exitCode: 1, stdout: "" });
    expect(failed.stderr).toMatch(/did not come up: [\s\S]*the check fails[\s\S]*former certificate is served again/);
    const withoutLog = (state: { files: readonly string[] }) =>
      state.files.filter((line) => !/^\.regctl\/(audit\.log|lock)/.test(line));
    const after = await stateOf(registry);
    expect(withoutLog(after)).toEqual(withoutLog(before.state));
    expect((await onlyContainer(registry)).Id).toBe(before.container.Id);
    expect(await readFile(join(registry.directory, "certs/domain.crt"), "utf8")).toBe(certificate);
    expect(await answer(registry)).toBe(200);
    expect((await registry.must(["up"])).stdout).toBe("no changes\n");
    const { stdout } = await mustRun("openssl", [
      "x509",
      "-noout",
      "-subject",
      "-in",
      join(registry.directory, "certs/domain.crt"),
    ]);
    expect(stdout).toContain(NAME);
  });
});
