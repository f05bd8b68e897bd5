import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { type Issue, RegctlError } from "../errors.ts";

/** One name a registry answers to: a DNS name (ASCII, lower case, maybe `*.` in front) or a canonical IP address. */
export interface Host {
  readonly kind: "dns" | "ip";
  readonly value: string;
}

const MAX_NAME = 253;
const MAX_LABEL = 63;
const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?$/;
const NUMERIC_LABEL = /^([0-9]+|0x[0-9a-f]*)$/;

/**
 * Reads one host name or IP address as people write it: international names become ASCII, a trailing dot goes,
 * an address becomes its canonical spelling. A wildcard is `*.` in front of two labels or more, which is what OpenSSL
 * and Go both match (RFC 6125 §6.4.3). Throws `input-invalid`.
 */
export function parseHost(text: string): Host {
  if (text === "") {
    throw invalid(text, "it is empty", "write a host name such as registry.example.com, or an IP address");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\s\u0000-\u001f\u007f]/.test(text)) {
    throw invalid(text, "it contains a space or a control character", "write one name or address without spaces");
  }
  if (text.includes("/")) {
    throw invalid(text, "it is a URL or a path, not a host", `write the host alone${suggestion(hostOfUrl(text))}`);
  }
  if (text.includes("%")) {
    throw invalid(text, "an address with a zone (%) cannot stand in a certificate", "write a global address or a name");
  }
  if (isIP(text) !== 0) {
    return { kind: "ip", value: canonicalAddress(text) };
  }
  if (/^\[.*\]/.test(text)) {
    throw invalid(text, "an IPv6 address has no brackets here", "write it as in 2001:db8::1, the port elsewhere");
  }
  const port = /^([^:]*):\d*$/.exec(text);
  if (port !== null) {
    throw invalid(
      text,
      "it carries a port",
      `write the host alone${suggestion(port[1])}; the port has its own setting`,
    );
  }
  return { kind: "dns", value: parseName(text) };
}

/** All of them parsed, each once, DNS names before addresses, otherwise in the order written. Throws `input-invalid` with every bad one. */
export function normalizeHosts(texts: readonly string[]): Host[] {
  const hosts = new Map<string, Host>();
  const issues: Issue[] = [];
  for (const text of texts) {
    try {
      const host = parseHost(text);
      hosts.set(`${host.kind}:${host.value}`, host);
    } catch (error) {
      if (!(error instanceof RegctlError)) throw error;
      issues.push({ path: text, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  }
  const [first] = issues;
  if (first !== undefined) {
    const message = issues.length === 1 ? first.message : `${issues.length} host names are not valid`;
    throw new RegctlError("input-invalid", message, { hint: first.hint, issues });
  }
  const all = [...hosts.values()];
  return [...all.filter((host) => host.kind === "dns"), ...all.filter((host) => host.kind === "ip")];
}

function parseName(text: string): string {
  const wildcard = text.startsWith("*.");
  const written = wildcard ? text.slice(2) : text;
  if (written.includes("*")) {
    throw invalid(text, "a wildcard may only be the whole first label", "write it as in *.example.com");
  }
  // A label of digits at the end makes the URL standard read a name as an IPv4 address: 1.2.3 would become 1.2.0.3.
  const numeric = NUMERIC_LABEL.test(lastLabel(written.toLowerCase()));
  const ascii = domainToASCII(written).replace(/\.$/, "");
  if (numeric || isIP(ascii) !== 0) {
    throw invalid(
      text,
      "it looks like an IPv4 address but is none",
      "write four numbers from 0 to 255, such as 192.0.2.10",
    );
  }
  const labels = ascii.split(".");
  if (ascii === "" || labels.includes("")) {
    throw invalid(text, "it is not a host name", "write letters, digits and hyphens, labels separated by single dots");
  }
  const name = wildcard ? `*.${ascii}` : ascii;
  if (name.length > MAX_NAME || labels.some((label) => label.length > MAX_LABEL)) {
    throw invalid(text, `a name has at most ${MAX_NAME} characters, a label ${MAX_LABEL}`, "use a shorter name");
  }
  const bad = labels.find((label) => !LABEL.test(label));
  if (bad !== undefined) {
    throw invalid(
      text,
      "a label of a name has letters, digits and inner hyphens only",
      "use a name such as registry.example.com",
    );
  }
  if (wildcard && (labels.length < 2 || ascii.includes("_"))) {
    throw invalid(
      text,
      "clients do not honour this wildcard",
      "use one in front of two plain labels, as in *.example.com",
    );
  }
  return name;
}

function lastLabel(name: string): string {
  return name.replace(/\.$/, "").split(".").at(-1) ?? "";
}

function canonicalAddress(address: string): string {
  return isIP(address) === 4 ? address : new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function hostOfUrl(text: string): string | undefined {
  return /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/@]*@)?([^/:]+)/i.exec(text)?.[1] ?? /^([^/:]+)/.exec(text)?.[1];
}

function suggestion(host: string | undefined): string {
  return host === undefined || host === "" ? "" : `: ${host}`;
}

function invalid(text: string, why: string, hint: string): RegctlError {
  return new RegctlError("input-invalid", `${JSON.stringify(text)} is not a host: ${why}`, { hint });
}
