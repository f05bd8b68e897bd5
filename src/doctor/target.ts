/** What people call a registry: a URL, HOST[:PORT], or an image in it. Pure. */
import { isIP } from "node:net";
import { RegctlError } from "../errors.ts";
import { parseHost } from "../pki/san.ts";

/** An endpoint to look at. */
export interface Target {
  readonly scheme: "https" | "http";
  /** ASCII name or canonical address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether the port was written: `HOST` and `HOST:443` are two names to clients. */
  readonly hasPort: boolean;
  /** From an image reference: `team/api`. */
  readonly repository?: string;
  /** A tag or a digest, from an image reference. */
  readonly reference?: string;
}

const EXAMPLES = "write https://HOST:PORT, HOST:PORT, HOST, or an image such as registry.example.com:5000/team/api:1.4";

/** Throws `input-invalid` with what is wrong; a password in a URL is never repeated. */
export function parseTarget(text: string): Target {
  const [, scheme = "https", rest = ""] = /^(?:(https?):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(rest)) throw invalid("its scheme is neither https nor http");
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash + 1);
  if (authority.includes("@")) throw invalid("it carries a user or a password; give the user with --user");
  if (isIP(authority) === 6) throw invalid(`write an IPv6 address as [${authority}]`);
  const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  if (name === "") throw invalid("it has no host");
  if (port !== undefined && (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535))
    throw invalid("its port is not a number from 1 to 65535");
  const isHttp = scheme.toLowerCase() === "http";
  return {
    scheme: isHttp ? "http" : "https",
    host: parseHost(name.replace(/^\[(.*)\]$/s, "$1")).value,
    port: port === undefined ? (isHttp ? 80 : 443) : Number(port),
    hasPort: port !== undefined,
    ...imageOf(path),
  };
}

/** `HOST` or `HOST:PORT` as it stands in image references, the way clients look up trust and credentials. */
export function targetName({ host, port, hasPort }: Target): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return hasPort ? `${name}:${port}` : name;
}

/** Every spelling of a registry that clients could keep something under, its own first. */
export function clientNames(target: Target): string[] {
  const name = targetName(target);
  const bare = targetName({ ...target, hasPort: false });
  const ported = targetName({ ...target, hasPort: true });
  return [...new Set([name, bare, ported, `${bare}_${target.port}_`])];
}

/** `https://HOST:PORT`, the port left out where it is the scheme's own. */
export function targetUrl({ scheme, host, port }: Target): string {
  return new URL(`${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).origin;
}

/** `v2/…` is the API's own path, not an image. */
function imageOf(path: string): Pick<Target, "repository" | "reference"> {
  if (path === "" || /^v2(\/|$)/.test(path)) return {};
  const at = path.indexOf("@");
  const named = at < 0 ? path : path.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? "latest" : named.slice(colon + 1);
  const reference = at < 0 ? tag : path.slice(at + 1);
  const isName = repository.split("/").every((part) => /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/.test(part));
  if (!isName || repository.length > 255 || !/^[\w][\w.:+-]{0,200}$/.test(reference))
    throw invalid("what follows the host is no image");
  return { repository, reference };
}

function invalid(why: string): RegctlError {
  return new RegctlError("input-invalid", `this is not the address of a registry: ${why}`, { hint: EXAMPLES });
}
