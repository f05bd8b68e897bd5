/** Gathers what the checks of an endpoint look at: this machine's own files and the network, one question after the other. */
import { X509Certificate } from "node:crypto";
import { homedir } from "node:os";
import { loadPair } from "../doctor/client-pair.ts";
import { isRegistry } from "../doctor/endpoint/answers-as-registry.ts";
import { wantsClientCertificate } from "../doctor/endpoint/client-certificate.ts";
import { ownFolders, ownPairs } from "../doctor/endpoint/trust-folders.ts";
import type { ChainFacts, EndpointFacts } from "../doctor/endpoint-facts.ts";
import { clientNames, type Target, targetUrl } from "../doctor/target.ts";
import { splitPem } from "../pki/pem.ts";
import { type Dial, dial, type Resolution, resolveHost } from "../probe/address.ts";
import { type ClientFacts, readClientFacts } from "../probe/client-files.ts";
import { ask, askHttp2, type HttpResult, isAnswer } from "../probe/http.ts";
import { systemRoots } from "../probe/system-roots.ts";
import { lookAtTls, type TlsLook } from "../probe/tls.ts";
import type { EndpointSubject } from "./doctor.ts";
import { type Endpoint, identify } from "./identify.ts";
import { lookAtImage } from "./look-at-image.ts";
import type { OperationPorts } from "./ports.ts";
import { pushProbe } from "./push-probe.ts";

/** For one answer, in milliseconds, unless the command was given less. */
const ANSWER_MS = 8000;
/** As many client certificates of this machine are tried. */
const MOST_PAIRS = 5;
/** What nginx, Go and Apache answer to plain HTTP on a port of TLS, also where no handshake succeeds. */
const WANTS_TLS = /sent to HTTPS port|to an HTTPS server|SSL-enabled server port/;

export async function gatherEndpointFacts(ports: OperationPorts, subject: EndpointSubject): Promise<EndpointFacts> {
  const { target } = subject;
  const timeoutMs = Math.min(ANSWER_MS, ports.timeoutMs);
  const etc = subject.etc ?? "/etc";
  const home = ports.environment.HOME ?? homedir();
  const [client, resolution] = await Promise.all([
    readClientFacts({ etc, home, environment: ports.environment }, clientNames(target)),
    resolveHost(target.host, timeoutMs),
  ]);
  const candidates = subject.address === undefined ? resolution.addresses : [subject.address];
  const dials = await Promise.all(candidates.map((address) => dial(address, target.port, timeoutMs / 2)));
  ports.signal.throwIfAborted();
  const reached = { target, isOwn: subject.address !== undefined, now: ports.now(), resolution, dials, client };
  const address = dials.find(({ outcome }) => outcome === "open")?.address;
  return address === undefined
    ? reached
    : { ...reached, address, ...(await lookInside(ports, subject, reached, address, timeoutMs)) };
}

interface Reached {
  readonly target: Target;
  readonly resolution: Resolution;
  readonly dials: readonly Dial[];
  readonly client: ClientFacts;
}

async function lookInside(
  ports: OperationPorts,
  subject: EndpointSubject,
  { target, client }: Reached,
  address: string,
  timeoutMs: number,
): Promise<Partial<EndpointFacts>> {
  const bare = await lookWith(ports, subject, { target, client }, address, timeoutMs);
  if (subject.pair !== undefined || !wantsClientCertificate(bare)) return bare;
  for (const trusted of ownPairs({ client, target }).slice(0, MOST_PAIRS)) {
    const pair = loadPair(trusted);
    if (typeof pair === "string") continue;
    const seen = await lookWith(ports, { ...subject, pair }, { target, client }, address, timeoutMs);
    if (isAnswer(seen.secure) && !wantsClientCertificate(seen))
      return { ...seen, shownCertificate: trusted.certificatePath };
  }
  return bare;
}

async function lookWith(
  ports: OperationPorts,
  subject: EndpointSubject,
  { target, client }: Pick<Reached, "target" | "client">,
  address: string,
  timeoutMs: number,
): Promise<Partial<EndpointFacts>> {
  const given = givenAuthorities(subject, client);
  const pair = subject.pair === undefined ? {} : { pair: subject.pair };
  const roots = subject.authorityPem === undefined ? await systemRoots() : [];
  const authorities = [...given.map(String), ...roots];
  const tls = await lookAtTls({ ...target, ...pair, address, authorities, timeoutMs });
  const root = apiRoot(subject, target.scheme);
  const asked = { ...pair, address, timeoutMs, method: "GET" } as const;
  const at = (scheme: Target["scheme"]) => ask({ ...asked, url: apiRoot(subject, scheme) });
  const speaksTls = tls.failure === undefined;
  const [secure, heard, http2] = await Promise.all([
    speaksTls ? at("https") : undefined,
    speaksTls && target.scheme === "https" ? undefined : at("http"),
    tls.alpn === "h2" ? askHttp2({ ...pair, url: apiRoot(subject, "https"), address, timeoutMs }) : undefined,
  ]);
  ports.signal.throwIfAborted();
  const plain = isAnswer(heard) && heard.status === 400 && WANTS_TLS.test(heard.body) ? undefined : heard;
  // What a TLS port says to plain HTTP is no answer of a registry.
  const answer = target.scheme === "https" ? secure : speaksTls ? undefined : plain;
  const isGivenByHand = subject.authorityPem !== undefined;
  const chain = speaksTls ? chainOf(tls, { given, isGivenByHand, authorities }) : undefined;
  // Name, strength and all: whether a client that looks closely would go on.
  const isSure = secure !== undefined && target.scheme === "https" && chain?.distrust === undefined;
  const verified = isSure ? await ask({ ...asked, url: root, verifyWith: authorities }) : undefined;
  const endpoint: Endpoint = {
    ...pair,
    target,
    root,
    address,
    timeoutMs,
    ...(isAnswer(verified) ? { verifyWith: authorities } : {}),
    isOutdated: /^TLSv1(\.1)?$/.test(tls.protocol ?? ""),
    tokenAuthorities: [...authorities, ...(roots.length === 0 ? await systemRoots() : [])],
  };
  return {
    tls,
    ...(chain === undefined ? {} : { chain }),
    ...(secure === undefined ? {} : { secure }),
    ...(plain === undefined ? {} : { plain }),
    ...(http2 === undefined ? {} : { http2 }),
    ...(answer === undefined ? {} : { answer, ...(await askMore(ports, subject, endpoint, answer)) }),
  };
}

/** Who one is there, and with that a push and a pull. */
async function askMore(
  ports: OperationPorts,
  subject: EndpointSubject,
  endpoint: Endpoint,
  answer: HttpResult,
): Promise<Partial<EndpointFacts>> {
  const { login, authorize } = await identify(ports, subject, endpoint, answer);
  ports.signal.throwIfAborted();
  const serves = isAnswer(answer) && isRegistry(answer) && !endpoint.isOutdated;
  const mayPush = serves && (login.scheme === "none" || login.outcome === "accepted");
  if (!mayPush) return { login, uploadWithheld: whyNot(serves, login) };
  const [pushed, image] = await Promise.all([pushProbe(endpoint, authorize), lookAtImage(endpoint, authorize)]);
  return { login, ...pushed, ...(image === undefined ? {} : { image }) };
}

function whyNot(serves: boolean, login: { readonly user?: string; readonly withheld?: string }): string {
  if (!serves) return "there is no registry that answers as clients need it";
  if (login.withheld !== undefined) return login.withheld;
  return login.user === undefined ? "it needs a login" : `the login of ${login.user} is not accepted`;
}

/** What clients were given to trust: by the command, else by the folders this machine's docker reads. */
function givenAuthorities({ target, authorityPem }: EndpointSubject, client: ClientFacts): X509Certificate[] {
  const own = ownFolders({ client, target }, ["docker"]);
  const files = own.flatMap(({ files }) => files.filter(({ name }) => name.endsWith(".crt")));
  const texts = authorityPem === undefined ? files.map(({ pem }) => pem ?? "") : [authorityPem];
  return texts.flatMap((text) => {
    try {
      return splitPem(text).map((pem) => new X509Certificate(pem));
    } catch {
      // Clients pass over what is no certificate, too.
      return [];
    }
  });
}

function chainOf(tls: TlsLook, judged: Omit<ChainFacts, "sent" | "distrust">): ChainFacts {
  const sent = tls.chain.map((der) => new X509Certificate(der));
  return { ...judged, sent, ...(tls.distrust === undefined ? {} : { distrust: tls.distrust }) };
}

function apiRoot({ target, prefix = "/" }: EndpointSubject, scheme: Target["scheme"]): URL {
  const path = prefix.replace(/^\/+|\/+$/g, "");
  return new URL(path === "" ? "/v2/" : `/${path}/v2/`, targetUrl({ ...target, scheme }));
}
