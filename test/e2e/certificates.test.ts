/** Certificates on a registry that serves: clients notice no renewal, every client's own verifier agrees, and bad imports change nothing. */
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { skopeo, skopeoCopy } from "../support/clients.ts";
import {
  answer,
  deployed,
  jsonOf,
  keep,
  onlyContainer,
  place,
  quickFlags,
  writtenError,
} from "../support/e2e-deployment.ts";
import { tinyImage } from "../support/e2e-image.ts";
import { stateOf } from "../support/e2e-state.ts";
import { mustRun, type ProgramResult, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates the registry sends, leaf first, and what openssl's strictest check says of them. */
async function served(one: Scenario, caFile: string): Promise<{ chain: X509Certificate[]; result: ProgramResult }> {
  const args = [
    "s_client",
    "-connect",
    `localhost:${one.port}`,
    "-servername",
    "localhost",
    "-showcerts",
    "-CAfile",
    caFile,
  ];
  const strict = ["-verify_return_error", "-x509_strict", "-verify_hostname", "localhost", "-purpose", "sslserver"];
  const result = await runProgram("openssl", [...args, ...strict]);
  return { chain: [...result.stdout.matchAll(PEM)].map(([pem]) => new X509Certificate(pem)), result };
}

const PYTHON = `
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.verify_flags |= ssl.VERIFY_X509_STRICT
connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context)
connection.request("GET", "/v2/")
print(connection.getresponse().status)
`;
const NODE = `
const { readFileSync } = require("node:fs");
require("node:https").get({ host: "localhost", port: process.argv[1], path: "/v2/", ca: readFileSync(process.argv[2]) },
  (response) => { console.log(response.statusCode); response.resume(); });
`;

/** Every verifier there is: OpenSSL, Python's ssl, Node, curl's (in \`answer\`), and Go's in skopeo. */
async function expectEveryClientTrusts(one: Scenario, caFile = one.caFile): Promise<void> {
  const { result } = await served(one, caFile);
  expect(result.stdout).toContain("Verify return code: 0 (ok)");
  const python = await runProgram("/usr/bin/python3", ["-c", PYTHON, String(one.port), caFile]);
  expect(python, python.stderr).toMatchObject({ exitCode: 0, stdout: "401\n" });
  const node = await runProgram(process.execPath, ["-e", NODE, String(one.port), caFile]);
  expect(node, node.stderr).toMatchObject({ exitCode: 0, stdout: "401\n" });
  expect(await answer({ ...one, caFile })).toBe(200);
  const go = await skopeo("list-tags", `docker://localhost:${one.port}/chain/probe`, {
    caFile,
    credentials: one.credentials,
  });
  expect(go, go.stderr).toMatchObject({ exitCode: 0 });
}

/** Something for a client to ask for. */
async function pushProbe(one: Scenario, caFile = one.caFile): Promise<void> {
  await using image = await tinyImage();
  await using folder = temporaryDirectory();
  await image.save(join(folder.path, "image.tar"));
  const target = { caFile, credentials: one.credentials };
  const pushed = await skopeoCopy(
    `docker-archive:${folder.path}/image.tar`,
    `docker://localhost:${one.port}/chain/probe:1`,
    { destination: target },
  );
  expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
}

describe("the deployment's own authority", () => {
  let registry: Scenario;
  /** What a client copied when the registry was new. */
  let copied: string;
  beforeAll(async () => {
    registry = keep(await deployed({ adopt: false }));
    const folder = keep(temporaryDirectory());
    copied = join(folder.path, "ca.crt");
    await registry.must(["certs", "ca", copied]);
    await pushProbe(registry);
  });

  it("satisfies every client's verifier from the first minute on", async () => {
    await expectEveryClientTrusts(registry, copied);
    expect(await readFile(copied, "utf8")).toBe((await registry.must(["certs", "ca"])).stdout);
  });

  it("renew serves a new certificate and key that clients with the old ca.crt trust; the authority stays", async () => {
    const before = await served(registry, copied);
    const key = await readFile(join(registry.directory, "certs/domain.key"), "utf8");
    const authorityKey = await readFile(join(registry.directory, "certs/ca.key"), "utf8");
    await registry.must(["certs", "renew"]);
    const after = await served(registry, copied);
    expect(after.chain[0]?.fingerprint256).not.toBe(before.chain[0]?.fingerprint256);
    expect(after.chain[0]?.publicKey.equals(before.chain[0]?.publicKey ?? after.chain[0].publicKey)).toBe(false);
    expect(await readFile(join(registry.directory, "certs/domain.key"), "utf8")).not.toBe(key);
    expect(await readFile(join(registry.directory, "certs/ca.key"), "utf8")).toBe(authorityKey);
    await expectEveryClientTrusts(registry, copied);
    const shown = await jsonOf<{ chain: { sha256: string }[] }>(registry, ["certs"]);
    expect(shown.chain[0]?.sha256.replaceAll(":", "").toLowerCase()).toBe(
      after.chain[0]?.fingerprint256.replaceAll(":", "").toLowerCase(),
    );
  });

  it("issue adds names to the certificate and to regctl.yaml, and keeps those there were", async () => {
    await registry.must(["certs", "issue", "registry.issue.test", "192.0.2.7"]);
    const [leaf] = (await served(registry, copied)).chain;
    for (const host of ["localhost", "registry.issue.test"]) expect(leaf?.checkHost(host)).toBe(host);
    expect(leaf?.checkIP("192.0.2.7")).toBe("192.0.2.7");
    expect(await readFile(join(registry.directory, "regctl.yaml"), "utf8")).toMatch(
      /^san:.*registry\.issue\.test.*192\.0\.2\.7/m,
    );
    await expectEveryClientTrusts(registry, copied);
    expect((await registry.must(["up"])).stdout).toBe("no changes\n");
  });
});

/** A key pair and certificate made by openssl alone. */
interface Issued {
  readonly certificate: string;
  readonly key: string;
}

interface IssueOptions {
  readonly name: string;
  readonly key?: readonly string[];
  readonly issuer?: Issued;
  readonly extensions: string;
  /** From now. */
  readonly days?: number;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const RSA = ["-newkey", "rsa:2048"];

async function issue(folder: string, options: IssueOptions): Promise<Issued> {
  const at = (end: string): string => join(folder, `${options.name}.${end}`);
  const made = { certificate: at("crt"), key: at("key") };
  await mustRun("openssl", [
    "req",
    ...(options.key ?? EC),
    "-nodes",
    "-subj",
    `/CN=${options.name}`,
    "-keyout",
    made.key,
    "-out",
    at("csr"),
  ]);
  await writeFile(at("ext"), options.extensions);
  const signer =
    options.issuer === undefined
      ? ["-signkey", made.key]
      : ["-CA", options.issuer.certificate, "-CAkey", options.issuer.key, "-CAcreateserial"];
  const days = String(options.days ?? 90);
  await mustRun("openssl", [
    "x509",
    "-req",
    "-in",
    at("csr"),
    "-sha256",
    "-days",
    days,
    ...signer,
    "-extfile",
    at("ext"),
    "-out",
    made.certificate,
  ]);
  return made;
}

const LOCALHOST = "DNS:localhost,IP:127.0.0.1,IP:::1";
const CA_EXTENSIONS =
  "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
const leafExtensions = (names: string) =>
  `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`;

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

/** openssl 3.0 cannot backdate with `x509 -req`; `ca` can. */
async function expiredLeaf(folder: string, issuer: Issued): Promise<Issued> {
  const work = join(folder, "expired");
  await mkdir(work);
  const made = { certificate: join(work, "leaf.crt"), key: join(work, "leaf.key") };
  await mustRun("openssl", [
    "req",
    ...EC,
    "-nodes",
    "-subj",
    "/CN=expired",
    "-keyout",
    made.key,
    "-out",
    join(work, "leaf.csr"),
  ]);
  await writeFile(join(work, "index"), "");
  await writeFile(join(work, "ext"), leafExtensions(LOCALHOST));
  await writeFile(
    join(work, "ca.conf"),
    `[ca]\ndefault_ca=it\n[it]\ndatabase=${work}/index\nnew_certs_dir=${work}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
  );
  const signer = [
    "-cert",
    issuer.certificate,
    "-keyfile",
    issuer.key,
    "-config",
    join(work, "ca.conf"),
    "-extfile",
    join(work, "ext"),
  ];
  const dates = ["-startdate", "20240101000000Z", "-enddate", "20240201000000Z"];
  await mustRun("openssl", [
    "ca",
    "-batch",
    "-notext",
    "-in",
    join(work, "leaf.csr"),
    ...signer,
    ...dates,
    "-out",
    made.certificate,
  ]);
  return made;
}
