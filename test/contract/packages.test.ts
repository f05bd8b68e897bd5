import { execFile } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CommandResult, runCommand } from "../../src/host/command.ts";
import { type AssembledImage, assembleImage } from "../../src/packages/assemble.ts";
import { type ImageRecipe, registryRecipe } from "../../src/packages/recipe.ts";

const REPOSITORY = root();
const PREFIX = `regctl-packages-test-${process.pid}`;
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const CONTAINER_USER = 65532;
/** A name of its own, so that nobody's images are replaced. */
const recipe: ImageRecipe = { ...registryRecipe, repository: `${PREFIX}/registry` };

let directory: string;
let image: AssembledImage;
const containers: string[] = [];

function root(): string {
  return resolve(dirname(fileURLToPath(import.meta.url)), "../..");
}

async function docker(...args: readonly string[]): Promise<CommandResult> {
  return runCommand("docker", args, { env: { HOME: directory } });
}

async function mustDocker(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await docker(...args);
  expect(stderr, stdout).toBe("");
  expect(exitCode).toBe(0);
  return stdout.trim();
}

/** Starts a container with a published port; resolves to its name and the port on loopback. */
async function start(name: string, args: readonly string[]): Promise<{ name: string; port: number }> {
  const full = `${PREFIX}-${name}`;
  containers.push(full);
  await mustDocker("run", "--detach", "--name", full, "--publish", "127.0.0.1::5000", ...args);
  const port = Number((await mustDocker("port", full, "5000/tcp")).split(":").at(-1));
  return { name: full, port };
}

async function untilAnswers(url: string): Promise<void> {
  // A connection made before the container listens may never be answered.
  const ask = async () => expect((await fetch(url, { signal: AbortSignal.timeout(2000) })).status).toBe(200);
  await vi.waitFor(ask, { timeout: 60_000, interval: 50 });
}

async function hardened(configuration: string): Promise<string[]> {
  const mounted = await mkdtemp(join(directory, "mounted-"));
  await chmod(mounted, 0o755);
  await writeFile(join(mounted, "config.yml"), configuration);
  const keyOptions = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=localhost",
    "-days",
    "2",
  ];
  const key = join(mounted, "key.pem");
  expect(
    (
      await runCommand("openssl", [
        "req",
        "-x509",
        ...keyOptions,
        "-keyout",
        key,
        "-out",
        join(mounted, "certificate.pem"),
      ])
    ).exitCode,
  ).toBe(0);
  await chmod(key, 0o644);
  const data = await mkdtemp(join(directory, "data-"));
  await chmod(data, 0o777);
  return [
    ...[
      "--read-only",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--user",
      `${CONTAINER_USER}:${CONTAINER_USER}`,
    ],
    ...["--mount", `type=bind,src=${mounted},dst=/etc/regctl,readonly`, "--mount", `type=bind,src=${data},dst=/data`],
    ...[image.reference, "serve", "/etc/regctl/config.yml"],
  ];
}

const configuration = (tls: string) => `version: 0.1
storage: {filesystem: {rootdirectory: /data}}
http: {addr: ":5000", ${tls}debug: {addr: "127.0.0.1:5001"}}
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-packages-"));
  await chmod(directory, 0o755);
  image = await assembleImage(recipe, { run: runCommand, workDirectory: join(directory, "cache") });
  await mustDocker("load", "--input", image.archivePath);
});

afterAll(async () => {
  for (const name of containers) await docker("rm", "--force", "--volumes", name);
  if (image) await docker("rmi", "--force", image.reference);
  await rm(directory, { recursive: true, force: true });
});

describe("the assembled registry image", () => {
  it("is known to the engine by the id that was foretold, and says what it is made of", async () => {
    const [inspected] = JSON.parse(await mustDocker("image", "inspect", image.reference));
    expect(inspected.Id).toBe(image.imageId);
    expect(image.reference).toMatch(/\/registry:\d+\.\d+\.\d+-debian$/);
    expect(inspected.Config.Volumes ?? null).toBeNull();
    const policy = await runCommand("apt-cache", ["show", "--no-all-versions", "docker-registry"]);
    const [version, sha256] = ["Version", "SHA256"].map(
      (field) => new RegExp(`^${field}: (.*)$`, "m").exec(policy.stdout)?.[1],
    );
    expect(image.packages[0]).toEqual({ name: "docker-registry", version, sha256 });
    expect(inspected.Config.Labels["io.regctl.packages"].split(" ")[0]).toBe(`docker-registry=${version}`);
  });

  it("serves with nothing given, as the official image does", async () => {
    const { port } = await start("default", [image.reference]);
    await untilAnswers(`http://127.0.0.1:${port}/v2/`);
  });

  it("serves without rights, can be asked for its health from inside, and ends on SIGTERM", async () => {
    const { name, port } = await start("hardened", await hardened(configuration("")));
    await untilAnswers(`http://127.0.0.1:${port}/v2/`);
    await mustDocker("exec", name, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:5001/debug/health");
    const upload = await fetch(`http://127.0.0.1:${port}/v2/team/app/blobs/uploads/`, { method: "POST" });
    expect(upload.status).toBe(202);
    await mustDocker("kill", "--signal", "TERM", name);
    await vi.waitFor(
      async () => expect(await mustDocker("inspect", "--format", "{{.State.Status}}", name)).toBe("exited"),
      {
        timeout: 5000,
        interval: 50,
      },
    );
  });

  it("can be asked over TLS from inside", async () => {
    const tls = "tls: {certificate: /etc/regctl/certificate.pem, key: /etc/regctl/key.pem}, ";
    const { name } = await start("tls", await hardened(configuration(tls)));
    const ask = () =>
      docker("exec", name, "wget", "-q", "-O", "-", "--no-check-certificate", "https://127.0.0.1:5000/v2/");
    await vi.waitFor(async () => expect(await ask()).toMatchObject({ exitCode: 0, stdout: "{}" }), {
      timeout: 15_000,
      interval: 50,
    });
  });
});

describe("assembleImage", () => {
  it("leaves nothing but the archive", async () => {
    expect((await readdir(join(directory, "cache"))).map((name) => join(directory, "cache", name))).toEqual([
      image.archivePath,
    ]);
  });

  it("makes the same image for a user without rights, with another umask and package lists of its own", async () => {
    const home = join(directory, "nobody");
    const program = await compile(join(directory, "compiled"));
    await mkdir(home);
    if (isRoot) await chown(home, NOBODY, NOBODY);
    const script = `process.umask(0o077);
      const { assembleImage } = await import(${JSON.stringify(join(program, "packages/assemble.js"))});
      const { registryRecipe } = await import(${JSON.stringify(join(program, "packages/recipe.js"))});
      const { runCommand } = await import(${JSON.stringify(join(program, "host/command.js"))});
      const steps = [];
      const recipe = { ...registryRecipe, repository: ${JSON.stringify(recipe.repository)} };
      const options = { run: runCommand, workDirectory: ${JSON.stringify(home)}, aptDirectory: ${JSON.stringify(join(home, "lists"))} };
      const image = await assembleImage(recipe, { ...options, onProgress: (step) => steps.push(step) });
      console.log(JSON.stringify({ image, steps, uid: process.getuid() }));`;
    const before = await systemState();
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: home,
      env: { PATH: process.env.PATH },
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    const built = JSON.parse(stdout);
    expect(built.uid).not.toBe(0);
    expect(built.steps).toEqual(["download", "refresh-lists", "unpack", "pack"]);
    expect(built.image.imageId).toBe(image.imageId);
    expect((await readFile(built.image.archivePath)).equals(await readFile(image.archivePath))).toBe(true);
    expect(await systemState()).toEqual(before);
  });

  it("takes the package's certificate authorities on a host that has none", async () => {
    const trust = { ...registryRecipe.trust!, hostFile: join(directory, "no-such-bundle") };
    const built = await assembleImage(
      { ...recipe, trust },
      { run: runCommand, workDirectory: join(directory, "trust") },
    );
    expect(built.packages.map((entry) => entry.name)).toContain("ca-certificates");
    const layer = join(directory, "trust", "layer.tar");
    await runCommand("tar", ["-C", dirname(layer), "-xf", built.archivePath, "layer.tar"]);
    const { stdout } = await runCommand("tar", ["-xOf", layer, "./etc/ssl/certs/ca-certificates.crt"]);
    expect(stdout.match(/-----BEGIN CERTIFICATE-----\n/g)?.length).toBeGreaterThan(100);
    expect(stdout.match(/-----END CERTIFICATE-----\n/g)?.length).toBe(
      stdout.match(/-----BEGIN CERTIFICATE-----\n/g)?.length,
    );
  });

  it("notices a library that no package brings", async () => {
    const incomplete = { ...recipe, packages: ["docker-registry", "busybox-static"] };
    const workDirectory = join(directory, "incomplete");
    await expect(assembleImage(incomplete, { run: runCommand, workDirectory })).rejects.toMatchObject({
      code: "image-unavailable",
      message: expect.stringMatching(/docker-registry needs (libc\.so\.6|ld-linux)/),
    });
    expect(await readdir(workDirectory)).toEqual([]);
  });

  it("names a package that does not exist, in apt's words", async () => {
    const wrong = { ...recipe, packages: ["regctl-no-such-package"] };
    await expect(
      assembleImage(wrong, { run: runCommand, workDirectory: join(directory, "wrong") }),
    ).rejects.toMatchObject({
      code: "image-unavailable",
      issues: expect.arrayContaining([{ path: "apt-get", message: expect.stringContaining("regctl-no-such-package") }]),
    });
  });

  it.each(["download", "unpack", "pack"])("leaves nothing when it is interrupted at %s", async (step) => {
    const abort = new AbortController();
    const workDirectory = join(directory, `interrupted-${step}`);
    const onProgress = (seen: string) => {
      if (seen === step) setImmediate(() => abort.abort());
    };
    await expect(
      assembleImage(recipe, { run: runCommand, workDirectory, onProgress, signal: abort.signal }),
    ).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(await readdir(workDirectory)).toEqual([]);
  });

  it.runIf(isRoot)("says that the disk is full, before it starts and when it fills up meanwhile", async () => {
    const mount = join(directory, "small");
    await mkdir(mount);
    expect((await runCommand("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", mount])).exitCode).toBe(0);
    try {
      const workDirectory = join(mount, "cache");
      const filler = join(mount, "filler");
      const { bavail, bsize } = await statfs(mount);
      await writeFile(filler, Buffer.alloc(30_000_000));
      await expect(assembleImage(recipe, { run: runCommand, workDirectory })).rejects.toMatchObject({
        code: "disk-full",
      });
      await rm(filler);
      const run: typeof runCommand = async (file, args, options) => {
        if (file === "tar") await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
        return runCommand(file, args, options);
      };
      await expect(assembleImage(recipe, { run, workDirectory })).rejects.toMatchObject({ code: "disk-full" });
      expect(await readdir(workDirectory)).toEqual([]);
    } finally {
      await runCommand("umount", [mount]);
    }
  });
});

/** Everything apt and dpkg keep, with sizes and times. */
async function systemState(): Promise<string> {
  const { stdout } = await runCommand("find", [
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/cache/apt",
    "-type",
    "f",
    "-printf",
    "%p %s %T@\n",
  ]);
  return stdout.split("\n").sort().join("\n");
}

/** The two rooms as JavaScript, for a process that is not this one. */
async function compile(outDir: string): Promise<string> {
  const project = join(directory, "tsconfig.json");
  const files = ["packages/assemble.ts", "packages/recipe.ts"].map((file) => join(REPOSITORY, "src", file));
  const compilerOptions = {
    noEmit: false,
    rootDir: join(REPOSITORY, "src"),
    outDir,
    typeRoots: [join(REPOSITORY, "node_modules/@types")],
  };
  await writeFile(
    project,
    JSON.stringify({ extends: join(REPOSITORY, "tsconfig.json"), compilerOptions, include: [], files }),
  );
  const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  expect(await runCommand(process.execPath, [tsc, "-p", project])).toMatchObject({ exitCode: 0, stdout: "" });
  await writeFile(join(outDir, "package.json"), '{"type":"module"}');
  return outDir;
}
