/** `insecure-registries` of an engine's daemon.json: what it means, and the text with and without a registry. */
import { RegctlError } from "../errors.ts";

const KEY = "insecure-registries";

export const INSECURE_EXPLANATION = `insecure-registries tells the Docker engine of ONE machine to give up on a registry's certificate:

* it takes any certificate for that name, also an attacker's, and falls back to plain HTTP: whoever is on the way reads the
  password of every login and may answer a pull with an image of their own;
* it helps that one engine alone: podman, skopeo, containerd, Kubernetes, buildx builders in containers, curl and Python
  have switches of their own, and client certificates are no longer sent by Docker Desktop;
* nothing says later that it is on.

It is hardly ever needed. A kit makes each client check the certificate instead, without a restart of the engine:
    regctl trust kit -o kit.sh      (on the client: sudo sh kit.sh)
and a registry that speaks plain HTTP gets a certificate with tls.mode: own-ca in regctl.yaml and \`regctl up\`.

If it has to be, on the machine of the engine:
    regctl trust insecure install --yes      adds the registry to /etc/docker/daemon.json and has the engine read it
    regctl trust insecure remove             takes it out again
`;

export interface DaemonEdit {
  /** What daemon.json is to hold; undefined = it holds that already. */
  readonly text: string | undefined;
  /** Registries that come, or go. */
  readonly changed: readonly string[];
}

function parse(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new RegctlError("precondition-failed", "daemon.json is no JSON: the engine would not start with it again", {
      cause,
      hint: "mend it (python3 -m json.tool /etc/docker/daemon.json names the line), then run this again",
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new RegctlError("precondition-failed", "daemon.json is no JSON object", { hint: "it should begin with {" });
  return parsed as Record<string, unknown>;
}

function listOf(settings: Record<string, unknown>): string[] {
  const list = settings[KEY] ?? [];
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new RegctlError("precondition-failed", `${KEY} in daemon.json is no list of names`, {
    hint: `mend it: "${KEY}": []`,
  });
}

function edited(before: string, settings: Record<string, unknown>, list: readonly string[]): string {
  const indent = /^([ \t]+)"/m.exec(before)?.[1] ?? "  ";
  return `${JSON.stringify({ ...settings, [KEY]: list }, undefined, indent)}\n`;
}

/** daemon.json with these registries in the list; every other key stays as it is. */
export function withInsecure(before: string, registries: readonly string[]): DaemonEdit {
  const settings = parse(before);
  const list = listOf(settings);
  const changed = registries.filter((registry) => !list.includes(registry));
  return { changed, text: changed.length === 0 ? undefined : edited(before, settings, [...list, ...changed]) };
}

/** Without them. The key stays, maybe empty: an engine that reads a file without it keeps the list it had. */
export function withoutInsecure(before: string, registries: readonly string[]): DaemonEdit {
  const settings = parse(before);
  const list = listOf(settings);
  const changed = registries.filter((registry) => list.includes(registry));
  const rest = list.filter((registry) => !changed.includes(registry));
  return { changed, text: changed.length === 0 ? undefined : edited(before, settings, rest) };
}
