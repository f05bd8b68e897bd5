/** Requests to one registry: addressed, authorised, redirected, tried again. */
import { RegctlError } from "../errors.ts";
import { createAuthorization } from "./authorization.ts";
import type { ClientPair } from "./connection.ts";
import { type Deed, failure, interrupted } from "./errors.ts";
import type { RegistryLogin } from "./login.ts";
import { refusal } from "./refusals.ts";
import { type Wait, withRetries } from "./retry.ts";
import { type Answer, createTransport, type Method, type Outgoing, type Transport } from "./transport.ts";

export interface RegistrySessionOptions {
  /** `https://registry.example.com:5000`, as clients name it. */
  readonly url: string;
  /** Path under which the API lies: `/` unless distribution's http.prefix says otherwise. */
  readonly prefix?: string | undefined;
  /** Where to connect instead of what the name resolves to. */
  readonly address?: string | undefined;
  /** PEM of the authority to trust; undefined = the public ones. */
  readonly authority?: string | undefined;
  /** Shown to a registry that asks for a certificate. */
  readonly client?: ClientPair | undefined;
  readonly credentials?: RegistryLogin | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Longest silence of a server; 30,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Requests at once, each on a connection that is kept; 16 by default. */
  readonly concurrency?: number | undefined;
  readonly wait: Wait;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

export interface RegistryRequest {
  /** `list the repositories`: errors begin with "cannot" and this. */
  readonly purpose: string;
  readonly method: Method;
  /** Below `/v2/`, or the whole address of an upload the registry began. */
  readonly path: string | URL;
  /** What a token must allow: `repository:team/api:pull`. */
  readonly scope: string;
  /** Statuses the caller knows how to read; any other rejects. */
  readonly accepts: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly maximumBytes?: number;
  /** Blobs may lie on another host, which is asked without credentials; what it sends has to be verified. */
  readonly mayLeave?: boolean;
  /** Not interrupted by the signal: stopping half way would be worse. */
  readonly isKept?: boolean;
  /** Whether it may be sent twice; true for all but POST. */
  readonly isIdempotent?: boolean;
}

export interface RegistrySession {
  /** `registry.example.com:5000`. */
  readonly host: string;
  /** The root of the API, ending in `/v2/`. */
  readonly root: URL;
  readonly concurrency: number;
  send(request: RegistryRequest): Promise<Answer>;
  deed(purpose: string): Deed;
  close(): void;
}

const TIMEOUT_MS = 30_000;
const CONCURRENCY = 16;
const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Throws `input-invalid` when the URL is not the address of a registry. */
export function createSession(options: RegistrySessionOptions): RegistrySession {
  const root = apiRoot(options.url, options.prefix);
  const { concurrency = CONCURRENCY, timeoutMs = TIMEOUT_MS } = options;
  const deed = (purpose: string): Deed => ({ purpose, host: root.host, isTls: root.protocol === "https:" });
  let hasAnswered = false;
  const transport: Transport = createTransport({
    registry: root,
    address: options.address,
    authority: options.authority,
    client: options.client,
    timeoutMs,
    connections: concurrency,
  });
  const retrying = (
    what: Deed,
    signal: AbortSignal | undefined,
    isIdempotent: boolean,
    attempt: () => Promise<Answer>,
  ) =>
    withRetries(attempt, {
      isIdempotent,
      hasAnswered: () => hasAnswered,
      signal,
      wait: (ms) =>
        options.wait(ms, signal).catch((cause: unknown) => {
          throw interrupted(what, cause);
        }),
    });
  const authorization = createAuthorization({
    login: options.credentials,
    now: options.now,
    fetch: (what, outgoing) => retrying(what, outgoing.signal, true, () => transport.exchange(what, outgoing)),
  });

  const attempt = async (what: Deed, request: RegistryRequest, outgoing: Outgoing): Promise<Answer> => {
    const { signal } = outgoing;
    let header = await authorization.headerFor(what, request.scope, signal);
    let answer = await follow(transport, what, request, withAuthorization(outgoing, header), root.origin);
    hasAnswered = true;
    if (answer.status === 401 && !request.accepts.includes(401)) {
      header = await authorization.renew(what, request.scope, { answer, header }, signal);
      answer = await follow(transport, what, request, withAuthorization(outgoing, header), root.origin);
    }
    return answer;
  };

  return {
    host: root.host,
    root,
    concurrency,
    deed,
    async send(request) {
      const what = deed(request.purpose);
      const signal = request.isKept ? undefined : options.signal;
      const outgoing: Outgoing = {
        method: request.method,
        url: new URL(request.path, root),
        headers: request.headers ?? {},
        body: request.body,
        maximumBytes: request.maximumBytes ?? MAXIMUM_BYTES,
        signal,
      };
      const isIdempotent = request.isIdempotent ?? request.method !== "POST";
      const answer = await retrying(what, signal, isIdempotent, () => attempt(what, request, outgoing));
      if (!request.accepts.includes(answer.status)) throw refusal(what, answer, options.credentials?.username);
      return answer;
    },
    close: () => transport.close(),
  };
}

function withAuthorization(outgoing: Outgoing, header: string | undefined): Outgoing {
  return header === undefined ? outgoing : { ...outgoing, headers: { ...outgoing.headers, authorization: header } };
}

/** Sends, and goes where the registry sends us; a host other than its own never sees the authorization. */
async function follow(
  transport: Transport,
  deed: Deed,
  request: RegistryRequest,
  first: Outgoing,
  own: string,
): Promise<Answer> {
  let outgoing = first;
  for (let hops = 0; ; hops += 1) {
    const answer = await transport.exchange(deed, outgoing);
    const location = REDIRECTS.has(answer.status) ? answer.headers.location : undefined;
    if (location === undefined || (outgoing.method !== "GET" && outgoing.method !== "HEAD"))
      return storageAnswer(deed, outgoing.url, own, answer);
    if (hops >= MAXIMUM_REDIRECTS) {
      throw failure(deed, "redirect", `${deed.host} redirects more than ${MAXIMUM_REDIRECTS} times`, {
        hint: "see where to: `curl -iL` the same address",
        status: answer.status,
      });
    }
    const { authorization, ...others } = first.headers;
    const url = redirectTarget(deed, request, outgoing.url, location, own);
    const isOwn = url.origin === own && authorization !== undefined;
    outgoing = { ...outgoing, url, headers: isOwn ? { ...others, authorization } : others };
  }
}

function redirectTarget(deed: Deed, request: RegistryRequest, from: URL, location: string, own: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    const hint = "see what answers there, it is not what a registry sends";
    throw failure(deed, "redirect", `${from.host} redirects to something that is no web address`, { hint });
  }
  if (url.origin === own || request.mayLeave === true) return url;
  const isUpgrade = url.hostname === from.hostname && url.protocol === "https:" && from.protocol === "http:";
  const why = isUpgrade ? `${from.host} wants HTTPS` : `${from.host} redirects to another host, ${url.host}`;
  throw failure(deed, isUpgrade ? "scheme" : "redirect", why, { hint: `name the registry as ${url.origin}` });
}

/** What a storage says is not to be taken for the registry's word. */
function storageAnswer(deed: Deed, url: URL, own: string, answer: Answer): Answer {
  if (url.origin === own || (answer.status >= 200 && answer.status < 300) || answer.status >= 500) return answer;
  throw failure(deed, "server", `the storage at ${url.host} answered ${answer.status}`, {
    hint: "set registry.storage.redirect.disable to true in regctl.yaml, then run `regctl up`",
    status: answer.status,
  });
}

function apiRoot(text: string, prefix: string | undefined): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "";
  if (!isAddress || url.username !== "" || url.password !== "" || url.hash !== "") {
    // Not quoted: a URL that is refused for its user part holds a password.
    throw new RegctlError("input-invalid", "the registry's address is not https://HOST[:PORT] or http://HOST[:PORT]", {
      hint: "name the scheme, host and port alone, such as https://registry.example.com:5000",
    });
  }
  const path = (prefix ?? "").replace(/^\/+|\/+$/g, "");
  return new URL(path === "" ? "/v2/" : `/${path}/v2/`, url);
}
