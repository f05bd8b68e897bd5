/** Says who one is to a registry, as clients do: basic, or with a token from the realm it names. */
import type { LoginFacts } from "../doctor/endpoint-facts.ts";
import { type Target, targetName } from "../doctor/target.ts";
import { messageOf } from "../errors.ts";
import { dial, isLinkLocal, isLoopback, resolveHost } from "../probe/address.ts";
import { ask, type ClientPair, type HttpResult, isAnswer, maySendSecret } from "../probe/http.ts";
import { type Challenge, parseChallenges } from "../registry/challenge.ts";
import type { Deed } from "../registry/errors.ts";
import { basicAuthorization, type RegistryLogin } from "../registry/login.ts";
import { readToken, type TokenService, tokenRequest, tokenServiceOf } from "../registry/tokens.ts";
import { Secret } from "../secret.ts";
import type { EndpointSubject } from "./doctor.ts";
import type { OperationPorts } from "./ports.ts";

/** A registry that answers, and how it may be talked to. */
export interface Endpoint {
  readonly target: Target;
  /** `https://HOST:PORT/v2/`. */
  readonly root: URL;
  readonly address: string;
  readonly timeoutMs: number;
  /** PEM; absent when its certificate is not trusted, and then nothing secret is sent. */
  readonly verifyWith?: readonly string[];
  readonly pair?: ClientPair;
  /** It speaks versions of TLS that clients refuse. */
  readonly isOutdated: boolean;
  /** PEM; for the service that issues its tokens. */
  readonly tokenAuthorities: readonly string[];
}

/** The Authorization header for a scope (`repository:a/b:pull,push`); undefined = none is needed, or none was got. */
export type Authorize = (scope: string) => Promise<Secret | undefined>;

interface Identity {
  readonly login: LoginFacts;
  readonly authorize: Authorize;
}

type Realm = { readonly realm: string; readonly realmProblem?: string };

const nobody: Authorize = async () => undefined;

export async function identify(
  ports: OperationPorts,
  subject: EndpointSubject,
  endpoint: Endpoint,
  answer: HttpResult,
): Promise<Identity> {
  if (!isAnswer(answer) || answer.status !== 401) return { login: { scheme: "none" }, authorize: nobody };
  const challenges = parseChallenges(answer.headers["www-authenticate"]);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  const basic = challenges.find(({ scheme }) => scheme === "basic");
  const scheme = bearer ? "bearer" : basic ? "basic" : challenges.length > 0 ? "other" : "missing";
  const realm: Partial<Realm> = bearer === undefined ? {} : await examineRealm(endpoint, bearer);
  const credentials = await storedLogin(ports, subject);
  const facts: LoginFacts = { scheme, ...realm, ...(credentials === undefined ? {} : { user: credentials.username }) };
  if (credentials === undefined || realm.realmProblem !== undefined || !["basic", "bearer"].includes(scheme))
    return { login: facts, authorize: nobody };
  if (!maySendSecret({ ...endpoint, url: endpoint.root }))
    return {
      login: { ...facts, withheld: "its certificate is not trusted, so no password is sent" },
      authorize: nobody,
    };
  if (bearer === undefined) return logInBasic(endpoint, facts, credentials);
  return logInBearer(endpoint, facts, bearer, credentials);
}

/** What docker would send: given to the command, else stored for this very name. Unreadable ones are for another check. */
async function storedLogin(ports: OperationPorts, subject: EndpointSubject): Promise<RegistryLogin | undefined> {
  return subject.login ?? (await ports.findCredentials(targetName(subject.target)).catch(() => undefined));
}

async function logInBasic(endpoint: Endpoint, facts: LoginFacts, credentials: RegistryLogin): Promise<Identity> {
  const authorization = new Secret(basicAuthorization(credentials));
  const result = await ask({ ...endpoint, url: endpoint.root, method: "GET", authorization });
  const login = { ...facts, ...outcomeOf(result, "refused") };
  return { login, authorize: login.outcome === "accepted" ? async () => authorization : nobody };
}

function outcomeOf(result: HttpResult, refused: "refused" | "loop"): Pick<LoginFacts, "outcome" | "status"> {
  if (!isAnswer(result)) return { outcome: "failed" };
  const { status } = result;
  return { status, outcome: status === 200 ? "accepted" : status === 401 ? refused : "failed" };
}

async function logInBearer(
  endpoint: Endpoint,
  facts: LoginFacts,
  challenge: Challenge,
  credentials: RegistryLogin,
): Promise<Identity> {
  const deed: Deed = { purpose: "log in", host: endpoint.root.host, isTls: endpoint.root.protocol === "https:" };
  const service = tokenServiceOf(deed, challenge.parameters);
  const authorize: Authorize = async (scope) => {
    const token = await fetchToken(endpoint, service, scope, credentials, deed);
    return token === undefined ? undefined : new Secret(`Bearer ${token.reveal()}`);
  };
  const authorization = await authorize(challenge.parameters.scope ?? "");
  if (authorization === undefined) return { login: { ...facts, outcome: "token-refused" }, authorize: nobody };
  const result = await ask({ ...endpoint, url: endpoint.root, method: "GET", authorization });
  const login = { ...facts, ...outcomeOf(result, "loop") };
  return { login, authorize: login.outcome === "accepted" ? authorize : nobody };
}

async function fetchToken(
  endpoint: Endpoint,
  service: TokenService,
  scope: string,
  credentials: RegistryLogin,
  deed: Deed,
): Promise<Secret | undefined> {
  const { method, url, headers, body } = tokenRequest(service, scope, credentials, undefined);
  const { authorization, ...others } = headers;
  const address = await reachable(endpoint, url);
  const verifyWith = endpoint.tokenAuthorities;
  if (address === undefined || !maySendSecret({ url, address, verifyWith })) return undefined;
  const result = await ask({
    url,
    address,
    method: method === "POST" ? "POST" : "GET",
    headers: others,
    verifyWith,
    timeoutMs: endpoint.timeoutMs,
    ...(body === undefined ? {} : { body }),
    ...(authorization === undefined ? {} : { authorization: new Secret(authorization) }),
  });
  if (!isAnswer(result)) return undefined;
  try {
    return new Secret(readToken(deed, url, credentials, { ...result, body: Buffer.from(result.body) }).token);
  } catch {
    return undefined;
  }
}

/** Where a client of that registry reaches the address; undefined when it cannot, or must not: an address of its own. */
async function reachable(endpoint: Endpoint, url: URL): Promise<string | undefined> {
  const { addresses } = await resolveHost(url.hostname.replace(/^\[|\]$/g, ""), endpoint.timeoutMs);
  const allowed = addresses.filter((address) => !isTrap(endpoint, address));
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const dials = await Promise.all(allowed.map((address) => dial(address, port, endpoint.timeoutMs / 2)));
  return dials.find(({ outcome }) => outcome === "open")?.address;
}

/** A registry elsewhere that sends its clients to themselves is mistaken, or means harm. */
function isTrap({ address }: Endpoint, realm: string): boolean {
  return isLinkLocal(realm) || (isLoopback(realm) && !isLoopback(address));
}

/** Asked without credentials: whether a client gets an answer there at all. */
async function examineRealm(endpoint: Endpoint, challenge: Challenge): Promise<Realm> {
  const realm = (challenge.parameters.realm ?? "").slice(0, 300);
  const isTls = endpoint.root.protocol === "https:";
  const problem = (realmProblem: string) => ({ realm, realmProblem });
  let service: TokenService;
  try {
    service = tokenServiceOf({ purpose: "get a token", host: endpoint.root.host, isTls }, challenge.parameters);
  } catch (error) {
    return problem(messageOf(error));
  }
  const { hostname, host } = service.realm;
  const { addresses, code } = await resolveHost(hostname.replace(/^\[|\]$/g, ""), endpoint.timeoutMs);
  if (addresses.length === 0) return problem(`its name ${hostname} is not known here (${code ?? "no address"})`);
  if (addresses.every((address) => isTrap(endpoint, address)))
    return problem(`${hostname} is every client's own machine (${addresses.join(", ")})`);
  const address = await reachable(endpoint, service.realm);
  if (address === undefined) return problem(`nothing answers at ${host}`);
  const verifyWith = endpoint.tokenAuthorities;
  const { timeoutMs } = endpoint;
  const result = await ask({ url: service.realm, address, method: "GET", verifyWith, timeoutMs });
  if (!isAnswer(result)) return problem(`${host} gives no answer that can be used (${result.failure})`);
  const isGone = result.status === 404 || result.status >= 500;
  return isGone ? problem(`${host} answers ${result.status}`) : { realm };
}
