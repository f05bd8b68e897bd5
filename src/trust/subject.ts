/** What clients are to trust: the names images are called by, and the authorities. */
import { createHash } from "node:crypto";
import { RegctlError } from "../errors.ts";
import { describeCertificate } from "../pki/describe.ts";
import { splitPem } from "../pki/pem.ts";

export interface TrustSubject {
  /** The deployment's name. */
  readonly name: string;
  /** Name and address of the deployment: what kits of it know their own files by. */
  readonly id: string;
  readonly port: number;
  /** Host names and addresses of the certificate, the domain first; wildcards are in `wildcards`. */
  readonly hosts: readonly string[];
  /** Names a folder cannot be made for: `*.example.com`. */
  readonly wildcards: readonly string[];
  /** As in image references: `host:5000`, `[::1]:5000`; with port 443 both `host` and `host:443`. */
  readonly registries: readonly string[];
  /** Current ones first, then those a rollover is about to retire. */
  readonly authorities: readonly Authority[];
}

export interface Authority {
  readonly pem: string;
  readonly subject: string;
  readonly notAfter: string;
  /** Upper-case hex with colons. */
  readonly sha256: string;
  readonly sha1: string;
  /** The first 8 hex digits of `sha256`, lower case: a part of file names. */
  readonly short: string;
}

export interface SubjectOptions {
  readonly name: string;
  readonly port: number;
  /** Host names and addresses as in the certificate, the domain first. */
  readonly hosts: readonly string[];
  /** PEM texts, each with one certificate or more. */
  readonly authorityPems: readonly string[];
  readonly now: Date;
}

/** Longer than any host name (RFC 1035 §2.3.4). */
const MAX_HOST = 253;

/** A part of paths, TOML, YAML and URLs on the client: nothing but what a host can be made of. Throws `input-invalid`. */
function requireHost(host: string): string {
  if (
    /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(host) &&
    !host.includes("..") &&
    host.length <= MAX_HOST
  )
    return host;
  if (/^[0-9A-Fa-f:.]+$/.test(host) && host.includes(":") && host.length <= MAX_HOST) return host;
  throw new RegctlError("input-invalid", `${JSON.stringify(host)} is not a host name or address`, {
    hint: "mend domain or san in regctl.yaml, then run `regctl config validate`",
  });
}

function registriesOf(host: string, port: number): string[] {
  const written = host.includes(":") ? `[${host}]` : host;
  return port === 443 ? [written, `${written}:443`] : [`${written}:${port}`];
}

function describeAuthority(pem: string, now: Date): Authority {
  const { subject, notAfter, sha256, sha1 } = describeCertificate(pem, now);
  const short = sha256.replaceAll(":", "").slice(0, 8).toLowerCase();
  return { pem, subject, notAfter, sha256, sha1, short };
}

/** Throws `input-invalid` for a host that is none, `not-found` when there is no authority. */
export function trustSubject(options: SubjectOptions): TrustSubject {
  const { name, port, now } = options;
  const all = [...new Set(options.hosts.map(requireHost))];
  const hosts = all.filter((host) => !host.startsWith("*."));
  const domain = all[0];
  if (domain === undefined) throw new RegctlError("input-invalid", "there is no host name to trust");
  const authorities = options.authorityPems
    .flatMap((text) => splitPem(text))
    .map((pem) => describeAuthority(pem, now))
    .filter((one, index, list) => list.findIndex(({ sha256 }) => sha256 === one.sha256) === index);
  if (authorities.length === 0) throw new RegctlError("not-found", "there is no authority for clients to trust");
  if (hosts.length === 0)
    throw new RegctlError("input-invalid", `clients cannot be told of ${domain} alone: it stands for any name`, {
      hint: "add the names clients use to san in regctl.yaml: regctl certs issue NAME",
    });
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, "-")
    .slice(0, 40);
  const hash = createHash("sha256").update(`${name}\n${domain}:${port}`).digest("hex").slice(0, 8);
  return {
    name,
    id: `${plain}-${hash}`,
    port,
    hosts,
    wildcards: all.filter((host) => host.startsWith("*.")),
    registries: [...new Set(hosts.flatMap((host) => registriesOf(host, port)))],
    authorities,
  };
}
