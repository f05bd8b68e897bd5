/** A small image with a shell, made from Debian's busybox-static: what tests run when nothing can be pulled. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "../../src/engine/engine.ts";
import { writeTar } from "./tar.ts";

const run = promisify(execFile);

export const BUSYBOX_IMAGE = "regctl-test/busybox:1";

/** Loads the image unless the engine has it; resolves to its reference. Needs a Debian host with an apt mirror. */
export async function ensureBusyboxImage(engine: Engine): Promise<string> {
  if ((await engine.images.inspect(BUSYBOX_IMAGE)) === undefined) {
    const bytes = await busyboxArchive();
    await engine.images.load(
      (async function* () {
        yield bytes;
      })(),
    );
  }
  return BUSYBOX_IMAGE;
}

let archive: Promise<Buffer> | undefined;

/** The image as a `docker save` archive, made once a process. */
export function busyboxArchive(): Promise<Buffer> {
  archive ??= assembleArchive();
  return archive;
}

async function assembleArchive(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "regctl-busybox-"));
  try {
    const layer = await busyboxLayer(folder);
    const diffId = createHash("sha256").update(layer).digest("hex");
    const config = Buffer.from(
      JSON.stringify({
        architecture: process.arch === "x64" ? "amd64" : process.arch,
        os: "linux",
        created: "2026-01-01T00:00:00Z",
        config: {
          Env: ["PATH=/bin"],
          Cmd: ["sh"],
          Labels: { "org.opencontainers.image.title": "busybox" },
        },
        rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] },
        history: [{ created: "2026-01-01T00:00:00Z", created_by: "busybox-static" }],
      }),
    );
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const manifest = [{ Config: configName, RepoTags: [BUSYBOX_IMAGE], Layers: ["layer.tar"] }];
    return writeTar([
      ["manifest.json", Buffer.from(JSON.stringify(manifest))],
      [configName, config],
      ["layer.tar", layer],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function busyboxLayer(folder: string): Promise<Buffer> {
  const busybox = await extractPackage("busybox-static", "bin/busybox", folder);
  const root = join(folder, "root");
  await mkdir(join(root, "bin"), { recursive: true });
  await mkdir(join(root, "tmp"));
  await mkdir(join(root, "etc"));
  await chmod(join(root, "tmp"), 0o1777);
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  await copyFile(busybox, join(root, "bin/busybox"));
  await chmod(join(root, "bin/busybox"), 0o755);
  const { stdout: applets } = await run(busybox, ["--list"]);
  for (const applet of applets.split("\n").filter((name) => name !== "" && name !== "busybox")) {
    await symlink("busybox", join(root, "bin", applet));
  }
  const tar = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", [...tar, "-C", root, "-cf", join(folder, "layer.tar"), "."]);
  return readFile(join(folder, "layer.tar"));
}

/** Downloads a Debian package into the folder, unpacks it there (nothing is installed); the path of one of its files. */
export async function extractPackage(name: string, file: string, folder: string): Promise<string> {
  // apt drops to its own user for the download, which must be able to write there.
  await chmod(folder, 0o777);
  await run("apt-get", ["download", "-q", name], { cwd: folder });
  const deb = (await readdir(folder)).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith(".deb"));
  if (deb === undefined) throw new Error(`apt-get downloaded no ${name}`);
  const unpacked = join(folder, `unpacked-${name}`);
  await run("dpkg-deb", ["-x", join(folder, deb), unpacked]);
  return join(unpacked, file);
}
