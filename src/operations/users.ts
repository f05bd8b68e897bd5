/** Users of a deployment: load htpasswd, change one entry, put the file in place. No restart: the registry re-reads it. */
import { join } from "node:path";
import { generatePassword } from "../auth/generate-password.ts";
import {
  checkHtpasswd,
  checkPassword,
  checkUserName,
  type Entry,
  hasEntry,
  hashPassword,
  listEntries,
  removeEntry,
  repeatedNames,
  upsertEntry,
  withoutRepeated,
} from "../auth/htpasswd.ts";
import type { Config } from "../config/config.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { exists, readIfExists, replaceFile } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { type Deployment, loadDeployment, withLock } from "./deployment.ts";
import { directories, runtimeSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";

export interface SetPasswordResult {
  readonly user: string;
  /** Only when none was given. */
  readonly generatedPassword: Secret | undefined;
}

/** The text of auth/htpasswd, "" when there is none; `precondition-failed` when one of its lines locks users out. */
export async function readHtpasswd(directory: string): Promise<string> {
  const text = (await readIfExists(join(directory, FILES.htpasswd))) ?? "";
  requireValid(directory, text);
  return text;
}

function requireValid(directory: string, text: string): void {
  const issues = checkHtpasswd(text);
  if (issues.length === 0) return;
  throw new RegctlError(
    "precondition-failed",
    `${join(directory, FILES.htpasswd)} has lines the registry does not accept; nothing was changed`,
    {
      issues,
      hint: "correct those lines, then run the same command again",
    },
  );
}

/** Why nobody can be called that, or undefined. */
export function userNameProblem(name: string): string | undefined {
  try {
    checkUserName(name);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function requireUsers(config: Config): void {
  if (config.auth.mode === "htpasswd") return;
  throw new RegctlError("precondition-failed", "this deployment has no users: auth.mode is none", {
    hint: "set auth.mode: htpasswd in regctl.yaml, add a user, then run `regctl up`",
  });
}

async function writeHtpasswd(ports: OperationPorts, deployment: Deployment, text: string): Promise<void> {
  const { directory, config } = deployment;
  const change = runtimeSecret(ports, config, FILES.htpasswd, text);
  if (await exists(join(directory, "auth"))) await replaceFile(directory, change);
  else await commitTransaction(directory, { directories: directories(ports, config), files: [change] });
}

async function change(
  ports: OperationPorts,
  directory: string,
  command: string,
  edit: (text: string) => Promise<string>,
): Promise<void> {
  await withLock(ports, directory, command, async () => {
    const deployment = await loadDeployment(directory);
    requireUsers(deployment.config);
    const before = (await readIfExists(join(directory, FILES.htpasswd))) ?? "";
    const after = await edit(before);
    // A fault that goes with the change is none: `passwd` and `rmuser` are how an entry that is no bcrypt hash is mended.
    if (checkHtpasswd(after).length > 0) requireValid(directory, before);
    if (after !== before) await writeHtpasswd(ports, deployment, after);
  });
}

export interface SetPasswordOptions {
  readonly name: string;
  /** undefined = make one up. */
  readonly password: Secret | undefined;
  /** `adduser` refuses a user that exists, `passwd` one that does not. */
  readonly mustExist: boolean;
}

/** Adds a user or changes a password; effective on the next request. */
export async function setPassword(
  ports: OperationPorts,
  directory: string,
  options: SetPasswordOptions,
): Promise<SetPasswordResult> {
  const { name, mustExist } = options;
  checkUserName(name);
  const password = options.password ?? generatePassword();
  checkPassword(password);
  const { config } = await loadDeployment(directory);
  requireUsers(config);
  // Begun before the lock is there: hashing is most of the time, and others need not wait for it.
  const hashing = hashPassword(password, config.auth.bcryptCost);
  hashing.catch(() => undefined);
  await change(ports, directory, `${mustExist ? "passwd" : "adduser"} ${name}`, async (text) => {
    if (mustExist && !hasEntry(text, name)) throw unknownUser(name, text);
    if (!mustExist && hasEntry(text, name))
      throw new RegctlError("conflict", `there already is a user ${name}`, {
        hint: `to change the password: regctl passwd ${name}`,
      });
    return upsertEntry(text, name, await hashing);
  });
  return { user: name, generatedPassword: options.password === undefined ? password : undefined };
}

function unknownUser(name: string, text: string): RegctlError {
  const known = listEntries(text).map((entry) => entry.name);
  return new RegctlError("not-found", `there is no user ${name}`, {
    hint: known.length === 0 ? `regctl adduser ${name}` : `the users are: ${known.join(", ")}`,
  });
}

/** Removes a user; the next request with its password is refused. */
export async function removeUser(ports: OperationPorts, directory: string, name: string): Promise<void> {
  await change(ports, directory, `rmuser ${name}`, async (text) => {
    if (!hasEntry(text, name)) throw unknownUser(name, text);
    return removeEntry(text, name);
  });
}

/** Leaves each user the one line that counts; resolves to whom lines were taken from. */
export async function removeRepeatedUsers(ports: OperationPorts, directory: string): Promise<readonly string[]> {
  let names: readonly string[] = [];
  await change(ports, directory, "doctor --fix", async (text) => {
    names = repeatedNames(text);
    return withoutRepeated(text);
  });
  return names;
}

export async function listUsers(directory: string): Promise<Entry[]> {
  const { config } = await loadDeployment(directory);
  return config.auth.mode === "none" ? [] : listEntries(await readHtpasswd(directory));
}
