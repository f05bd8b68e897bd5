/** Making a registry read-only, proving that it is, and making it writable again whatever happened in between. */
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { hostAndPort, registryUrl } from "../config/config.ts";
import { hasClientAuthorities, httpPrefix } from "../config/registry-config.ts";
import { publishedAddress } from "../deployment/health.ts";
import { SERVICE_LABEL } from "../deployment/labels.ts";
import { COLLECTOR_SERVICE, REGISTRY_SERVICE } from "../deployment/names.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { wantsClientCertificate } from "../registry/client.ts";
import { probeWrites } from "../registry/write-probe.ts";
import { readCertificateFiles } from "./certificates.ts";
import { clearCollectionMark, readCollectionMark } from "./collection-mark.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import type { OperationPorts } from "./ports.ts";
import { render, writeRendered } from "./render.ts";
import { bringUp, propose } from "./up.ts";

type Section = Readonly<Record<string, unknown>>;

function sectionOf(value: unknown): Section {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Section) : {};
}

/** The same deployment with a registry that takes no changes. */
export function readOnlyDeployment(deployment: Deployment): Deployment {
  const { config } = deployment;
  const storage = sectionOf(config.registry.storage);
  const maintenance = { ...sectionOf(storage.maintenance), readonly: { enabled: true } };
  const registry: Config["registry"] = { ...config.registry, storage: { ...storage, maintenance } };
  return { ...deployment, config: { ...config, registry } };
}

function notReadOnly(why: string): RegctlError {
  return new RegctlError("operation-failed", `the registry could not be made read-only: ${why}`, {
    hint: "nothing was collected; `regctl logs` shows what the registry says",
  });
}

/**
 * Proves that no push is taken any more. With credentials (none needed, or what `docker login` stored) the registry says so
 * itself: 405. Without them it answers 401 to everything, and the proof is what it was started with: read-only mode is read
 * from config.yml at the start and never again, so a container that was made for exactly this config.yml (its label is the
 * hash of it), from this image, with no variable that could override it (that is asked before), is in that mode.
 */
export async function requireReadOnly(ports: OperationPorts, readOnly: Deployment): Promise<void> {
  const { config, directory } = readOnly;
  const engine = await ports.engine();
  const { changes } = await propose(ports, engine, readOnly);
  const [change] = changes;
  if (change !== undefined) throw notReadOnly(`${change.name}: ${change.because}`);
  const { authorityPem, client } = await readCertificateFiles(directory);
  const known = config.auth.mode === "none" ? undefined : await ports.findCredentials(hostAndPort(config));
  const status = await probeWrites({
    url: registryUrl(config),
    prefix: httpPrefix(config),
    address: publishedAddress(config.bind),
    authorityPem,
    client,
    credentials: known?.isIdentityToken === true ? undefined : known,
    signal: ports.signal,
  }).catch((error: unknown) => {
    if (ports.signal.aborted) throw ports.signal.reason;
    if (wantsClientCertificate(error) && hasClientAuthorities(config)) return 401;
    throw notReadOnly(messageOf(error));
  });
  if (status === 405 || status === 401 || status === 403) return;
  throw notReadOnly(`it answers a push with ${status} instead of 405`);
}

const RETRY_MS = 500;

/** An engine that was restarted under us is back in a few seconds. */
async function whileUnreachable<T>(ports: OperationPorts, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + ports.timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isGone = error instanceof RegctlError && error.code === "engine-unreachable";
      if (!isGone || performance.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}

/** Removes what a run of the collector left on the engine; it must not delete while pushes are taken. */
async function removeCollector(ports: OperationPorts, deployment: Deployment): Promise<void> {
  const engine = await ports.engine();
  const { containers } = await observeOwn(ports, engine, deployment);
  for (const { id, labels } of containers) {
    if (labels[SERVICE_LABEL] === COLLECTOR_SERVICE) await engine.containers.remove(id, { force: true });
  }
}

async function makeWritable(ports: OperationPorts, deployment: Deployment): Promise<void> {
  const engine = await ports.engine();
  const { containers } = await observeOwn(ports, engine, deployment);
  if (!containers.some(({ labels }) => labels[SERVICE_LABEL] === REGISTRY_SERVICE)) {
    // Taken down since: it stays down, and comes up writable.
    await writeRendered(ports, deployment, await render(ports, deployment));
    return;
  }
  const changes = await bringUp(ports, deployment, { dryRun: false, offline: true });
  if (changes.some(({ kind }) => kind === "container")) return;
  const { descriptorCache } = await import("./serving.ts");
  if (descriptorCache(deployment.config) === undefined) return;
  // Read-only by its owner's wish: the same container goes on, with what it remembers.
  const { restart } = await import("./take-down.ts");
  await restart(ports, deployment.directory);
}

/**
 * Brings the deployment back to what regctl.yaml says, after the collector has ended or was stopped: a new container, whose
 * cache is empty. Not to be interrupted: a Ctrl-C before or meanwhile has no say. Does nothing where nothing was begun.
 */
export async function endCollection(ports: OperationPorts, deployment: Deployment): Promise<void> {
  const calm: OperationPorts = { ...ports, signal: new AbortController().signal };
  const mark = await readCollectionMark(deployment.directory);
  if (mark === undefined) return;
  await whileUnreachable(calm, async () => {
    await removeCollector(calm, deployment);
    if (mark.readOnly) await makeWritable(calm, deployment);
  });
  await clearCollectionMark(deployment.directory);
}

/** Ends what a killed run left. A command that has other work goes on with it when that is not possible. The caller holds the lock. */
export async function recoverCollection(ports: OperationPorts, directory: string): Promise<void> {
  try {
    await endCollection(ports, await loadDeployment(directory));
    ports.output.note("ended a garbage collection that was interrupted; the registry runs as regctl.yaml says");
  } catch (error) {
    ports.output.warn(
      `a garbage collection was interrupted, and the registry may still take no pushes: ${messageOf(error)}; \`regctl up\` makes it writable`,
    );
  }
}
