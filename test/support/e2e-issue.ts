/** Certificates made by openssl alone, good ones and bad ones. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "./run-program.ts";

/** A key pair and certificate made by openssl alone. */
export interface Issued {
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

export const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
export const RSA = ["-newkey", "rsa:2048"];

export async function issue(folder: string, options: IssueOptions): Promise<Issued> {
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

export const LOCALHOST = "DNS:localhost,IP:127.0.0.1,IP:::1";
export const CA_EXTENSIONS =
  "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
export const leafExtensions = (names: string) =>
  `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`;

/** openssl 3.0 cannot backdate with `x509 -req`; `ca` can. */
export async function expiredLeaf(folder: string, issuer: Issued): Promise<Issued> {
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
