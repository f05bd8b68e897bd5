/** Rules that join several keys; each says what is wrong, where, and what to write instead. */
import { isIP } from "node:net";
import type { Issue } from "../errors.ts";
import { parseHost } from "../pki/san.ts";
import { parseReference } from "../registry/reference.ts";
import { attempt } from "./attempt.ts";
import type { Config } from "./config.ts";
import { retentionIssues } from "./retention.ts";

export type Rule = (config: Config) => Issue[];

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/;

function section(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const hostNames: Rule = (config) => [
  ...attempt("domain", () => parseHost(config.domain)),
  ...(config.domain.startsWith("*")
    ? [{ path: "domain", message: "should be one name clients can use; a wildcard belongs under san" }]
    : []),
  ...config.san.flatMap((host, index) => attempt(`san[${index}]`, () => parseHost(host))),
];

const imageReference: Rule = (config) => attempt("image", () => parseReference(config.image));

const bindAddress: Rule = (config) =>
  isIP(config.bind) === 0
    ? [{ path: "bind", message: `should be an IP address of this host, not ${JSON.stringify(config.bind)}` }]
    : [];

const openToStrangers: Rule = (config) => {
  if (config.insecure || LOOPBACK.test(config.bind)) return [];
  const hint =
    "publish it on loopback only (bind: 127.0.0.1), or say insecure: true (--insecure) when the network is trusted";
  return [
    ...(config.tls.mode === "none"
      ? [{ path: "tls.mode", message: "none sends passwords and images readable over the network", hint }]
      : []),
    ...(config.auth.mode === "none" && Object.keys(section(config.registry.auth)).length === 0
      ? [{ path: "auth.mode", message: "none lets everybody who reaches the port push and delete", hint }]
      : []),
  ];
};

const oneCertificate: Rule = (config) => {
  const tls = section(section(config.registry.http).tls);
  const own = ["certificate", "key", "letsencrypt"].filter((key) => key in tls);
  return config.tls.mode === "none"
    ? []
    : own.map((key) => ({
        path: `registry.http.tls.${key}`,
        message: `contradicts tls.mode: ${config.tls.mode}, which sets the certificate`,
        hint: "remove it, or use tls.mode: provided with `regctl init --cert --key`",
      }));
};

const clientCertificates: Rule = ({ tls, major, registry }) => {
  if (tls.clientAuth === "off") {
    return tls.clientAuthorities.length === 0
      ? []
      : [
          {
            path: "tls.clientAuthorities",
            message: "is ignored while no client is asked for a certificate",
            hint: "add tls.clientAuth: required, or remove it",
          },
        ];
  }
  const written = section(section(registry.http).tls);
  return [
    ...(tls.mode === "none"
      ? [{ path: "tls.clientAuth", message: "needs TLS, and tls.mode is none", hint: "use tls.mode: own-ca" }]
      : []),
    ...(tls.clientAuth === "optional" && major === 2
      ? [
          {
            path: "tls.clientAuth",
            message: "cannot be optional on 2.x, which always requires a certificate",
            hint: "write required, or use a 3.x image",
          },
        ]
      : []),
    ...["clientcas", "clientauth"]
      .filter((key) => key in written)
      .map((key) => ({
        path: `registry.http.tls.${key}`,
        message: `contradicts tls.clientAuth: ${tls.clientAuth}, which sets it`,
        hint: "remove it, and name its authorities under tls.clientAuthorities",
      })),
  ];
};

/** Kernel file systems and temporary ones: nothing can be kept there (and Node's recursive mkdir never ends below /proc). */
const UNKEPT = ["/proc", "/sys", "/dev", "/run"];

const dataFolder: Rule = (config) =>
  config.data === "/" || UNKEPT.some((path) => config.data === path || config.data.startsWith(`${path}/`))
    ? [
        {
          path: "data",
          message: `should be a folder on a disk, not ${config.data}`,
          hint: "for example data: /srv/registry",
        },
      ]
    : [];

/** The port is published from inside the container: it has to be reached there. */
const reachable: Rule = (config) => {
  const http = section(config.registry.http);
  const address = typeof http.addr === "string" ? http.addr : ":5000";
  const port = Number(address.split(":").at(-1));
  const host = address.slice(0, address.lastIndexOf(":"));
  return [
    ...(http.net === "unix" ? [{ path: "registry.http.net", message: "unix cannot be published; leave it out" }] : []),
    ...(!Number.isInteger(port) || port < 1 || port > 65_535
      ? [{ path: "registry.http.addr", message: "should end in a port, such as :5000" }]
      : []),
    ...(host === "localhost" || LOOPBACK.test(host.replace(/^\[|\]$/g, ""))
      ? [
          {
            path: "registry.http.addr",
            message: "is loopback inside the container: nobody reaches it",
            hint: "write :5000, and bind: for the address on this host",
          },
        ]
      : []),
  ];
};

const retention: Rule = (config) =>
  retentionIssues(config.retention).map((issue) => ({ ...issue, path: `retention.${issue.path}` }));

/** Those that look at one key each. */
export const KEY_RULES: readonly Rule[] = [hostNames, imageReference, bindAddress, dataFolder, reachable, retention];
export const RULES: readonly Rule[] = [...KEY_RULES, openToStrangers, oneCertificate, clientCertificates];
