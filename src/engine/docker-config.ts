/** The folder of docker's client configuration. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";

/** The parts of `config.json` regctl obeys. */
export interface DockerConfig {
  readonly currentContext?: string;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly auths?: Readonly<Record<string, AuthEntry>>;
}

/** One entry of `auths`; empty when a credential store keeps the secret. */
export interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** `$DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigDirectory(environment: NodeJS.ProcessEnv, homeDirectory: string): string {
  return environment.DOCKER_CONFIG || join(homeDirectory, ".docker");
}

/** `config.json` of that folder, `{}` when there is none; `config-invalid` when it cannot be read. */
export function readDockerConfig(directory: string): DockerConfig {
  const path = join(directory, "config.json");
  const text = readIfPresent(path);
  return text === undefined ? {} : parseDockerConfig(text, path);
}

/** The text of a `config.json`; `origin` names it in the error. */
export function parseDockerConfig(text: string, origin: string): DockerConfig {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // JSON.parse quotes the text in its message, and the text may hold secrets.
  }
  throw new RegctlError("config-invalid", `${origin} is not a JSON object`, {
    hint: "repair it, or point DOCKER_CONFIG to another folder",
  });
}

/** The text of a file, undefined when it does not exist; `config-invalid` when it cannot be read. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new RegctlError("config-invalid", `cannot read ${path}: ${messageOf(error)}`, {
      hint: "correct its permissions, or point DOCKER_CONFIG to another folder",
      cause: error,
    });
  }
}
