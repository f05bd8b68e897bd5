/** The kit for machines with a POSIX shell: one script, made of templates/trust and the values of a deployment. */
import { commentText, shellWord } from "./quote.ts";
import type { TrustSubject } from "./subject.ts";

/** Clients a kit knows, in the order they are filled: Java's and Python's stores may be filled by the system's. */
export const KIT_CLIENTS = [
  "docker",
  "podman",
  "containerd",
  "k3s",
  "buildkit",
  "docker-desktop",
  "system",
  "java",
  "node",
  "python",
  "git",
] as const;
export type KitClient = (typeof KIT_CLIENTS)[number];

/** Programs that read what a client's kit fills. */
const ALIASES: Readonly<Record<string, KitClient>> = {
  skopeo: "podman",
  buildah: "podman",
  crio: "podman",
  "cri-o": "podman",
  curl: "system",
  wget: "system",
  oras: "system",
  helm: "system",
  crane: "system",
  rke2: "k3s",
  nerdctl: "containerd",
  ctr: "containerd",
  dockerd: "docker",
  requests: "python",
  pip: "python",
};

/** Every name `--client` of a shell kit takes, besides `all`. */
export const CLIENT_NAMES: readonly string[] = [...KIT_CLIENTS, ...Object.keys(ALIASES)];

/** Files of templates/trust in the order they stand in the script. */
export const KIT_PARTS: readonly string[] = [
  "head.sh",
  "lib.sh",
  "probe.sh",
  ...KIT_CLIENTS.map((client) => `${client}.sh`),
  "main.sh",
];

/** Nothing a base64 line of PEM can be. */
const END_OF_PEM = "REGCTL_END_OF_PEM";

function authorityCases(subject: TrustSubject): string {
  const cases = subject.authorities.map(
    ({ pem, short }) => `    ${short})\n      cat <<'${END_OF_PEM}'\n${pem.trimEnd()}\n${END_OF_PEM}\n      ;;`,
  );
  return `ca_pem() {\n  case $1 in\n${cases.join("\n")}\n  esac\n}`;
}

function fingerprintCases(subject: TrustSubject): string {
  const cases = subject.authorities.map(({ sha256, short }) => `    ${short}) echo ${shellWord(sha256)} ;;`);
  return `ca_sha256() {\n  case $1 in\n${cases.join("\n")}\n  esac\n}`;
}

function aliasCases(): string {
  const cases = Object.entries(ALIASES).map(([name, client]) => `    ${name}) echo ${client} ;;`);
  return `client_of() {\n  case $1 in\n${cases.join("\n")}\n    *) printf '%s\\n' "$1" ;;\n  esac\n}`;
}

/** `parts` are the texts of KIT_PARTS, in that order; `clients` is what `--client` is unless it is given (CLIENT_NAMES). */
export function renderKit(subject: TrustSubject, parts: readonly string[], clients: readonly string[] = []): string {
  const [first = ""] = subject.registries;
  const host = subject.hosts[0] as string;
  const address = host.includes(":") ? `[${host}]` : host;
  const values: readonly (readonly [string, string])[] = [
    ["KIT_NAME", subject.name],
    ["KIT_ID", subject.id],
    ["KIT_REGISTRIES", subject.registries.join("\n")],
    ["KIT_PROBE_NAME", first],
    ["KIT_PROBE_HOST", host],
    ["KIT_PROBE", `${address}:${subject.port}`],
    ["KIT_CAS", subject.authorities.map(({ short }) => short).join(" ")],
    ["KIT_FINGERPRINT", subject.authorities[0]?.short ?? ""],
    ["KIT_CLIENTS", KIT_CLIENTS.join(" ")],
    ["KIT_CHOSEN", clients.join(",")],
  ];
  const about = [
    `Makes the clients of this machine trust the registry ${address}:${subject.port} (deployment ${subject.name}).`,
    ...subject.authorities.map(
      ({ subject: who, notAfter, sha256 }) => `Authority: ${who}, until ${notAfter}, SHA-256 ${sha256}`,
    ),
    "Needs nothing but a shell and the usual tools. `sh kit.sh --help` says what it can do, `--dry-run` what it would do,",
    "`--undo` takes all of it back. There is no secret in this file: certificates of authorities are public.",
  ];
  return [
    "#!/bin/sh",
    ...about.map((line) => `# ${commentText(line)}`),
    "set -u",
    "umask 022",
    "PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C",
    "export PATH LC_ALL",
    "",
    ...values.map(([name, value]) => `${name}=${shellWord(value)}`),
    "",
    authorityCases(subject),
    "",
    fingerprintCases(subject),
    "",
    aliasCases(),
    "",
    ...parts.map((part) => `${part.trimEnd()}\n`),
  ].join("\n");
}
