/** Gathers what the checks of a deployment look at: each part when it is first asked for, and once. Changes nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { daysGivenUp } from "../collect/fsck-uploads.ts";
import { readEntries } from "../collect/trash-entry.ts";
import type { Config } from "../config/config.ts";
import { foreignStorageDriver } from "../config/registry-config.ts";
import { whatChanged } from "../deployment/changed-keys.ts";
import { configurationLabel } from "../deployment/desired.ts";
import { CONFIGURATION_LABEL, DEPLOYMENT_LABEL, DIRECTORY_LABEL, SERVICE_LABEL } from "../deployment/labels.ts";
import { REGISTRY_SERVICE } from "../deployment/names.ts";
import type {
  DeploymentFacts,
  DiskFacts,
  EditedFile,
  Interruptions,
  StaleUploads,
} from "../doctor/deployment-facts.ts";
import type { Engine, ObservedContainer } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { freeSpace } from "../host/disk.ts";
import { activeFirewall } from "../host/firewall.ts";
import { isMountedReadOnly } from "../host/mounts.ts";
import { readNetwork } from "../host/routes.ts";
import { lastLines } from "../last-lines.ts";
import { systemRoots } from "../probe/system-roots.ts";
import { exists, readIfExists } from "../project/files.ts";
import { isLocked } from "../project/lock.ts";
import { FILES } from "../project/paths.ts";
import { REPOSITORIES, uploadsFolder } from "../storage/layout.ts";
import { namesIn, walkRepositories } from "../storage/repositories.ts";
import { readCollectionMark } from "./collection-mark.ts";
import { type Deployment, lastValidConfig, loadDeployment } from "./deployment.ts";
import { certificateContents, presentFiles, readAudit } from "./deployment-files.ts";
import { deploymentMends } from "./deployment-mends.ts";
import {
  daemonConfiguration,
  engineAboutRegistry,
  isClockSynchronized,
  isRenewalScheduled,
  ownEngineProcess,
  resolvedNames,
  selinuxType,
  silentMirrors,
} from "./host-facts.ts";
import { observeOwn } from "./observe-own.ts";
import { portProblem } from "./port-problem.ts";
import type { OperationPorts } from "./ports.ts";
import { servedAnswer } from "./served-answer.ts";
import { isMarkedUnfinished } from "./unfinished-init.ts";
import { type Proposal, propose } from "./up.ts";

/** Read when it is first asked for; everybody gets the same answer, or the same error. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= read();
    return answer;
  };
}

async function interruptions(directory: string): Promise<Interruptions> {
  const [isHeld, journal, init, mark] = await Promise.all([
    isLocked(directory),
    readdir(join(directory, FILES.journal)).catch(() => [] as string[]),
    isMarkedUnfinished(directory),
    readCollectionMark(directory),
  ]);
  return {
    isIdle: !isHeld,
    transaction: journal.some((entry) => !entry.endsWith(".tmp")),
    init,
    readOnlySince: mark?.readOnly === true ? mark.since : undefined,
  };
}

/** On disk neither what regctl.yaml says nor what the container was started with. */
async function editedFiles(
  directory: string,
  { desired }: Proposal,
  container: ObservedContainer | undefined,
): Promise<EditedFile[]> {
  const edited = await Promise.all(
    desired.files.map(async ({ path, content }): Promise<EditedFile[]> => {
      const onDisk = await readIfExists(join(directory, path));
      if (path !== FILES.registryConfig || onDisk === undefined || onDisk === content || container === undefined)
        return [];
      if (configurationLabel(onDisk) === container.labels[CONFIGURATION_LABEL]) return [];
      return [{ path, because: whatChanged(onDisk, content) }];
    }),
  );
  return edited.flat();
}

async function disks(
  directory: string,
  config: Config | undefined,
  engineFolder: string | undefined,
): Promise<DiskFacts[]> {
  const isLocal = config !== undefined && foreignStorageDriver(config) === undefined;
  const paths = [...(isLocal ? [config.data] : []), directory, ...(engineFolder === undefined ? [] : [engineFolder])];
  const found: DiskFacts[] = [];
  for (const path of paths) {
    if (!(await exists(path).catch(() => false))) continue;
    const space = await freeSpace(path);
    // Two folders of one file system tell the same to the byte.
    if (found.some((one) => JSON.stringify(one.space) === JSON.stringify(space))) continue;
    found.push({ path, space, isReadOnly: await isMountedReadOnly(path) });
  }
  return found;
}

const UPLOADS_WITHIN_MS = 500;
const REPOSITORIES_A_TURN = 64;

/** As many repositories as can be looked at in the time: a doctor is called often. */
async function staleUploads(data: string, nowMs: number): Promise<StaleUploads> {
  const deadline = performance.now() + UPLOADS_WITHIN_MS;
  let count = 0;
  let seen = 0;
  for (const { name, parts } of walkRepositories(`${data}/${REPOSITORIES}`)) {
    seen += 1;
    if (seen % REPOSITORIES_A_TURN === 0) await setImmediate();
    if (performance.now() > deadline) return { count, isPartial: true };
    if (!parts.includes("_uploads")) continue;
    const folder = uploadsFolder(`${data}/${REPOSITORIES}/${name}`);
    count += namesIn(folder).filter((id) => daysGivenUp(`${folder}/${id}`, nowMs) !== undefined).length;
  }
  return { count, isPartial: false };
}

function isInvalid(error: unknown): error is RegctlError {
  return error instanceof RegctlError && error.code === "config-invalid";
}

const LOG_LINES = 400;
/** A registry that ends soon after its start has said why by then. */
const SAYS_WHY_WITHIN_MS = 1000;

async function logOf(
  ports: OperationPorts,
  engine: Engine,
  container: ObservedContainer | undefined,
): Promise<string[]> {
  if (container === undefined || container.startedAt === "") return [];
  // One that ends again and again has, at times, only just been started.
  const age = ports.now().getTime() - Date.parse(container.startedAt);
  if (container.restartCount > 0 && age >= 0 && age < SAYS_WHY_WITHIN_MS)
    await setTimeout(SAYS_WHY_WITHIN_MS - age, undefined, { signal: ports.signal });
  const chunks: Buffer[] = [];
  const options = { follow: false, tail: LOG_LINES, since: container.startedAt, signal: ports.signal };
  for await (const line of engine.containers.logs(container.id, options)) chunks.push(line.data);
  return lastLines(Buffer.concat(chunks).toString("utf8"), LOG_LINES);
}

async function portHolders(
  ports: OperationPorts,
  engine: Engine,
  { config, directory }: Pick<Deployment, "config" | "directory">,
  own: ObservedContainer | undefined,
): Promise<string[]> {
  const every = new Set(["0.0.0.0", "::"]);
  const clashes = (container: ObservedContainer): boolean =>
    container.ports.some(
      ({ hostPort, hostAddress }) =>
        hostPort === config.port && (hostAddress === config.bind || every.has(hostAddress) || every.has(config.bind)),
    );
  const deployments = await engine.containers.list({ [DEPLOYMENT_LABEL]: true }, { signal: ports.signal });
  const others = deployments.filter(({ labels }) => labels[DIRECTORY_LABEL] !== directory).filter(clashes);
  if (others.length > 0) return others.map(({ name, labels }) => `${name} of ${labels[DIRECTORY_LABEL]}`);
  if (own?.state === "running") return [];
  const problem = await portProblem(engine, config, directory);
  return problem?.path === "port" ? [problem.message.replace(/^.* is taken by /, "")] : [];
}

/** What a deployment's checks are handed; `directory` is absolute. */
export function deploymentFacts(ports: OperationPorts, directory: string): DeploymentFacts {
  const { signal } = ports;
  const deployment = once(() => loadDeployment(directory));
  const config = once(async () => {
    try {
      return (await deployment()).config;
    } catch (error) {
      const last = isInvalid(error) ? await lastValidConfig(directory) : undefined;
      if (last === undefined) throw error;
      return last;
    }
  });
  const configIfValid = () => config().catch(() => undefined);
  const engine = once(() => ports.engine());
  const containers = once(async () => {
    const observed = await observeOwn(ports, await engine(), { directory, config: await config() });
    const isRegistry = ({ labels }: ObservedContainer) => labels[SERVICE_LABEL] === REGISTRY_SERVICE;
    return [...observed.containers.filter(isRegistry), ...observed.containers.filter((one) => !isRegistry(one))];
  });
  const registry = async () => (await containers())[0];
  const ownProcess = once(async () => ownEngineProcess((await engine()).info));
  const engineDetails = once(async () => (await engine()).inspection.details({ signal }));
  const proposal = once(async () => propose(ports, await engine(), await deployment()));
  const localData = async (): Promise<string | undefined> => {
    const known = await config();
    return foreignStorageDriver(known) === undefined ? known.data : undefined;
  };
  return {
    now: ports.now(),
    directory,
    isRoot: ports.isRoot,
    mends: deploymentMends(ports, directory),
    config,
    configurationIssues: once(async () => {
      try {
        await deployment();
        return [];
      } catch (error) {
        if (!isInvalid(error)) throw error;
        return error.issues.length > 0 ? error.issues : [{ path: "", message: error.message }];
      }
    }),
    certificates: once(() => certificateContents(directory)),
    files: once(async () => presentFiles(directory, await configIfValid())),
    htpasswd: once(() => readIfExists(join(directory, FILES.htpasswd))),
    interruptions: once(() => interruptions(directory)),
    editedFiles: once(async () => editedFiles(directory, await proposal(), await registry())),
    changes: async () => (await proposal()).changes,
    audit: once(() => readAudit(directory)),
    disks: once(async () =>
      disks(
        directory,
        await configIfValid(),
        await engineDetails().then(
          ({ rootFolder }) => rootFolder,
          () => undefined,
        ),
      ),
    ),
    trash: once(async () => {
      const data = await localData();
      if (data === undefined) return [];
      return readEntries({ root: data, name: data }).map(({ expires, bytes, ...entry }) => ({
        ...entry,
        expires: new Date(expires),
        bytes,
      }));
    }),
    staleUploads: once(async () => {
      const data = await localData();
      return data === undefined ? { count: 0, isPartial: false } : staleUploads(data, ports.now().getTime());
    }),
    engine: async () => (await engine()).info,
    engineDetails,
    containers,
    settings: once(async () => {
      const own = await registry();
      return own === undefined ? undefined : (await engine()).inspection.settings(own.id, { signal });
    }),
    log: once(async () => logOf(ports, await engine(), await registry())),
    portHolders: once(async () =>
      portHolders(ports, await engine(), { directory, config: await config() }, await registry()),
    ),
    served: once(async () => servedAnswer(await config(), signal)),
    dockerNetworks: once(async () => (await engine()).inspection.networks({ signal })),
    silentMirrors: once(async () => silentMirrors(await engineDetails())),
    names: once(async () => resolvedNames(await config())),
    network: once(() => readNetwork()),
    firewall: once(() => activeFirewall()),
    daemonConfiguration: once(async () =>
      daemonConfiguration(
        ports,
        await engineDetails().catch(() => undefined),
        await ownProcess().catch(() => undefined),
      ),
    ),
    engineOptions: async () => (await ownProcess())?.options,
    systemAuthorities: once(() => systemRoots()),
    engineAboutRegistry: once(async () => engineAboutRegistry(await engine(), await config(), signal)),
    isClockSynchronized: once(() => isClockSynchronized(ports)),
    isRenewalScheduled: once(() => isRenewalScheduled(ports, directory)),
    selinuxType: once(async () => selinuxType(ports, (await localData()) ?? directory)),
  };
}
