import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import forge from "node-forge";

/** A scratch directory in which the real `openssl` makes and judges certificates. */
export interface Workshop {
  readonly directory: string;
  openssl(...args: string[]): string;
  /** Output of any program, both streams, with its exit code. */
  run(program: string, ...args: string[]): Promise<{ code: number; output: string }>;
  write(name: string, content: string | Buffer): string;
  text(name: string): string;
  bytes(name: string): Buffer;
  remove(): void;
}

export function openWorkshop(): Workshop {
  const directory = mkdtempSync(join(tmpdir(), "regctl-pki-"));
  const path = (name: string) => join(directory, name);
  return {
    directory,
    openssl: (...args) =>
      execFileSync("openssl", args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    async run(program, ...args) {
      try {
        const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: directory, timeout: 15_000 });
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, output: `${stdout}${stderr}` };
      }
    },
    write(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
    text: (name) => readFileSync(path(name), "utf8"),
    bytes: (name) => readFileSync(path(name)),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

const NEW_KEY: Readonly<Record<string, readonly string[]>> = {
  rsa: ["-newkey", "rsa:2048"],
  rsa1024: ["-newkey", "rsa:1024"],
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  secp256k1: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
  ed25519: ["-newkey", "ed25519"],
};

/** Arguments of `openssl req` that make `<name>.key`, PKCS#8. */
function newKey(name: string, kind: string): string[] {
  return [...(NEW_KEY[kind] ?? []), "-nodes", "-keyout", `${name}.key`];
}

/** `<name>.key`, PKCS#8. */
export function makeKey(workshop: Workshop, name: string, kind = "ec"): void {
  workshop.openssl("req", "-new", ...newKey(name, kind), "-subj", "/CN=unused", "-out", `${name}.csr`);
}

const CA_EXTENSIONS = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
];

/** `<name>.crt` and `<name>.key`: a root of its own. */
export function makeRoot(
  workshop: Workshop,
  name: string,
  kind = "ec",
  extensions: readonly string[] = CA_EXTENSIONS,
  commonName = name,
): void {
  workshop.write(
    `${name}.cnf`,
    `[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n${extensions.join("\n")}\n`,
  );
  workshop.openssl(
    "req",
    "-x509",
    ...newKey(name, kind),
    "-subj",
    `/O=test/CN=${commonName}`,
    "-days",
    "3650",
    "-config",
    `${name}.cnf`,
    "-out",
    `${name}.crt`,
  );
}

export interface IssueOptions {
  readonly kind?: string;
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly digest?: string;
  readonly serial?: string;
  readonly subject?: string;
}

/** `<name>.crt` and `<name>.key` signed by `<issuer>`. */
export function makeIssued(workshop: Workshop, name: string, issuer: string, options: IssueOptions = {}): void {
  const { kind = "ec", extensions = leafExtensions("DNS:registry.test"), days = 90, digest = "sha256" } = options;
  workshop.openssl(
    "req",
    "-new",
    ...newKey(name, kind),
    "-subj",
    options.subject ?? `/CN=${name}`,
    "-out",
    `${name}.csr`,
  );
  workshop.write(`${name}.ext`, extensions.join("\n"));
  workshop.openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${issuer}.crt`,
    "-CAkey",
    `${issuer}.key`,
    ...(options.serial === undefined ? ["-CAcreateserial"] : ["-set_serial", options.serial]),
    "-days",
    String(days),
    `-${digest}`,
    ...(extensions.length === 0 ? [] : ["-extfile", `${name}.ext`]),
    "-out",
    `${name}.crt`,
  );
}

/** As `makeIssued`, valid from and to so many days from now, which `openssl x509 -req` cannot do. */
export function makeDated(
  workshop: Workshop,
  name: string,
  issuer: string,
  extensions: readonly string[],
  fromDays: number,
  toDays: number,
): void {
  makeKey(workshop, name);
  workshop.openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
  workshop.write(`${name}.index`, "");
  workshop.write(`${name}.ext`, extensions.join("\n"));
  workshop.write(
    `${name}.cnf`,
    `[ca]\ndefault_ca=it\n[it]\ndatabase=${name}.index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
  );
  const date = (days: number) =>
    `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, "")}`;
  const signer = ["-cert", `${issuer}.crt`, "-keyfile", `${issuer}.key`, "-config", `${name}.cnf`];
  const dates = ["-startdate", date(fromDays), "-enddate", date(toDays)];
  const files = ["-in", `${name}.csr`, "-extfile", `${name}.ext`, "-out", `${name}.crt`];
  workshop.openssl("ca", "-batch", "-notext", ...signer, ...dates, ...files);
}

/** A certificate as node-forge's `keyIdentifier: true` makes it: with its own identifier in the place of its CA's. */
export function makeForgeLeaf(
  workshop: Workshop,
  name: string,
  issuer: string,
  host: { readonly type: 2; readonly value: string } | { readonly type: 7; readonly ip: string },
): void {
  makeKey(workshop, name, "rsa");
  const key = forge.pki.privateKeyFromPem(workshop.text(`${name}.key`));
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.rsa.setPublicKey(key.n, key.e);
  certificate.serialNumber = "4a";
  certificate.validity.notAfter = new Date(Date.now() + 90 * 86_400_000);
  certificate.setSubject([{ name: "commonName", value: name }]);
  certificate.setIssuer(forge.pki.certificateFromPem(workshop.text(`${issuer}.crt`)).subject.attributes);
  certificate.setExtensions([
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: [host] },
    { name: "authorityKeyIdentifier", keyIdentifier: true },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(workshop.text(`${issuer}.key`)), forge.md.sha256.create());
  workshop.write(`${name}.crt`, forge.pki.certificateToPem(certificate));
}

export function leafExtensions(subjectAltName: string, ...more: readonly string[]): string[] {
  return [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    "extendedKeyUsage=serverAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
    `subjectAltName=${subjectAltName}`,
    ...more,
  ];
}

export function intermediateExtensions(): string[] {
  return [...CA_EXTENSIONS, "authorityKeyIdentifier=keyid"];
}
