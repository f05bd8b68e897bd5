import type { ClientMachine } from "./client-machine.ts";

/** Where a kit may write; what programs note there by themselves (caches, dpkg about its triggers) is not looked at. */
const FOLDERS = "/etc /usr/local /usr/lib/jvm /opt /root /home /var/lib";
const NOT = [
  "/var/lib/docker",
  "/var/lib/containerd",
  "/var/lib/containers",
  "/var/lib/dpkg",
  "/var/lib/ca-certificates-java",
  "/etc/cni",
];

/** A line for every file, link and folder there: kind, mode, owner, time, name, target and content. Links have no time of ours. */
export async function machineFiles(machine: ClientMachine): Promise<string[]> {
  const prune = NOT.map((path) => `-path ${path} -prune -o`).join(" ");
  const script = `
    find ${FOLDERS} ${prune} \\( -type d -printf '%y %m %U:%G %T@ %p\\n' \\) -o \\( -type l -printf '%y %p -> %l\\n' \\) 2>/dev/null
    find ${FOLDERS} ${prune} -type f -printf '%y %m %U:%G %T@ %p\\n' 2>/dev/null
    find ${FOLDERS} ${prune} -type f -print0 2>/dev/null | xargs -0 sha256sum`;
  const { stdout } = await machine.sh(script);
  // podman makes and removes something in root's home.
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith(" /root"))
    .sort();
}

/** What is in one list and not in the other. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  const [were, are] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !are.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !were.has(line)).map((line) => `+ ${line}`),
  ];
}
