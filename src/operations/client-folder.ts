/** The folder a client certificate is handed over in: what it may replace, and what it holds. */
import { chmod, mkdir, open, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RegctlError } from "../errors.ts";
import { fileError } from "../project/files.ts";

/** As certs.d wants them (docker, podman, containerd): a pair has one name and these ends, authorities end in .crt. */
export const CLIENT_FILES = {
  certificate: "client.cert",
  key: "client.key",
  authority: "ca.crt",
  container: "client.p12",
  readme: "README",
} as const;

const NAMES: readonly string[] = Object.values(CLIENT_FILES);

/** Fingerprint of the certificate in a folder; undefined when there is none that can be read. */
async function fingerprintIn(folder: string): Promise<string | undefined> {
  const { readCertificate } = await import("../pki/pem.ts");
  try {
    return readCertificate(await readFile(join(folder, CLIENT_FILES.certificate), "utf8")).fingerprint256;
  } catch {
    return undefined;
  }
}

/**
 * Refuses a place with anything in it but what an interrupted run of ours left there: files of ours, with a certificate that
 * never got into the register (`known`: fingerprints of those that did).
 */
export async function requireFreeFolder(folder: string, known: ReadonlySet<string>, userId: number): Promise<void> {
  const refuse = (why: string): RegctlError =>
    new RegctlError("conflict", `${folder} ${why}`, { hint: "name another folder: -o FOLDER" });
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw refuse("is not a folder");
  if (found.uid !== userId || (found.mode & 0o022) !== 0) throw refuse("can be written to by others");
  const entries = await readdir(folder);
  if (entries.length === 0) return;
  if (entries.some((entry) => !NAMES.includes(entry))) throw refuse("has other files in it");
  const fingerprint = await fingerprintIn(folder);
  if (fingerprint === undefined || known.has(fingerprint)) throw refuse("holds a client certificate already");
}

/** Writes the files, 0600 in a folder of 0700, over what `requireFreeFolder` let pass. All of them or none. */
export async function writeClientFolder(folder: string, files: ReadonlyMap<string, string | Buffer>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    for (const name of NAMES) await rm(join(folder, name), { force: true });
    for (const [name, content] of files) {
      const handle = await open(join(folder, name), "wx", 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  } catch (error) {
    await removeClientFolder(folder);
    throw fileError(error, `write to ${folder}`);
  }
}

/** Takes back what `writeClientFolder` wrote; never fails. */
export async function removeClientFolder(folder: string): Promise<void> {
  for (const name of NAMES) await rm(join(folder, name), { force: true }).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}

/** Where the files go on the client's machine; `registry` as it stands in image names. */
export function clientReadme(name: string, registry: string, notAfter: string, hasAuthority: boolean): string {
  const files = `${hasAuthority ? `${CLIENT_FILES.authority} ` : ""}${CLIENT_FILES.certificate} ${CLIENT_FILES.key}`;
  const into = (folder: string): string => `sudo mkdir -p ${folder} && sudo install -m 600 ${files} ${folder}/`;
  const trust = hasAuthority ? `--cacert ${CLIENT_FILES.authority} ` : "";
  return `Client certificate of ${name} for the registry ${registry}, valid until ${notAfter}.
Whoever has these files can show it: copy them by a safe way, and remove them here.

docker, containerd (no restart):
  ${into(`/etc/docker/certs.d/${registry}`)}
podman, buildah, skopeo:
  ${into(`/etc/containers/certs.d/${registry}`)}
curl:
  curl ${trust}--cert ${CLIENT_FILES.certificate} --key ${CLIENT_FILES.key} -u USER https://${registry}/v2/

The password is needed as well: docker login ${registry}
`;
}
