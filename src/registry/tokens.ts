/** Fetches bearer tokens (https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/). */
import { type Deed, failure, protocolFailure } from "./errors.ts";
import type { RegistryLogin } from "./login.ts";
import { basicAuthorization } from "./login.ts";
import type { Answer, Outgoing } from "./transport.ts";

/** Where tokens of a registry are issued, from its challenge. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
}

export interface BearerToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

const CLIENT_ID = "regctl";
const MAXIMUM_BYTES = 1024 * 1024;
/** The specification's default, and the least a server may give. */
const DEFAULT_LIFETIME_SECONDS = 60;
const TOKEN = /^[\x21-\x7e]{1,65536}$/;

/** Where a challenge says tokens are issued. A registry behind TLS must not send the password where it can be read. */
export function tokenServiceOf(deed: Deed, parameters: Readonly<Record<string, string>>): TokenService {
  const text = parameters.realm ?? "";
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (realm === undefined || !/^https?:$/.test(realm.protocol) || realm.username !== "" || realm.password !== "") {
    throw protocolFailure(deed, `${deed.host} names no address that issues its tokens`);
  }
  if (deed.isTls && realm.protocol !== "https:") {
    throw failure(deed, "scheme", `${deed.host} sends us for a token to ${realm.host}, which is not HTTPS`, {
      hint: "set registry.auth.token.realm to an https:// URL in regctl.yaml, then run `regctl up`",
    });
  }
  return { realm, service: parameters.service };
}

/**
 * One list of scopes that allows what both allow: what is needed, and what the registry asks for. They differ when the
 * registry asks for less than the next request needs, or names a scope in a way of its own.
 */
export function mergeScopes(needed: string, asked: string): string {
  const actions = new Map<string, Set<string>>();
  for (const scope of `${needed} ${asked}`.split(" ").filter(Boolean)) {
    const end = scope.lastIndexOf(":");
    const resource = scope.slice(0, end);
    const known = actions.get(resource) ?? new Set();
    for (const action of scope.slice(end + 1).split(",")) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, allowed]) => `${resource}:${[...allowed].join(",")}`).join(" ");
}

/** The request for a token: GET with the password as basic authorization, POST for an identity token. */
export function tokenRequest(
  { realm, service }: TokenService,
  scope: string,
  login: RegistryLogin | undefined,
  signal: AbortSignal | undefined,
): Outgoing {
  const common = { maximumBytes: MAXIMUM_BYTES, signal };
  if (login?.isIdentityToken) {
    const form = new URLSearchParams({ grant_type: "refresh_token", client_id: CLIENT_ID });
    form.set("refresh_token", login.password.reveal());
    if (service !== undefined) form.set("service", service);
    if (scope !== "") form.set("scope", scope);
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    return { ...common, method: "POST", url: realm, headers, body: Buffer.from(form.toString()) };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of scope.split(" ").filter(Boolean)) url.searchParams.append("scope", one);
  url.searchParams.set("client_id", CLIENT_ID);
  if (login !== undefined) url.searchParams.set("account", login.username);
  const authorization = login === undefined ? {} : { authorization: basicAuthorization(login) };
  return { ...common, method: "GET", url, headers: { accept: "application/json", ...authorization } };
}

/** Reads the answer; errors never quote it, as it may hold the token or repeat the password. */
export function readToken(deed: Deed, realm: URL, login: RegistryLogin | undefined, answer: Answer): BearerToken {
  const { status } = answer;
  if (status === 401 || status === 403 || (status === 400 && login?.isIdentityToken)) {
    const who = login === undefined ? "without a user" : `for ${login.username || "the stored identity token"}`;
    throw failure(deed, "unauthorized", `${realm.host} issues no token ${who}`, {
      hint: `log in: \`docker login ${deed.host}\``,
      status,
    });
  }
  if (status !== 200) {
    throw failure(deed, "server", `${realm.host} answered ${status} instead of a token`, {
      hint: `see why in the log of the token service at ${realm.host}`,
      status,
    });
  }
  const { token, access_token, expires_in } = parseObject(answer.body);
  const issued = [token, access_token].find((value) => typeof value === "string" && value !== "");
  if (typeof issued !== "string" || !TOKEN.test(issued)) {
    throw failure(deed, "protocol", `${realm.host} sent something that is not a token`, {
      hint: `see why in the log of the token service at ${realm.host}`,
    });
  }
  const seconds = typeof expires_in === "number" && expires_in > 0 ? expires_in : DEFAULT_LIFETIME_SECONDS;
  return { token: issued, lifetimeMs: seconds * 1000 };
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
