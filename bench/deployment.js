/** Deployments to measure on: of a name and in a folder nothing else has, and gone afterwards whatever happened. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPOSE_PLUGIN, REGCTL } from "./machine.js";
import { run } from "./measure.js";

const USER = "bench";

export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "0.0.0.0", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The registry image regctl assembles from this host's packages; made first where the engine does not have it. */
async function registryImage(env) {
  const list = () => run("docker", ["images", "regctl/registry", "--format", "{{.Repository}}:{{.Tag}}"], { env });
  const find = async () => (await list()).stdout.split("\n").find((line) => /-(debian|ubuntu)$/.test(line));
  const found = await find();
  if (found !== undefined) return found;
  await run(REGCTL, ["images", "build"], { env });
  return find();
}

/**
 * Calls `work` with a place for one deployment: its `directory` (not made yet), and programs bound to it.
 * `init` makes it with the image there is, `push` puts an image nobody has seen before into it, over TLS and with a login.
 */
export async function withDeployment(work) {
  const name = `regctl-bench-${randomBytes(4).toString("hex")}`;
  const parent = await mkdtemp(join(tmpdir(), `${name}-`));
  const directory = join(parent, name);
  const password = randomBytes(16).toString("hex");
  const at = (path) => join(parent, path);
  await mkdir(at("docker/cli-plugins"), { recursive: true });
  await symlink(COMPOSE_PLUGIN, at("docker/cli-plugins/docker-compose"));
  const env = { HOME: parent, DOCKER_CONFIG: at("docker") };
  const docker = (args, options) => run("docker", args, { env, ...options });
  const hello = `${name}/hello:1`;
  try {
    const port = await freePort();
    const image = await registryImage(env);
    await writeFile(at("content"), randomBytes(64 * 1024));
    await run("tar", ["-C", parent, "-cf", at("root.tar"), "content"]);
    await docker(["import", at("root.tar"), hello]);
    await docker(["save", "--output", at("hello.tar"), hello]);
    const auth = Buffer.from(`${USER}:${password}`).toString("base64");
    await writeFile(at("auth.json"), JSON.stringify({ auths: { [`localhost:${port}`]: { auth } } }), { mode: 0o600 });
    const given = ["--name", name, "--port", String(port), "--user", USER, "--password-stdin", "--image", image];
    return await work({
      name,
      directory,
      port,
      env,
      caFile: join(directory, "certs/ca.crt"),
      regctl: (args, options) => run(REGCTL, args, { cwd: directory, env, ...options }),
      docker,
      compose: (args) => docker(["compose", ...args], { cwd: directory }),
      shell: (script) => run("sh", ["-c", script], { cwd: directory, env }),
      init: ({ flags = [], ...options } = {}) =>
        run(REGCTL, ["init", directory, "--yes", ...given, ...flags], { env, input: password, ...options }),
      push: async () => {
        const certificates = at("certificates");
        await mkdir(certificates, { recursive: true });
        await run("cp", [join(directory, "certs/ca.crt"), certificates]);
        const to = ["--dest-cert-dir", certificates, "--dest-authfile", at("auth.json")];
        return run(
          "skopeo",
          ["copy", ...to, `docker-archive:${at("hello.tar")}`, `docker://localhost:${port}/hello:1`],
          {
            env,
          },
        );
      },
      remove: () => removeDeployment(name, directory, docker),
    });
  } finally {
    await removeDeployment(name, directory, docker);
    await docker(["image", "rm", "--force", hello]).catch(() => {});
    await rm(parent, { recursive: true, force: true });
  }
}

/** By the engine and the file system alone, so that it works whatever state a measurement ended in. */
async function removeDeployment(name, directory, docker) {
  const label = ["--filter", `label=com.docker.compose.project=${name}`];
  const ids = async (args) => (await docker([...args, ...label])).stdout.split("\n").filter(Boolean);
  for (const id of await ids(["ps", "--all", "--quiet"])) await docker(["rm", "--force", "--volumes", id]);
  for (const id of await ids(["network", "ls", "--quiet"])) await docker(["network", "rm", id]);
  await rm(directory, { recursive: true, force: true });
}
