/** `certs import`: every form a certificate arrives in, every reason to refuse one, and the way back. */
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CA_EXTENSIONS, type Issued, issue, LOCALHOST, leafExtensions, RSA } from "../support/e2e-issue.ts";
import { filesBelow } from "../support/files-below.ts";
import { loginStatus } from "../support/login.ts";
import { edit, keep, type Made, made } from "../support/made-deployment.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { type RunOptions, run } from "../support/run.ts";
import { mustRun } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const DAY_MS = 86_400_000;
const PASSPHRASE = secretForTest();
const folder = keep(temporaryDirectory());
const at = (name: string): string => join(folder.path, name);

let root: Issued;
let intermediate: Issued;
let leaf: Issued;

const leafOf = (name: string, more: Partial<Parameters<typeof issue>[1]> = {}): Promise<Issued> =>
  issue(folder.path, { name, issuer: intermediate, extensions: leafExtensions(LOCALHOST), ...more });

async function joined(name: string, ...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  await writeFile(at(name), texts.join(""));
  return at(name);
}

const openssl = (...args: string[]) => mustRun("openssl", args, { input: PASSPHRASE });

beforeAll(async () => {
  const path = "authorityKeyIdentifier=keyid\nauthorityInfoAccess=caIssuers;URI:http://ca.test/intermediate.crt\n";
  root = await issue(folder.path, { name: "root", extensions: CA_EXTENSIONS, days: 3650 });
  intermediate = await issue(folder.path, {
    name: "middle",
    issuer: root,
    extensions: CA_EXTENSIONS + path,
    days: 3000,
  });
  leaf = await leafOf("leaf", {
    extensions: `${leafExtensions(LOCALHOST)}authorityInfoAccess=caIssuers;URI:http://ca.test/middle.crt\n`,
  });
}, 60_000);

function importInto({ directory, engine }: Made) {
  return (args: readonly string[], options: RunOptions = {}) =>
    run(["certs", "import", ...args, "-C", directory], { engine, ...options });
}

interface Document {
  readonly changes: readonly { readonly kind: string; readonly name: string; readonly because: string }[];
  readonly chain: readonly { readonly subject: string }[];
  readonly findings: readonly { readonly code: string }[];
  readonly former: string | null;
}

const documentOf = (stdout: string): Document => (JSON.parse(stdout) as { data: Document }).data;
const subjectsOf = async (file: string): Promise<string[]> =>
  ((await readFile(file, "utf8")).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).map(
    (pem) => new X509Certificate(pem).subject,
  );
/** What an import may change: not the log, the lock and the cache. */
const kept = async (directory: string) =>
  Object.fromEntries(
    Object.entries(await filesBelow(directory)).filter(
      ([path]) => !/^\.regctl\/(audit\.log|config\.json|lock)$|^auth\//.test(path),
    ),
  );

describe("certs import", { timeout: 90_000 }, () => {
  it("takes over from the own authority: the chain in order, regctl.yaml with its comments, and the way back", async () => {
    const deployment = await made();
    const { directory } = deployment;
    await edit(directory, "  mode: own-ca", "  mode: own-ca   # for now");
    const bundle = await joined("wrong-order.pem", root.certificate, intermediate.certificate, leaf.certificate);
    const before = await kept(directory);
    const first = await importInto(deployment)([bundle, "--key", leaf.key]);
    expect(first, first.stderr).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toMatch(
      /^serves CN=leaf, issued by CN=middle, valid until .*\n.*hand out certs\/ca.crt.*\nthe way back: .*--undo/,
    );
    expect(first.stderr).toContain("put in order");
    expect(await subjectsOf(join(directory, "certs/domain.crt"))).toEqual(["CN=leaf", "CN=middle"]);
    expect(await subjectsOf(join(directory, "certs/ca.crt"))).toEqual(["CN=root"]);
    expect((await stat(join(directory, "certs/domain.key"))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, "regctl.yaml"), "utf8")).toContain('  mode: "provided"   # for now\n');
    expect(await loginStatus(deployment, "admin", deployment.password)).toBe(200);
    expect(await importInto(deployment)([bundle, "--key", leaf.key])).toMatchObject({
      exitCode: 0,
      stdout: "no changes\n",
    });
    const up = await run(["up", "-C", directory], { engine: deployment.engine });
    expect(up).toMatchObject({ stdout: "no changes\n" });

    const back = await importInto(deployment)(["--undo"]);
    expect(back, back.stderr).toMatchObject({ exitCode: 0 });
    const after = await kept(directory);
    const text = Object.fromEntries(
      Object.entries(after).filter(([path]) => !path.startsWith(".regctl/certificates/")),
    );
    expect(text["regctl.yaml"]).toBe(before["regctl.yaml"]?.replace("own-ca   #", '"own-ca"   #'));
    for (const file of ["ca.crt", "ca.key", "domain.crt", "domain.key"])
      expect(text[`certs/${file}`]).toBe(before[`certs/${file}`]);
    expect(await run(["certs", "renew", "-C", directory], { engine: deployment.engine })).toMatchObject({
      exitCode: 0,
    });
    expect(await loginStatus(deployment, "admin", deployment.password)).toBe(200);
    expect(await importInto(deployment)(["--undo"])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("goes back import by import, and keeps every key where only its owner reads it", async () => {
    const deployment = await made();
    const { directory } = deployment;
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    const second = await leafOf("second");
    for (const one of [leaf, second])
      expect(await importInto(deployment)([one.certificate, "--key", one.key, "--chain", chain])).toMatchObject({
        exitCode: 0,
      });
    const entries = Object.keys(await kept(directory)).filter((path) => path.startsWith(".regctl/certificates/"));
    expect(entries.filter((path) => path.endsWith("domain.key"))).toHaveLength(2);
    for (const path of entries) {
      expect((await stat(join(directory, path))).mode & 0o077, path).toBe(0);
      expect((await stat(join(directory, path, ".."))).mode & 0o077, path).toBe(0);
    }
    for (const subject of ["CN=leaf", "CN=localhost"]) {
      expect(await importInto(deployment)(["--undo"])).toMatchObject({ exitCode: 0 });
      const [served = ""] = await subjectsOf(join(directory, "certs/domain.crt"));
      expect(served.split("\n").at(-1)).toBe(subject);
    }
    expect(await readFile(join(directory, "regctl.yaml"), "utf8")).toContain("own-ca");
  });

  it("accepts DER, PKCS#12, RSA and an encrypted key, each with its passphrase from a file, stdin or the terminal", async () => {
    const rsa = await leafOf("rsa", { key: RSA });
    const chain = await joined("full.pem", intermediate.certificate, root.certificate);
    await openssl("x509", "-in", leaf.certificate, "-outform", "DER", "-out", at("leaf.der"));
    await openssl("pkey", "-in", leaf.key, "-outform", "DER", "-out", at("leaf.key.der"));
    await openssl("x509", "-in", root.certificate, "-outform", "DER", "-out", at("root.der"));
    await openssl(
      "pkcs12",
      "-export",
      "-in",
      rsa.certificate,
      "-inkey",
      rsa.key,
      "-certfile",
      chain,
      "-out",
      at("rsa.p12"),
      "-passout",
      "stdin",
    );
    await openssl("pkey", "-in", leaf.key, "-aes256", "-passout", "stdin", "-out", at("locked.key"));
    await writeFile(at("passphrase"), `${PASSPHRASE}\n`, { mode: 0o600 });
    const deployment = await made();
    const importing = importInto(deployment);
    const served = async () => (await subjectsOf(join(deployment.directory, "certs/domain.crt"))).join();
    const steps: readonly [readonly string[], RunOptions, string][] = [
      [
        [at("leaf.der"), "--key", at("leaf.key.der"), "--chain", intermediate.certificate, "--ca", at("root.der")],
        {},
        "CN=leaf,CN=middle",
      ],
      [[at("rsa.p12"), "--passphrase-file", at("passphrase")], {}, "CN=rsa,CN=middle"],
      // The same authority: it is not given again.
      [
        [leaf.certificate, "--chain", intermediate.certificate, "--key", at("locked.key"), "--passphrase-stdin"],
        { stdin: PASSPHRASE },
        "CN=leaf,CN=middle",
      ],
    ];
    for (const [args, options, subjects] of steps) {
      const result = await importing(args, options);
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      expect(await served()).toBe(subjects);
      expect(await readFile(join(deployment.directory, "certs/domain.key"), "utf8")).toMatch(
        /^-----BEGIN PRIVATE KEY-----/,
      );
    }
    const flag = "--passphrase-file or --passphrase-stdin";
    const right = recordingPrompt({ [flag]: PASSPHRASE });
    const asked = await importing([at("rsa.p12")], { surroundings: { prompt: right } });
    expect(asked, asked.stderr).toMatchObject({ exitCode: 0 });
    expect(right.asked.map(({ kind }) => kind)).toEqual(["password"]);
    const wrong = recordingPrompt({ [flag]: "not this one" });
    const refused = await importing([leaf.certificate, "--chain", chain, "--key", at("locked.key")], {
      surroundings: { prompt: wrong },
    });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("passphrase does not open") });
    expect(wrong.asked).toHaveLength(3);
    expect(await served()).toBe("CN=rsa,CN=middle");
  });

  it("refuses what cannot serve, every reason at once, and touches nothing", async () => {
    const other = await leafOf("other");
    const ca = await issue(folder.path, { name: "localhost", issuer: root, extensions: CA_EXTENSIONS });
    const wildcard = await leafOf("wildcard", { extensions: leafExtensions("DNS:*.localhost,IP:127.0.0.1,IP:::1") });
    const inName = await leafOf("127.0.0.1", { extensions: leafExtensions("DNS:localhost,IP:::1") });
    const noSan = await leafOf("10.0.0.1", { extensions: leafExtensions(LOCALHOST).replace(/subjectAltName.*\n/, "") });
    const small = await leafOf("small", { key: ["-newkey", "rsa:1024"] });
    const client = await leafOf("client", {
      extensions: leafExtensions(LOCALHOST).replace("serverAuth", "clientAuth"),
    });
    await openssl("req", "-new", "-key", other.key, "-subj", "/CN=weak", "-out", at("weak.csr"));
    await writeFile(at("weak.ext"), leafExtensions(LOCALHOST));
    await openssl(
      "x509",
      "-req",
      "-in",
      at("weak.csr"),
      "-sha1",
      "-CA",
      intermediate.certificate,
      "-CAkey",
      intermediate.key,
      "-CAcreateserial",
      "-extfile",
      at("weak.ext"),
      "-out",
      at("weak.crt"),
    );
    await writeFile(at("empty"), "");
    await mkdir(at("directory"));
    await writeFile(at("huge"), Buffer.alloc(2 * 1024 * 1024, "a"));
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    const deployment = await made();
    const importing = importInto(deployment);
    const before = await kept(deployment.directory);
    const later = (days: number) => ({ now: new Date(Date.now() + days * DAY_MS) });
    type Refusal = readonly [readonly string[], RegExp, RunOptions?];
    const base = (one: Issued) => [one.certificate, "--key", one.key, "--chain", chain];
    const refusals: readonly Refusal[] = [
      [[leaf.certificate, "--key", other.key, "--chain", chain], /belongs to none/],
      [[leaf.certificate, "--chain", chain], /no private key/],
      [
        [ca.certificate, "--key", ca.key, "--chain", root.certificate],
        /the private key belongs to the CA CN=localhost, not to a server/,
      ],
      [[leaf.certificate, "--key", intermediate.key, "--chain", chain], /belongs to the CA CN=middle/],
      [base(leaf), /CN=leaf expired on/, later(91)],
      [base(leaf), /NOT_YET_VALID: .*CN=leaf is valid from .* only\n/, later(-2)],
      [base(leaf), /NOT_YET_VALID: .*only; this machine's clock says .* and may be wrong\n.*date/, later(-0.5)],
      [
        base(wildcard),
        /does not cover localhost; it covers \*\.localhost, .*, and the \* of \*\.localhost stands for exactly one label/,
      ],
      [base(inName), /does not cover 127\.0\.0\.1; .*common name \(CN\) does not count/],
      [base(noSan), /names no host in subjectAltName.*ignore the CN/],
      [base(small), /1024/],
      [base(client), /serverAuth/],
      [[at("weak.crt"), "--key", other.key, "--chain", chain], /SHA-?1/i],
      [
        [leaf.certificate, "--key", leaf.key, "--ca", root.certificate],
        /the issuer of CN=leaf is missing: CN=middle\n.*http:\/\/ca\.test\/middle\.crt/,
      ],
      [[at("empty"), "--key", at("empty")], /certificate file is empty[\s\S]*key file is empty/],
      [
        [at("directory"), "--key", at("huge"), "--ca", at("nowhere")],
        /3 files cannot be used[\s\S]*EISDIR[\s\S]*larger than 1 MiB[\s\S]*ENOENT/,
      ],
      [["/dev/zero", "--key", leaf.key], /larger than 1 MiB/],
      [[leaf.key, "--key", leaf.key], /holds a private key and no certificate/],
      [[leaf.certificate, "--key", leaf.certificate, "--chain", chain], /holds a certificate, not a private key/],
      [["--key", leaf.key], /name the certificate to import/],
      [[leaf.certificate, "--undo"], /--undo takes no certificate/],
    ];
    for (const [args, why, options] of refusals) {
      const result = await importing(args, options);
      expect(result, `${args.join(" ")}\n${result.stderr}`).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(why);
      expect(await kept(deployment.directory), args.join(" ")).toEqual(before);
    }
    const both = await importing([wildcard.certificate, "--key", other.key, "--json"], later(200));
    const { error } = JSON.parse(both.stderr) as { error: { details: { issues: { path: string }[] } } };
    const codes = new Set(error.details.issues.map(({ path }) => path));
    expect([...codes].sort()).toEqual(["EXPIRED", "KEY_MISMATCH", "MISSING_INTERMEDIATE", "SAN_MISSING_HOST"]);
  });

  it("needs the engine before anything is touched, also to go back", async () => {
    const deployment = await made();
    const before = await kept(deployment.directory);
    const dead = { environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } };
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    for (const args of [[leaf.certificate, "--key", leaf.key, "--chain", chain], ["--undo"]]) {
      const result = await run(["certs", "import", ...args, "-C", deployment.directory], dead);
      expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    }
    expect(await kept(deployment.directory)).toEqual(before);
  });

  it("shows with --dry-run what it then does", async () => {
    const deployment = await made();
    const before = await kept(deployment.directory);
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    const args = [leaf.certificate, "--key", leaf.key, "--chain", chain, "--json"];
    const shown = documentOf((await importInto(deployment)([...args, "--dry-run"])).stdout);
    expect(await kept(deployment.directory)).toEqual(before);
    const done = documentOf((await importInto(deployment)(args)).stdout);
    const names = ({ changes }: Document) => changes.map(({ kind, name }) => `${kind} ${name}`);
    expect(names(shown)).toEqual([
      "certificate certs/domain.crt",
      "file certs/ca.crt",
      "file regctl.yaml",
      "container acme-registry-1",
    ]);
    // Files that are rendered from these are not worked out beforehand.
    expect(names(done).filter((name) => !/compose\.yaml|config\.yml/.test(name))).toEqual(names(shown));
    expect(shown.former).toBeNull();
    expect(done.former).toMatch(/^\.regctl\/certificates\/[0-9a-f]+$/);
    expect(done.chain.map(({ subject }) => subject)).toEqual(["CN=leaf", "CN=middle", "CN=root"]);
  });

  it("leaves files, regctl.yaml and container as they were when the registry does not come up", async () => {
    const deployment = await made();
    const { directory, engine } = deployment;
    const before = await kept(directory);
    const [container] = await engine.containers.list({});
    engine.silent.add("registry:2");
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    const args = [leaf.certificate, "--key", leaf.key, "--chain", chain, "--timeout", "1"];
    const failed = await importInto(deployment)(args);
    expect(failed).toMatchObject({ exitCode: 1, stdout: "" });
    expect(failed.stderr).toMatch(/did not come up/);
    expect(await kept(directory)).toEqual(before);
    engine.silent.clear();
    expect((await engine.containers.list({})).map(({ id }) => id)).toEqual([container?.id]);
    await rm(join(directory, "regctl.yaml"), { force: false });
    await writeFile(join(directory, "regctl.yaml"), before["regctl.yaml"] ?? "");
    expect(await importInto(deployment)(args)).toMatchObject({ exitCode: 0 });
  });

  it("keeps two at once apart: both are served in turn, and both can be undone", async () => {
    const deployment = await made();
    const chain = await joined("chain.pem", intermediate.certificate, root.certificate);
    const second = await leafOf("at-once");
    const results = await Promise.all(
      [leaf, second].map((one) => importInto(deployment)([one.certificate, "--key", one.key, "--chain", chain])),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    for (let turn = 0; turn < 2; turn++)
      expect(await importInto(deployment)(["--undo"])).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(deployment.directory, "regctl.yaml"), "utf8")).toContain("own-ca");
    expect(await loginStatus(deployment, "admin", deployment.password)).toBe(200);
  });
});
