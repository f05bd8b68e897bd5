/** A resolved configuration and what is rendered from it, for the tests of this folder. */
import { load } from "js-yaml";
import { parseConfig } from "../../../src/config/parse.ts";
import { type DesiredInput, type DesiredState, desiredState } from "../../../src/deployment/desired.ts";
import { Secret } from "../../../src/secret.ts";

export const DIRECTORY = "/srv/acme";
export const HTTP_SECRET = "5ec4e7".repeat(10);

export function desiredOf(text: string, change: Partial<DesiredInput> = {}): DesiredState {
  const parsed = parseConfig({ text, directory: DIRECTORY, defaultUser: { uid: 1000, gid: 1000 } });
  if (parsed.config === undefined) throw new Error(JSON.stringify(parsed.issues));
  return desiredState({
    config: parsed.config,
    directory: DIRECTORY,
    httpSecret: new Secret(HTTP_SECRET),
    certificateFingerprint: "f".repeat(32),
    hidesAuthorityKey: true,
    ...change,
  });
}

export function fileOf(desired: DesiredState, path: "compose.yaml" | "registry/config.yml"): string {
  return desired.files.find((file) => file.path === path)?.content ?? "";
}

/** distribution's config.yml as rendered, read back. */
export function registryConfigOf(text: string): Record<string, never> {
  return load(fileOf(desiredOf(text), "registry/config.yml")) as Record<string, never>;
}
