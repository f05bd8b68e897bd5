import type { X509Certificate } from "node:crypto";
import type { Host } from "./san.ts";

/**
 * Whether subjectAltName covers the host; the common name never counts, as in Go. A wildcard host is covered when any
 * name below it is.
 */
export function coversHost(certificate: X509Certificate, host: Host): boolean {
  if (host.kind === "ip") return certificate.checkIP(host.value) !== undefined;
  const name = host.value.startsWith("*.") ? `regctl-any${host.value.slice(1)}` : host.value;
  return certificate.checkHost(name, { subject: "never" }) !== undefined;
}
