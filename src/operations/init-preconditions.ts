/** Everything that could stop `init`, looked at before the first change and reported together. */
import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatBytes } from "../bytes.ts";
import type { Config } from "../config/config.ts";
import { DEPLOYMENT_LABEL, DIRECTORY_LABEL } from "../deployment/labels.ts";
import { containerName, networkName, REGISTRY_SERVICE } from "../deployment/names.ts";
import { listDeployments } from "../deployment/observed.ts";
import { type ErrorCode, type Issue, RegctlError } from "../errors.ts";
import { clockLooksWrong } from "../host/clock.ts";
import { freeSpace } from "../host/disk.ts";
import { exists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { dataFolderProblem } from "./data-folder.ts";
import type { EngineState } from "./ensure-engine.ts";
import type { InitAnswers } from "./init-answers.ts";
import { portProblem } from "./port-problem.ts";
import type { OperationPorts } from "./ports.ts";
import { isDeployment, isMarkedUnfinished } from "./unfinished-init.ts";

/** A failed precondition and the code it would have as an error of its own. */
interface Failure extends Issue {
  readonly code: ErrorCode;
}

interface Subject {
  readonly ports: OperationPorts;
  readonly answers: InitAnswers;
  readonly config: Config;
  readonly engine: EngineState;
  /** The host's engine may be installed or started. */
  readonly mayInstallEngine: boolean;
}

type Precondition = (subject: Subject) => Promise<Failure[]>;

/** An image, its layers and the first pushes; less than this is a full disk in waiting. */
const NEEDED_BYTES = 500 * 1024 * 1024;

async function nearestExisting(path: string): Promise<string> {
  return (await exists(path)) ? path : nearestExisting(dirname(path));
}

const folder: Precondition = async ({ answers }) => {
  const { directory } = answers;
  if (await isDeployment(directory)) {
    return [
      {
        code: "conflict",
        path: "folder",
        message: `${directory} already is a deployment`,
        hint: `regctl --dir ${directory} up, or init another folder`,
      },
    ];
  }
  if (await isMarkedUnfinished(directory)) return [];
  const parent = await nearestExisting(directory);
  if (!(await stat(parent)).isDirectory()) {
    return [
      { code: "precondition-failed", path: "folder", message: `${parent} is a file`, hint: "name another folder" },
    ];
  }
  try {
    await access(parent, constants.W_OK | constants.X_OK);
  } catch {
    return [
      {
        code: "precondition-failed",
        path: "folder",
        message: `${parent} cannot be written by this user`,
        hint: "use sudo, or a folder of your own: regctl init ~/registry",
      },
    ];
  }
  // Beside the state of a killed init they are its own: it had begun to move its files into place.
  const isOurs = parent !== directory || (await exists(join(directory, FILES.state)));
  const strange = isOurs ? [] : (await readdir(directory)).filter((name) => [FILES.compose, "registry"].includes(name));
  return strange.map((name) => ({
    code: "precondition-failed",
    path: "folder",
    message: `${join(directory, name)} exists and would be overwritten`,
    hint: "init an empty folder, or move it away",
  }));
};

const dataFolder: Precondition = async ({ config }) => {
  const problem = await dataFolderProblem(config.data);
  const hint = "give the images a folder of their own: --data /big/disk/registry";
  return problem === undefined ? [] : [{ code: "precondition-failed", path: "data", message: problem, hint }];
};

const disk: Precondition = async ({ answers, config }) => {
  const places = [...new Set([await nearestExisting(answers.directory), await nearestExisting(config.data)])];
  const failures: Failure[] = [];
  for (const place of places) {
    const space = await freeSpace(place);
    if (space.bytesFree < NEEDED_BYTES) {
      failures.push({
        code: "precondition-failed",
        path: "disk",
        message: `${formatBytes(space.bytesFree)} free at ${place}, ${formatBytes(NEEDED_BYTES)} needed`,
        hint: "free some space, or keep the images elsewhere: --data /big/disk/registry",
      });
    }
    if (space.inodesTotal > 0 && space.inodesFree < 10_000) {
      failures.push({
        code: "precondition-failed",
        path: "disk",
        message: `${space.inodesFree} inodes free at ${place}; every layer takes several`,
        hint: "remove small files, or keep the images elsewhere: --data",
      });
    }
  }
  return failures;
};

const clock: Precondition = async ({ ports }) => {
  const problem = clockLooksWrong(ports.now());
  return problem === undefined
    ? []
    : [
        {
          code: "precondition-failed",
          path: "clock",
          message: problem,
          hint: "set the clock, certificates are valid from now on: timedatectl set-ntp true",
        },
      ];
};

const flock: Precondition = async ({ ports }) => {
  const found = await ports.run("flock", ["--version"]).then(
    () => true,
    () => false,
  );
  return found
    ? []
    : [
        {
          code: "precondition-failed",
          path: "host",
          message: "the flock command is missing",
          hint: "install util-linux",
        },
      ];
};

const port: Precondition = async ({ answers, config, engine }) => {
  if (!answers.start) return [];
  const problem = await portProblem(engine.kind === "answers" ? engine.engine : undefined, config, answers.directory);
  return problem === undefined ? [] : [problem];
};

const names: Precondition = async ({ engine, answers, config }) => {
  if (engine.kind !== "answers") return [];
  const failures: Failure[] = [];
  const name = containerName(config.name, REGISTRY_SERVICE);
  const container = await engine.engine.containers.inspect(name);
  const isOurs = (labels: Readonly<Record<string, string>>) =>
    labels[DEPLOYMENT_LABEL] === config.name && labels[DIRECTORY_LABEL] === answers.directory;
  if (container !== undefined && !isOurs(container.labels)) {
    failures.push({
      code: "conflict",
      path: "name",
      message: `a container called ${name} exists already`,
      hint: `choose another name: --name ${config.name}-2`,
    });
  }
  const same = (await listDeployments(engine.engine)).find(
    (deployment) => deployment.name === config.name && deployment.directory !== answers.directory,
  );
  if (same !== undefined) {
    failures.push({
      code: "conflict",
      path: "name",
      message: `a deployment called ${config.name} exists already, in ${same.directory}`,
      hint: `choose another name: --name ${config.name}-2`,
    });
  }
  const network = await engine.engine.networks.inspect(networkName(config.name));
  if (network !== undefined && network.labels[DEPLOYMENT_LABEL] !== config.name) {
    failures.push({
      code: "conflict",
      path: "name",
      message: `a network called ${network.name} exists already`,
      hint: `choose another name: --name ${config.name}-2`,
    });
  }
  return failures;
};

const engineUsable: Precondition = async ({ engine, answers, mayInstallEngine }) => {
  if (!answers.start || engine.kind === "answers") return [];
  if (engine.kind === "unusable")
    return [
      {
        code: engine.error.code,
        path: "engine",
        message: engine.error.message,
        ...(engine.error.hint === undefined ? {} : { hint: engine.error.hint }),
      },
    ];
  if (engine.kind === "stopped" && !mayInstallEngine) {
    return [
      {
        code: "engine-unreachable",
        path: "engine",
        message: engine.error.message,
        ...(engine.error.hint === undefined ? {} : { hint: engine.error.hint }),
      },
    ];
  }
  if (engine.kind === "missing" && !(engine.canInstall && mayInstallEngine)) {
    return [
      {
        code: "engine-unreachable",
        path: "engine",
        message: "there is no Docker engine on this host",
        hint: `${engine.canInstall ? "pass --install-engine, or run" : "run"}: ${engine.steps.join(" && ")}`,
      },
    ];
  }
  return [];
};

const PRECONDITIONS: readonly Precondition[] = [folder, dataFolder, disk, clock, flock, engineUsable, port, names];

/** What keeps a check from looking is a failure like any other. */
async function failuresOf(check: Precondition, subject: Subject): Promise<Failure[]> {
  try {
    return await check(subject);
  } catch (error) {
    if (!(error instanceof RegctlError) || error.code === "interrupted" || error.code === "terminated") throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return [{ code: error.code, path: "host", message: error.message, ...hint }];
  }
}

/** Throws one error with every failure; its code is theirs when they share one exit code, else `precondition-failed`. */
export async function checkPreconditions(subject: Subject): Promise<void> {
  const failures = (await Promise.all(PRECONDITIONS.map((check) => failuresOf(check, subject)))).flat();
  const [first] = failures;
  if (first === undefined) return;
  const sameKind = failures.every(
    (failure) => new RegctlError(failure.code, "").exitCode === new RegctlError(first.code, "").exitCode,
  );
  throw new RegctlError(sameKind ? first.code : "precondition-failed", "this host is not ready; nothing was changed", {
    issues: failures.map(({ code: _, ...issue }) => issue),
    hint: "correct what is listed, then run the same command again",
  });
}
