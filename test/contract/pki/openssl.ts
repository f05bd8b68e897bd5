import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

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
    `/O=test/CN=${name}`,
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
