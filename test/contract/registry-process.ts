/** Debian's own registry as a process on 127.0.0.1, to pull from. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import bcrypt from "bcryptjs";
import { extractPackage } from "../support/busybox-image.ts";
import { eventually } from "../support/eventually.ts";
import { readTar } from "../support/tar.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { freePort } from "./free-port.ts";

export interface RegistryProcess extends AsyncDisposable {
  /** `127.0.0.1:40123`; engines take plain HTTP from loopback. */
  readonly host: string;
  /** Stores the only image of a `docker save` archive under this name. */
  push(name: string, archive: Buffer): Promise<void>;
}

/** Starts a registry that lets only this user in. */
export async function startRegistry(username: string, password: string): Promise<RegistryProcess> {
  const directory = temporaryDirectory();
  const program = await extractPackage("docker-registry", "usr/bin/docker-registry", directory.path);
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(directory.path, "htpasswd"), `${username}:${await bcrypt.hash(password, 5)}\n`);
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(directory.path, "data") } },
    http: { addr: host },
    auth: { htpasswd: { realm: "test", path: join(directory.path, "htpasswd") } },
  };
  await writeFile(join(directory.path, "config.yml"), JSON.stringify(config));
  const child = spawn(program, ["serve", join(directory.path, "config.yml")], { env: {}, stdio: "ignore" });
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  await eventually(async () => (await fetch(`http://${host}/v2/`, { headers: { authorization } })).ok);
  return {
    host,
    push: (name, archive) => push(`http://${host}/v2/${name}`, archive, authorization),
    async [Symbol.asyncDispose]() {
      await end(child);
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  child.kill();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function push(repository: string, archive: Buffer, authorization: string): Promise<void> {
  const files = readTar(archive);
  const [entry] = JSON.parse(String(files.get("manifest.json")));
  const upload = async (mediaType: string, data: Buffer) => {
    const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
    const begun = await fetch(`${repository}/blobs/uploads/`, { method: "POST", headers: { authorization } });
    const target = new URL(begun.headers.get("location") ?? "", repository);
    target.searchParams.set("digest", digest);
    const stored = await fetch(target, { method: "PUT", headers: { authorization }, body: new Uint8Array(data) });
    if (stored.status !== 201) throw new Error(`upload of ${digest}: ${stored.status}`);
    return { mediaType, digest, size: data.length };
  };
  const config = await upload("application/vnd.docker.container.image.v1+json", files.get(entry.Config) as Buffer);
  const layers = [];
  for (const name of entry.Layers) {
    layers.push(await upload("application/vnd.docker.image.rootfs.diff.tar.gzip", gzipSync(files.get(name) as Buffer)));
  }
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
  const headers = { authorization, "content-type": mediaType };
  const tagged = await fetch(`${repository}/manifests/1`, { method: "PUT", headers, body: manifest });
  if (tagged.status !== 201) throw new Error(`manifest: ${tagged.status} ${await tagged.text()}`);
}
