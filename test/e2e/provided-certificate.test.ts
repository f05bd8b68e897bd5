/** A certificate its owner brought: served in the order clients need, and nothing changes when it does not fit. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { deployed, keep, onlyContainer, place, quickFlags, writtenError } from "../support/e2e-deployment.ts";
import {
  CA_EXTENSIONS,
  EC,
  expiredLeaf,
  type Issued,
  issue,
  LOCALHOST,
  leafExtensions,
  RSA,
} from "../support/e2e-issue.ts";
import { stateOf } from "../support/e2e-state.ts";
import { expectEveryClientTrusts, pushProbe, served } from "../support/e2e-verifiers.ts";
import { mustRun } from "../support/run-program.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

describe("a certificate its owner brought", () => {
  let folder: TemporaryDirectory;
  let root: Issued;
  let intermediate: Issued;
  const file = (name: string): string => join(folder.path, name);
  const bundle = async (name: string, ...parts: string[]): Promise<string> => {
    await writeFile(file(name), (await Promise.all(parts.map((part) => readFile(part, "utf8")))).join(""));
    return file(name);
  };
  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    root = await issue(folder.path, { name: "root", extensions: CA_EXTENSIONS });
    const path = "authorityKeyIdentifier=keyid\n";
    intermediate = await issue(folder.path, { name: "intermediate", issuer: root, extensions: CA_EXTENSIONS + path });
  });

  it.each([
    { kind: "EC", key: EC },
    { kind: "RSA", key: RSA },
  ])(
    "with an $kind key and an intermediate is served leaf first, and every client trusts it by the root alone",
    async ({ kind, key }) => {
      const leaf = await issue(folder.path, {
        name: `good-${kind}`,
        key,
        issuer: intermediate,
        extensions: leafExtensions(LOCALHOST),
      });
      // In the wrong order, with the root in it: the way such files arrive.
      const chain = await bundle(`chain-${kind}.pem`, root.certificate, intermediate.certificate);
      await using registry = await deployed({
        adopt: false,
        flags: ["--tls", "provided", "--cert", leaf.certificate, "--key", leaf.key, "--chain", chain],
      });
      await pushProbe(registry, root.certificate);
      await expectEveryClientTrusts(registry, root.certificate);
      const { chain: sent } = await served(registry, root.certificate);
      expect(sent.map(({ subject }) => subject)).toEqual([`CN=good-${kind}`, "CN=intermediate"]);
      expect((await onlyContainer(registry)).State.Status).toBe("running");
      expect((await registry.must(["up"])).stdout).toBe("no changes\n");
      expect((await registry.regctl(["certs", "renew"])).exitCode).toBe(2);
    },
  );

  it("is replaced by putting other files into certs/, and refused there as well when they do not fit", async () => {
    const first = await issue(folder.path, {
      name: "first",
      issuer: root,
      extensions: leafExtensions(LOCALHOST),
    });
    const second = await issue(folder.path, {
      name: "second",
      issuer: root,
      extensions: leafExtensions(LOCALHOST),
    });
    const chain = ["--chain", root.certificate];
    await using registry = await deployed({
      adopt: false,
      flags: ["--tls", "provided", "--cert", first.certificate, "--key", first.key, ...chain],
    });
    const put = async (from: Issued) => {
      for (const [source, target] of [
        [from.certificate, "domain.crt"],
        [from.key, "domain.key"],
      ] as const) {
        await writeFile(join(registry.directory, "certs", target), await readFile(source));
      }
    };
    await put({ certificate: second.certificate, key: first.key });
    const before = await onlyContainer(registry);
    expect((await registry.regctl(["up"])).exitCode).toBe(2);
    expect((await onlyContainer(registry)).Id).toBe(before.Id);
    await put(second);
    await registry.must(["up"]);
    expect((await served(registry, root.certificate)).chain[0]?.subject).toBe("CN=second");
  });

  it("that does not fit is refused with every reason, exit 2, and no file is written", async () => {
    const good = await issue(folder.path, {
      name: "fits",
      issuer: intermediate,
      extensions: leafExtensions(LOCALHOST),
    });
    const other = await issue(folder.path, {
      name: "other",
      issuer: intermediate,
      extensions: leafExtensions(LOCALHOST),
    });
    const elsewhere = await issue(folder.path, {
      name: "elsewhere",
      issuer: intermediate,
      extensions: leafExtensions("DNS:elsewhere.test"),
    });
    const encrypted = file("encrypted.key");
    await mustRun("openssl", ["pkey", "-in", good.key, "-aes256", "-passout", "stdin", "-out", encrypted], {
      input: "a passphrase",
    });
    const expired = await expiredLeaf(folder.path, intermediate);
    const chain = await bundle("both.pem", intermediate.certificate, root.certificate);
    const refusals: readonly {
      readonly what: string;
      readonly cert: string;
      readonly key: string;
      readonly chain?: string;
      readonly code: string;
    }[] = [
      { what: "key of another", cert: good.certificate, key: other.key, chain, code: "KEY_MISMATCH" },
      { what: "wrong host", cert: elsewhere.certificate, key: elsewhere.key, chain, code: "SAN_MISSING_HOST" },
      { what: "expired", cert: expired.certificate, key: expired.key, chain, code: "EXPIRED" },
      {
        what: "incomplete chain",
        cert: good.certificate,
        key: good.key,
        chain: root.certificate,
        code: "MISSING_INTERMEDIATE",
      },
      { what: "no chain", cert: good.certificate, key: good.key, code: "MISSING_INTERMEDIATE" },
      { what: "encrypted key", cert: good.certificate, key: encrypted, chain, code: "KEY_ENCRYPTED_NO_PASSPHRASE" },
      { what: "no certificate at all", cert: good.key, key: good.key, chain, code: "CERTIFICATE_" },
    ];
    await using registry = await place({ adopt: false });
    const quick = await quickFlags();
    for (const { what, cert, key, chain: given, code } of refusals) {
      const flags = [
        "--tls",
        "provided",
        "--cert",
        cert,
        "--key",
        key,
        ...(given === undefined ? [] : ["--chain", given]),
      ];
      const refused = await registry.regctl([...registry.initArgs, ...quick, ...flags, "--json"], {
        input: registry.credentials.password,
      });
      expect(refused, what).toMatchObject({ exitCode: 2, stdout: "" });
      const { details, hint } = writtenError(refused.stderr);
      expect(JSON.stringify(details), what).toContain(code);
      expect(`${hint}${JSON.stringify(details)}`, what).not.toBe("null{}");
      expect(await stateOf(registry), what).toEqual({ files: [], containers: [], networks: [] });
    }
  });
});
