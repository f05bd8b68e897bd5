/** Which Authorization header a request carries, learnt from the registry's first refusal. */
import { parseChallenges } from "./challenge.ts";
import { type Deed, protocolFailure } from "./errors.ts";
import { basicAuthorization, type RegistryLogin } from "./login.ts";
import { refusal } from "./refusals.ts";
import { mergeScopes, readToken, type TokenService, tokenRequest, tokenServiceOf } from "./tokens.ts";
import type { Answer, Outgoing } from "./transport.ts";

export interface Authorization {
  /** The header to send with a first try; undefined = none. May fetch a token. */
  headerFor(deed: Deed, scope: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** The header for the second try after a 401; throws when there is nothing better than what was refused. */
  renew(
    deed: Deed,
    scope: string,
    refused: { readonly answer: Answer; readonly header: string | undefined },
    signal: AbortSignal | undefined,
  ): Promise<string>;
}

export interface AuthorizationOptions {
  readonly login: RegistryLogin | undefined;
  /** Sends a request to the token service, with retries. */
  readonly fetch: (deed: Deed, outgoing: Outgoing) => Promise<Answer>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

interface CachedHeader {
  readonly header: string;
  readonly expires: number;
}

/** Renewed this long before it expires, but not before half its life. */
const LEEWAY_MS = 10_000;
/** A token is one or two KiB, and there is one for every repository. */
const MAXIMUM_TOKENS = 500;

export function createAuthorization({ login, fetch, now }: AuthorizationOptions): Authorization {
  let scheme: "unknown" | "basic" | TokenService = "unknown";
  const tokens = new Map<string, CachedHeader>();
  const underway = new Map<string, Promise<string>>();

  const issue = async (
    deed: Deed,
    at: TokenService,
    scope: string,
    asked: string,
    signal: AbortSignal | undefined,
  ): Promise<string> => {
    const answer = await fetch(deed, tokenRequest(at, asked, login, signal));
    const { token, lifetimeMs } = readToken(deed, at.realm, login, answer);
    const header = `Bearer ${token}`;
    tokens.delete(scope);
    tokens.set(scope, { header, expires: now() + Math.max(lifetimeMs - LEEWAY_MS, lifetimeMs / 2) });
    const oldest = tokens.keys().next().value;
    if (tokens.size > MAXIMUM_TOKENS && oldest !== undefined) tokens.delete(oldest);
    return header;
  };

  /** One request for a scope at a time, however many wait for it. */
  const tokenFor = (deed: Deed, at: TokenService, scope: string, asked: string, signal: AbortSignal | undefined) => {
    const cached = tokens.get(scope);
    if (cached !== undefined && cached.expires > now()) return Promise.resolve(cached.header);
    // What must not be interrupted does not wait for a request that may be.
    const key = `${signal === undefined ? "kept" : "interruptible"} ${scope}`;
    const pending = underway.get(key) ?? issue(deed, at, scope, asked, signal).finally(() => underway.delete(key));
    underway.set(key, pending);
    return pending;
  };

  return {
    async headerFor(deed, scope, signal) {
      if (scheme === "unknown") return undefined;
      if (scheme === "basic") return login && basicAuthorization(login);
      return tokenFor(deed, scheme, scope, scope, signal);
    },
    async renew(deed, scope, { answer, header }, signal) {
      const challenges = parseChallenges(answer.headers["www-authenticate"]);
      const bearer = challenges.find((challenge) => challenge.scheme === "bearer");
      if (bearer !== undefined) {
        scheme = tokenServiceOf(deed, bearer.parameters);
        if (tokens.get(scope)?.header === header) tokens.delete(scope);
        return tokenFor(deed, scheme, scope, mergeScopes(scope, bearer.parameters.scope ?? ""), signal);
      }
      if (!challenges.some((challenge) => challenge.scheme === "basic")) {
        if (challenges.length === 0) throw refusal(deed, answer, login?.username);
        throw protocolFailure(deed, `${deed.host} wants a login other than basic or bearer`);
      }
      scheme = "basic";
      if (login === undefined || login.isIdentityToken || header !== undefined) {
        throw refusal(deed, answer, login?.username);
      }
      return basicAuthorization(login);
    },
  };
}
