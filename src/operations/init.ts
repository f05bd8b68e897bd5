/** From answers to a registry one can push to. Whatever stops it, the same command goes on or begins anew without loss. */
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { generatePassword } from "../auth/generate-password.ts";
import { checkPassword, checkUserName, hashPassword, upsertEntry } from "../auth/htpasswd.ts";
import { type Config, registryUrl } from "../config/config.ts";
import { DEPLOYMENT_LABEL, DIRECTORY_LABEL } from "../deployment/labels.ts";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import { type Change, renderChanges } from "../deployment/plan.ts";
import type { Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { unprivilegedUid } from "../host/system-user.ts";
import { canonicalPath, exists, type FileChange } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { type CertificateFiles, issueCertificate, readCertificateFiles, reasonToIssue } from "./certificates.ts";
import { parseConfigText, withLock } from "./deployment.ts";
import { type EngineState, ensureEngine, lookAtEngine } from "./ensure-engine.ts";
import { newHttpSecret, secretsFileText } from "./http-secret.ts";
import { configText, type InitAnswers } from "./init-answers.ts";
import { checkPreconditions } from "./init-preconditions.ts";
import { type ImageSource, obtainImage } from "./obtain-image.ts";
import { directories, ownSecret, publicFile, runtimeSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { acceptProvided } from "./provided-certificate.ts";
import { render, writeRendered } from "./render.ts";
import { clearUnfinishedMark, isDeployment, unfinishedMark } from "./unfinished-init.ts";
import { bringUp } from "./up.ts";
import { readHtpasswd } from "./users.ts";
import { withStep } from "./with-step.ts";

export interface InitResult {
  readonly directory: string;
  readonly config: Config;
  readonly url: string;
  readonly user: string | undefined;
  /** Only when regctl made it up: the one time it can be shown. */
  readonly generatedPassword: Secret | undefined;
  /** What clients have to trust; undefined with a public certificate or none. */
  readonly authorityFile: string | undefined;
  readonly image: string;
  readonly imageSource: ImageSource | "not fetched";
  readonly containers: readonly string[];
}

/** Images that are there already belong to somebody; the registry runs as them. Root's new folders get an unprivileged owner. */
async function runtimeUser(ports: OperationPorts, data: string): Promise<Config["user"]> {
  const entries = await readdir(data).catch(() => [] as string[]);
  if (entries.length > 0) {
    const { uid, gid } = await stat(data);
    if (uid === 0)
      ports.output.warn(
        `${data} holds files of root, so the registry runs as root; chown -R it to another user and set user: to change that`,
      );
    return { uid, gid };
  }
  if (!ports.isRoot) return { uid: ports.userId, gid: ports.groupId };
  const uid = unprivilegedUid();
  return { uid, gid: uid };
}

async function users(
  ports: OperationPorts,
  answers: InitAnswers,
  config: Config,
  password: Secret,
): Promise<FileChange[]> {
  if (config.auth.mode === "none") return [];
  const { directory, firstUser } = answers;
  return withStep(ports.progress, `add user ${firstUser}`, async () => {
    const hash = await hashPassword(password, config.auth.bcryptCost);
    const existing = await readHtpasswd(directory);
    return { value: [runtimeSecret(ports, config, FILES.htpasswd, upsertEntry(existing, firstUser, hash))] };
  });
}

async function certificateFiles(
  ports: OperationPorts,
  answers: InitAnswers,
  config: Config,
  existing: CertificateFiles,
): Promise<{ files: FileChange[]; hasAuthority: boolean }> {
  if (config.tls.mode === "none") return { files: [], hasAuthority: false };
  if (answers.provided !== undefined) {
    const accepted = await acceptProvided(ports, config, answers.provided);
    return {
      hasAuthority: accepted.authorityPem !== undefined,
      files: [
        runtimeSecret(ports, config, FILES.key, accepted.keyPem.reveal()),
        publicFile(FILES.certificate, accepted.certificatePem),
        ...(accepted.authorityPem === undefined ? [] : [publicFile(FILES.authorityCertificate, accepted.authorityPem)]),
      ],
    };
  }
  if ((await reasonToIssue(config, existing, ports.now())) === undefined) return { files: [], hasAuthority: true };
  return withStep(
    ports.progress,
    existing.authorityPem === undefined ? "make a certificate authority and certificate" : "issue a certificate",
    async () => {
      const issued = await issueCertificate(ports, config, existing);
      return { value: { files: issued.files, hasAuthority: true } };
    },
  );
}

/** An interrupted `init` under another name left containers of this folder; nothing else would find them again. */
async function removeForeignNames(engine: Engine, directory: string, name: string): Promise<void> {
  for (const container of await engine.containers.list({ [DIRECTORY_LABEL]: directory })) {
    if (container.labels[DEPLOYMENT_LABEL] !== name) await engine.containers.remove(container.id, { force: true });
  }
}

interface Prepared {
  readonly config: Config;
  readonly files: readonly FileChange[];
  readonly text: string;
  readonly password: Secret;
  readonly hasAuthority: boolean;
}

async function prepare(ports: OperationPorts, answers: InitAnswers, image: string): Promise<Prepared> {
  const { directory } = answers;
  const user = await runtimeUser(ports, resolve(directory, answers.data));
  const text = await configText(answers, image, user);
  const { config } = await parseConfigText(directory, text);
  const password = answers.password ?? generatePassword();
  const existing = await readCertificateFiles(directory);
  const certificate = await certificateFiles(ports, answers, config, existing);
  const files = [
    // First: from here on the folder is an unfinished init, and the next one may take it over.
    unfinishedMark(text),
    ownSecret(FILES.secrets, secretsFileText(newHttpSecret())),
    ...certificate.files,
    ...(await users(ports, answers, config, password)),
    // It may come to hold a password: of a redis, an object store.
    ownSecret(FILES.config, text),
  ];
  return { config, files, text, password, hasAuthority: certificate.hasAuthority };
}

/** Checks what can be checked without touching anything: every wrong answer is an issue of one error. */
async function checkAnswers(ports: OperationPorts, answers: InitAnswers): Promise<Config> {
  if (answers.authMode === "htpasswd") {
    checkUserName(answers.firstUser);
    if (answers.password !== undefined) checkPassword(answers.password);
  }
  const user = await runtimeUser(
    { ...ports, output: { ...ports.output, warn: () => undefined } },
    resolve(answers.directory, answers.data),
  );
  const { parseConfig } = await import("../config/parse.ts");
  const text = await configText(answers, answers.image, user);
  const result = parseConfig({ text, directory: answers.directory, defaultUser: user });
  if (result.config === undefined) {
    throw new RegctlError("config-invalid", "these settings do not fit; nothing was changed", {
      // The line is one of a file that does not exist yet.
      issues: result.issues.map(({ line: _, ...issue }) => issue),
      hint: "correct the flags, then run the same command again",
    });
  }
  if (answers.provided !== undefined) await acceptProvided(ports, result.config, answers.provided);
  return result.config;
}

async function mayChangeHost(answers: InitAnswers, state: EngineState): Promise<boolean> {
  if (state.kind === "missing")
    return (
      state.canInstall &&
      answers.mayInstallEngine("There is no Docker engine. Install docker.io with apt-get and start it?")
    );
  return (
    state.kind === "stopped" && answers.mayInstallEngine("The Docker engine is installed but not running. Start it?")
  );
}

async function refuseFinished(directory: string): Promise<void> {
  if (!(await isDeployment(directory))) return;
  throw new RegctlError("conflict", `another command made ${directory} a deployment meanwhile`, {
    hint: `regctl --dir ${directory} status`,
  });
}

/** Before the first file was committed only the lock and the journal are there; they go, and the folder when it is empty then. */
async function leaveNothing(directory: string): Promise<void> {
  if (await exists(join(directory, FILES.config))) return;
  await rm(join(directory, FILES.state), { recursive: true, force: true });
  await rmdir(directory).catch(() => undefined);
}

/** Runs `init`; the result, which holds a generated password and is shown nowhere else, goes to `show`. */
export async function initialise(
  ports: OperationPorts,
  given: InitAnswers,
  show: (result: InitResult) => void,
): Promise<void> {
  const answers = { ...given, directory: await canonicalPath(given.directory) };
  const { directory } = answers;
  const config = await checkAnswers(ports, answers);
  const state = await lookAtEngine(ports);
  const mayInstallEngine = answers.start && (await mayChangeHost(answers, state));
  await withStep(ports.progress, "check this host", async () => {
    await checkPreconditions({ ports, answers, config, engine: state, mayInstallEngine });
    return { value: undefined };
  });
  const engine = answers.start ? await ensureEngine(ports, state) : undefined;
  const image =
    engine === undefined
      ? undefined
      : await obtainImage(ports, engine, { reference: answers.image, offline: answers.offline });

  await withLock(ports, directory, "init", async () => {
    await refuseFinished(directory);
    const reference = image?.reference ?? answers.image;
    const prepared = await prepare(ports, answers, reference).catch(async (error: unknown) => {
      await leaveNothing(directory);
      throw error;
    });
    await commitTransaction(directory, { directories: directories(ports, prepared.config), files: prepared.files });
    const credentials =
      prepared.config.auth.mode === "none" ? undefined : { username: answers.firstUser, password: prepared.password };
    const deployment = { directory, config: prepared.config, text: prepared.text };
    if (engine === undefined) await writeRendered(ports, deployment, await render(ports, deployment));
    else {
      await removeForeignNames(engine, directory, prepared.config.name);
      const onChanges = (changes: readonly Change[]) => ports.output.note(renderChanges(changes));
      await bringUp(ports, deployment, { dryRun: false, offline: answers.offline, credentials, onChanges });
    }
    show({
      directory,
      config: prepared.config,
      url: registryUrl(prepared.config),
      user: credentials?.username,
      generatedPassword: answers.password === undefined && credentials !== undefined ? prepared.password : undefined,
      authorityFile: prepared.hasAuthority ? join(directory, FILES.authorityCertificate) : undefined,
      image: reference,
      imageSource: image?.source ?? "not fetched",
      containers: engine === undefined ? [] : [containerName(prepared.config.name, REGISTRY_SERVICE)],
    });
    // Still under the lock: another init that waits for it must find a deployment, not an init to take over.
    await clearUnfinishedMark(directory);
  });
}
