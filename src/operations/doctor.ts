/** Looks at a registry from a client's side, and at a deployment on its host: every check at once. Changes nothing. */
import { join } from "node:path";
import { type Config, registryUrl } from "../config/config.ts";
import { httpPrefix } from "../config/registry-config.ts";
import { publishedAddress } from "../deployment/health.ts";
import type { EndpointFacts } from "../doctor/endpoint-facts.ts";
import { type Examined, runChecks, worstVerdict } from "../doctor/run-checks.ts";
import { parseTarget, type Target, targetUrl } from "../doctor/target.ts";
import { withoutToldBefore } from "../doctor/told-before.ts";
import { messageOf, RegctlError } from "../errors.ts";
import type { ClientPair } from "../probe/http.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { RegistryLogin } from "../registry/login.ts";
import { lastValidConfig, loadDeployment } from "./deployment.ts";
import { examineDeployment } from "./examine-deployment.ts";
import { gatherEndpointFacts } from "./gather-endpoint.ts";
import { readOwnClient } from "./own-client.ts";
import type { OperationPorts } from "./ports.ts";

/** A registry as a client knows it. */
export interface EndpointSubject {
  readonly target: Target;
  /** PEM of what clients were given to trust; undefined = whatever this machine trusts. */
  readonly authorityPem: string | undefined;
  readonly login: RegistryLogin | undefined;
  /** A client certificate for a registry that asks for one. */
  readonly pair?: ClientPair | undefined;
  /** Where its port is on this host, whatever its name resolves to. */
  readonly address?: string | undefined;
  /** Path under which the API lies, where it is not `/`. */
  readonly prefix?: string | undefined;
  /** Where this machine's settings are; `/etc` unless told. */
  readonly etc?: string | undefined;
}

export interface DoctorReport {
  readonly url: string;
  /** The deployment's folder; null with `--from-client`. */
  readonly directory: string | null;
  /** Path of this machine's client certificate that the registry asked for and took. */
  readonly clientCertificate: string | null;
  readonly worst: Examined["verdict"];
  readonly checks: readonly Examined[];
}

/** For one check, whose facts are gathered before. */
const CHECK_MS = 10_000;

/** `text` as people call a registry: URL, HOST:PORT, image; `input-invalid` when it is none. */
export function endpointSubject(text: string, given: Omit<EndpointSubject, "target">): EndpointSubject {
  return { target: parseTarget(text), ...given };
}

function report(url: string, directory: string | null, checks: readonly Examined[], shown?: string): DoctorReport {
  return { url, directory, clientCertificate: shown ?? null, worst: worstVerdict(checks), checks };
}

/** Any registry, as seen from this machine. */
export async function examineEndpoint(ports: OperationPorts, subject: EndpointSubject): Promise<DoctorReport> {
  const { checks, shown } = await endpointPart(ports, subject);
  return report(targetUrl(subject.target), null, checks, shown);
}

/** A deployment: its host and folder, and its registry from a client's side. */
export async function examineOwn(
  ports: OperationPorts,
  directory: string,
  login: RegistryLogin | undefined,
): Promise<DoctorReport> {
  const hostPart = examineDeployment(ports, directory, { timeoutMs: CHECK_MS, signal: ports.signal });
  hostPart.catch(() => undefined);
  const config = await configToGoBy(directory);
  if (config === undefined) return report("", directory, await hostPart);
  // Who may not read them is told so by the checks that need them.
  const [authorityPem, pair] = await Promise.all([
    readIfExists(join(directory, FILES.authorityCertificate)).catch(() => undefined),
    readOwnClient(directory).catch(() => undefined),
  ]);
  const url = registryUrl(config);
  const address = publishedAddress(config.bind);
  const subject = { target: parseTarget(url), authorityPem, pair, login, address, prefix: httpPrefix(config) };
  const [host, endpoint] = await Promise.all([hostPart, endpointPart(ports, subject)]);
  return report(url, directory, [...host, ...withoutToldBefore(host, endpoint.checks)]);
}

/** Of a regctl.yaml that is not valid the last one that was, as that is what runs; undefined = none ever was. */
async function configToGoBy(directory: string): Promise<Config | undefined> {
  try {
    return (await loadDeployment(directory)).config;
  } catch (error) {
    if (error instanceof RegctlError && error.code === "config-invalid") return lastValidConfig(directory);
    throw error;
  }
}

async function endpointPart(
  ports: OperationPorts,
  subject: EndpointSubject,
): Promise<{ readonly checks: Examined[]; readonly shown?: string }> {
  const { endpointChecks } = await import("../doctor/endpoint-checks.ts");
  const options = { timeoutMs: CHECK_MS, signal: ports.signal };
  let facts: EndpointFacts;
  try {
    facts = await gatherEndpointFacts(ports, subject);
  } catch (error) {
    if (ports.signal.aborted) throw error;
    // What a server does must not end the run: whoever has a deployment gets the verdicts on that.
    const failing = endpointChecks.map(({ id, title }) => ({ id, title, examine: () => Promise.reject(error) }));
    return { checks: await runChecks(failing, undefined, options) };
  }
  const { shownCertificate } = facts;
  const checks = await runChecks(endpointChecks, facts, options);
  return { checks, ...(shownCertificate === undefined ? {} : { shown: shownCertificate }) };
}

/** The certificates of a file a client was given: PEM or DER, as PEM. `input-invalid` when it holds none. */
export async function readAuthorityFile(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { readBundle } = await import("../pki/bundle.ts");
  const data = await readFile(path).catch((cause: unknown) => {
    throw new RegctlError("input-invalid", `cannot read ${path}: ${messageOf(cause)}`, { hint: "correct --ca", cause });
  });
  const { certificates, findings } = await readBundle(data, undefined, "CA");
  const problem = findings.find(({ severity }) => severity === "error");
  if (certificates.length === 0 || problem !== undefined) {
    const why = problem?.message ?? "there is no certificate in it";
    throw new RegctlError("input-invalid", `${path} cannot be used: ${why}`, { hint: problem?.hint ?? "correct --ca" });
  }
  return certificates.map((certificate) => certificate.toString()).join("");
}
