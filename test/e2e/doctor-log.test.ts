/** What the real registry says when something is wrong with it, and what doctor makes of that. */
import { chmod, chown, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { curl } from "../support/clients.ts";
import { deployed, keep, onlyContainer, registryImage } from "../support/e2e-deployment.ts";
import { type SmallDisk, smallDisk } from "../support/e2e-small-disk.ts";
import { eventually } from "../support/eventually.ts";
import { finding, verdicts } from "../support/examined.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const FOLDERS = ["certs", "auth", "registry"];

let registry: Scenario;
let container: string;
let disk: SmallDisk;
let intact: TemporaryDirectory;
const at = (path: string): string => join(registry.directory, path);
const docker = (...args: string[]) => mustRun("docker", args);

beforeAll(async () => {
  registry = keep(await deployed());
  container = `${registry.name}-registry-1`;
  const { uid, gid } = await stat(at("data"));
  disk = keep(await smallDisk(at("data"), 8));
  await chown(at("data"), uid, gid);
  intact = keep(temporaryDirectory());
  for (const folder of FOLDERS) await mustRun("cp", ["-a", at(folder), intact.path]);
  await docker("restart", "--time", "1", container);
});

/** The file's text through `change`, in place: owner and rights stay. */
async function edit(path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(at(path), "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(at(path), after);
}

/** Until it answers, with whatever. */
async function beginUpload(): Promise<number> {
  const url = `https://localhost:${registry.port}/v2/a/b/blobs/uploads/`;
  const { caFile, credentials } = registry;
  return eventually(async () => {
    const { status } = await curl(url, { method: "POST", caFile, credentials });
    expect(status).not.toBe(0);
    return status;
  });
}

async function complaint(): Promise<{ verdict: string; cause: string }> {
  const { verdict, cause } = await finding(registry.directory, "registry-log");
  return { verdict, cause };
}

const NOT_A_KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

describe("a registry that does not start because", () => {
  it.each<[string, () => Promise<void>, RegExp]>([
    ["its key is damaged", () => edit("certs/domain.key", () => NOT_A_KEY), /^the key is encrypted or damaged: /],
    ["its certificate is empty", () => edit("certs/domain.crt", () => ""), /^a certificate or key file is not PEM: /],
    [
      "config.yml is no YAML",
      () => edit("registry/config.yml", (text) => `${text}log: [\n`),
      /^its configuration is refused: /,
    ],
    [
      "there is no such storage",
      () => edit("registry/config.yml", (text) => text.replace("filesystem:", "nowhere:")),
      /^its configuration is refused: .*StorageDriver not registered: nowhere/,
    ],
    ["auth/htpasswd is missing", () => rm(at("auth/htpasswd")), /^auth\/htpasswd is missing: /],
  ])("%s", async (_why, damage, cause) => {
    await damage();
    await docker("restart", "--time", "1", container);
    try {
      await eventually(async () => {
        const seen = await complaint();
        expect(seen).toEqual({ verdict: "broken", cause: expect.stringMatching(cause) });
      });
      // However soon after a start somebody looks.
      expect((await complaint()).cause).toMatch(cause);
    } finally {
      for (const folder of FOLDERS) await mustRun("cp", ["-a", join(intact.path, folder), registry.directory]);
    }
  });
});

describe("a registry of another version", () => {
  /** The real program, but for the version it tells. */
  async function imageThatSays(version: string): Promise<string> {
    const known = "2.8.2+ds1";
    expect(version).toHaveLength(known.length);
    const reference = `regctl-test/registry:2-${registry.name}-${version.slice(0, 5)}`;
    const made = `${registry.name}-old`;
    await using folder = temporaryDirectory();
    const program = join(folder.path, "registry");
    await docker("create", "--name", made, await registryImage());
    try {
      await docker("cp", `${made}:/usr/bin/docker-registry`, program);
      await mustRun("sed", ["-i", `s/${known.replaceAll(".", "\\.")}/${version}/g`, program]);
      await docker("cp", program, `${made}:/usr/bin/docker-registry`);
      await docker("commit", made, reference);
    } finally {
      await docker("rm", "--force", made);
    }
    keep({
      async [Symbol.asyncDispose]() {
        await docker("image", "rm", "--force", reference);
      },
    });
    return reference;
  }

  it.each([
    ["2.8.1+ds1", "warning", "the registry is 2.8.1: anybody who may list the catalog can make it run out of memory"],
    ["3.1.0+ds1", "broken", "is 3.1.0, and regctl.yaml is read for 2.x: it looks for its configuration elsewhere"],
  ])("%s", async (version, verdict, cause) => {
    const before = await readFile(at("regctl.yaml"), "utf8");
    const image = await imageThatSays(version);
    await edit("regctl.yaml", (text) => text.replace(/^image: .*$/m, `image: ${image}`));
    try {
      await registry.must(["up"]);
      await eventually(async () => {
        const found = await finding(registry.directory, "registry-version");
        expect(found).toMatchObject({ verdict, cause: expect.stringContaining(cause) });
      });
    } finally {
      await writeFile(at("regctl.yaml"), before);
      await registry.must(["up"]);
    }
    expect(await verdicts(registry.directory)).toEqual({});
  });
});

describe("a registry that runs", () => {
  afterEach(async () => {
    for (const folder of FOLDERS) await mustRun("cp", ["-a", join(intact.path, folder), registry.directory]);
    await docker("restart", "--time", "1", container);
    expect(await beginUpload()).toBe(202);
    await eventually(async () => expect(await verdicts(registry.directory)).toEqual({}));
  });

  it("and signs uploads with a secret of its own", async () => {
    await edit("registry/config.yml", (text) => text.replace(/^ *secret: .*\n/m, ""));
    await docker("restart", "--time", "1", container);
    await beginUpload();
    expect(await complaint()).toEqual({
      verdict: "warning",
      cause: expect.stringContaining("No HTTP secret provided"),
    });
  });

  it("on a full disk", async () => {
    await disk.fill();
    try {
      expect(await beginUpload()).toBe(500);
      expect(await complaint()).toEqual({
        verdict: "broken",
        cause: expect.stringMatching(/^the disk is full: .*startedat/),
      });
    } finally {
      await disk.free();
    }
  });

  it("on a disk that became read-only", async () => {
    await disk.protect(true);
    try {
      expect(await beginUpload()).toBe(500);
      expect(await complaint()).toEqual({
        verdict: "broken",
        cause: expect.stringMatching(/^it cannot write its images: /),
      });
    } finally {
      await disk.protect(false);
    }
  });

  it("and may not go into its own storage", async () => {
    await chmod(at("data"), 0);
    try {
      expect(await beginUpload()).toBe(500);
      const cause = expect.stringMatching(/^it may not read or write a file: .*permission denied/);
      expect(await complaint()).toEqual({ verdict: "broken", cause });
    } finally {
      await chmod(at("data"), 0o755);
    }
  });

  it("and says of itself that it is not healthy", async () => {
    const { Config } = await onlyContainer(registry);
    const { stdout } = await docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container);
    const [, ...command] = JSON.parse(stdout) as string[];
    const sign = "health:\n  file:\n    - file: /auth/closed\n      interval: 1s\n";
    await edit("registry/config.yml", (text) => text.replace("health:\n", sign));
    await docker("rm", "--force", container);
    const labels = Object.entries(Config.Labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
    const mounts = Object.entries({ registry: "/etc/docker/registry", auth: "/auth", certs: "/certs" });
    const volumes = mounts.flatMap(([folder, target]) => ["--volume", `${at(folder)}:${target}:ro`]);
    const { uid, gid } = await stat(at("data"));
    const network = ["--network", `${registry.name}_default`, "--publish", `${registry.port}:5000`];
    const asked = ["--health-cmd", command.join(" "), "--health-interval", "1s", "--health-retries", "1"];
    const more = [...labels, ...volumes, ...network, ...asked, "--user", `${uid}:${gid}`];
    await docker("run", "--detach", "--name", container, ...more, await registryImage());
    await writeFile(at("auth/closed"), "");
    try {
      const { verdict, cause } = await eventually(() => finding(registry.directory, "container-health"), 20_000, 500);
      expect({ verdict, cause }).toEqual({ verdict: "broken", cause: expect.stringMatching(/ fails: .*503/) });
      expect(await beginUpload()).toBe(503);
    } finally {
      await rm(at("auth/closed"));
      await docker("rm", "--force", container);
      await mustRun("cp", ["-a", join(intact.path, "registry"), registry.directory]);
      await registry.must(["up"]);
    }
  });
});
