/** A deployment on the real engine, broken and mended again: doctor's checks name what was done, and nothing else. */
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { deployed, keep, onlyContainer, registryImage } from "../support/e2e-deployment.ts";
import { issue, LOCALHOST, leafExtensions } from "../support/e2e-issue.ts";
import { eventually } from "../support/eventually.ts";
import { examined, finding, verdicts } from "../support/examined.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

let registry: Scenario;
let at: (path: string) => string;
let container: string;
beforeAll(async () => {
  registry = keep(await deployed());
  at = (path) => join(registry.directory, path);
  container = `${registry.name}-registry-1`;
});

const docker = (...args: string[]) => mustRun("docker", args);
const look = () => verdicts(registry.directory);

/** Does what `--fix` does about one finding. */
async function mend(id: string): Promise<string> {
  const { repair } = await finding(registry.directory, id);
  if (repair === undefined) throw new Error(`${id} cannot be mended`);
  return repair();
}

describe("a healthy deployment", () => {
  it("has nothing to say, within three seconds", async () => {
    expect(await look()).toEqual({});
    const times: number[] = [];
    // This machine has other work as well.
    for (let run = 0; run < 3; run += 1) {
      const began = performance.now();
      await look();
      times.push(performance.now() - began);
    }
    expect(Math.min(...times)).toBeLessThan(3000);
  });
});

describe("the container", () => {
  afterEach(async () => {
    await registry.must(["up"]);
    // A container that was paused is unhealthy until it is asked again.
    await eventually(async () => expect(await look()).toEqual({}), 20_000);
  });

  it("stopped", async () => {
    await docker("stop", container);
    expect(await look()).toEqual({ container: "broken" });
  });

  it("paused", async () => {
    await docker("pause", container);
    try {
      expect(await finding(registry.directory, "container")).toMatchObject({
        verdict: "broken",
        cause: expect.stringContaining("paused"),
        fix: `docker unpause ${container}`,
      });
    } finally {
      await docker("unpause", container);
    }
  });

  it("killed by a SIGHUP that was to reload it, and not started again", async () => {
    await docker("update", "--restart", "no", container);
    expect(await finding(registry.directory, "restart-policy")).toMatchObject({
      verdict: "warning",
      fix: `docker update --restart unless-stopped ${container}`,
    });
    await docker("kill", "--signal", "HUP", container);
    await docker("wait", container);
    expect((await finding(registry.directory, "container")).cause).toContain("SIGHUP");
    await docker("update", "--restart", "unless-stopped", container);
  });

  it("that starts again and again, because its key belongs to another certificate", async () => {
    const key = await readFile(at("certs/domain.key"));
    await mustRun("openssl", ["genpkey", "-algorithm", "RSA", "-out", at("certs/domain.key")]);
    const { user } = await ownerOf("registry");
    await chown(at("certs/domain.key"), user, user);
    await docker("restart", container);
    const found = await eventually(async () => {
      const seen = await examined(registry.directory);
      expect(seen.get("container")).toMatchObject({
        verdict: "broken",
        cause: expect.stringContaining("keeps restarting"),
      });
      return seen;
    }, 20_000);
    expect(found.get("certificate-key")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("another certificate"),
    });
    expect(found.get("registry-log")?.cause).toContain("private key does not match public key");
    await writeFile(at("certs/domain.key"), key);
    await docker("restart", container);
  });

  it("made anew by hand: variables, no rotation, images inside of a volume without a name", async () => {
    const { Config } = await onlyContainer(registry);
    const labels = Object.entries(Config.Labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
    await docker("rm", "--force", container);
    const mounts = ["--volume", "/var/lib/registry"];
    const environment = ["--env", "REGISTRY_LOG_LEVEL=debug", "--env", "REGISTRY_HTTP_SECRET=hidden"];
    const network = ["--network", `${registry.name}_default`, "--publish", `${registry.port}:5000`];
    await docker(
      "create",
      "--name",
      container,
      ...labels,
      ...mounts,
      ...environment,
      ...network,
      await registryImage(),
    );
    const found = await examined(registry.directory);
    expect(found.get("environment-overrides")?.cause).toContain("REGISTRY_LOG_LEVEL, REGISTRY_HTTP_SECRET");
    expect(JSON.stringify([...found.values()])).not.toContain("hidden");
    expect(found.get("storage-mount")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("without a name"),
    });
    expect(found.get("storage-mount")?.fix).toContain(`docker cp ${container}:/var/lib/registry/. `);
    expect(found.get("log-rotation")?.verdict).toBe("warning");
    expect(found.get("restart-policy")?.verdict).toBe("warning");
    await docker("rm", "--force", "--volumes", container);
  });

  it("that serves another certificate than the one in the folder; --fix starts it again", async () => {
    const before = await Promise.all([readFile(at("certs/domain.crt")), readFile(at("certs/domain.key"))]);
    await using folder = temporaryDirectory();
    const issuer = { certificate: at("certs/ca.crt"), key: at("certs/ca.key") };
    const issued = await issue(folder.path, { name: "localhost", issuer, extensions: leafExtensions(LOCALHOST) });
    // In place: owner and rights stay.
    await writeFile(at("certs/domain.crt"), await readFile(issued.certificate));
    await writeFile(at("certs/domain.key"), await readFile(issued.key));
    expect((await finding(registry.directory, "certificate-served")).verdict).toBe("broken");
    await mend("certificate-served");
    expect((await examined(registry.directory)).has("certificate-served")).toBe(false);
    await writeFile(at("certs/domain.crt"), before[0]);
    await writeFile(at("certs/domain.key"), before[1]);
    await registry.must(["restart"]);
    await rm(at("certs/ca.srl"), { force: true });
  });

  it("whose port another deployment has as well", async () => {
    const other = `${registry.name}-other`;
    const labels = ["--label", `io.regctl.deployment=${other}`, "--label", "io.regctl.directory=/srv/other"];
    await docker("create", "--name", other, ...labels, "--publish", `${registry.port}:5000`, await registryImage());
    try {
      expect(await look()).toEqual({ port: "warning" });
      expect((await finding(registry.directory, "port")).cause).toContain(`${other} of /srv/other`);
    } finally {
      await docker("rm", "--force", other);
    }
  });
});

async function ownerOf(path: string): Promise<{ user: number }> {
  return { user: (await stat(at(path))).uid };
}

/** Puts a line into the registry's own section of regctl.yaml; resolves to the text before. */
async function withRegistry(line: string): Promise<string> {
  const before = await readFile(at("regctl.yaml"), "utf8");
  const section = "registry:\n  log:\n    level: info\n";
  expect(before).toContain(section);
  await writeFile(at("regctl.yaml"), before.replace(section, `registry:\n  ${line}\n`));
  return before;
}

describe("drift and edits", () => {
  it("regctl.yaml edited and not brought up; --fix brings it up", async () => {
    const before = await withRegistry("log: { level: debug }");
    expect(await look()).toEqual({ drift: "warning" });
    expect((await finding(registry.directory, "drift")).cause).toContain("log.level changed");
    expect(await mend("drift")).toContain(container);
    expect(await look()).toEqual({});
    await writeFile(at("regctl.yaml"), before);
    await registry.must(["up"]);
  });

  it("config.yml edited by hand", async () => {
    const before = await readFile(at("registry/config.yml"), "utf8");
    await writeFile(at("registry/config.yml"), before.replace("level: info", "level: debug"));
    expect(await look()).toEqual({ "edited-files": "warning" });
    expect((await finding(registry.directory, "edited-files")).cause).toContain("log.level changed");
    await writeFile(at("registry/config.yml"), before);
  });

  it("a key nobody knows, a cache that loses images, deletion turned off", async () => {
    const before = await withRegistry("storage: { delte: { enabled: true } }");
    expect(await finding(registry.directory, "configuration")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("registry.storage.delte"),
    });
    await writeFile(at("regctl.yaml"), before);
    await withRegistry("storage: { cache: { blobdescriptor: inmemory }, delete: { enabled: false } }");
    await registry.must(["up"]);
    expect(await look()).toEqual({ "descriptor-cache": "warning", deletion: "warning" });
    await writeFile(at("regctl.yaml"), before);
    await registry.must(["up"]);
    expect(await look()).toEqual({});
  });
});

describe("the folder", () => {
  afterEach(async () => {
    expect(await look()).toEqual({});
  });

  it("passwords in a form the registry refuses, nobody, twice the same, too dear", async () => {
    const before = await readFile(at("auth/htpasswd"), "utf8");
    const write = (text: string) => writeFile(at("auth/htpasswd"), text);
    await write(`${before}no colon \u001b[31m\n`);
    expect(await finding(registry.directory, "htpasswd-lines")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("line 2: has no colon"),
    });
    await write("plain:password\n");
    expect(await look()).toEqual({ "htpasswd-lines": "broken", users: "warning" });
    expect((await finding(registry.directory, "htpasswd-lines")).cause).not.toContain(":password");
    await write("");
    expect(await look()).toEqual({ users: "warning" });
    await rename(at("auth/htpasswd"), at("auth/elsewhere"));
    // `up` would make an empty one.
    expect(await look()).toEqual({ users: "broken", drift: "warning" });
    await rename(at("auth/elsewhere"), at("auth/htpasswd"));
    const dear = before.replace(/^admin:\$2b\$05\$/, "dear:$2b$14$");
    await write(before + dear + dear);
    const found = await examined(registry.directory);
    expect([...found.keys()].sort()).toEqual(["password-cost", "repeated-users"]);
    expect(found.get("password-cost")?.cause).toContain("bcrypt cost 14");
    expect(JSON.stringify([...found.values()])).not.toContain("$2b$");
    expect(await mend("repeated-users")).toContain("dear");
    expect(await readFile(at("auth/htpasswd"), "utf8")).toBe(before + dear);
    await write(before);
    await chmod(at("auth/htpasswd"), 0o600);
  });

  it("secrets others may read, and folders they may write to; --fix closes them", async () => {
    await chmod(at("certs/domain.key"), 0o644);
    await chmod(at("auth"), 0o777);
    await chmod(at("."), 0o777);
    expect(await look()).toEqual({ "secret-files": "warning", "folder-rights": "warning" });
    expect((await finding(registry.directory, "secret-files")).cause).toContain("certs/domain.key (0644)");
    await mend("folder-rights");
    await mend("secret-files");
    expect((await stat(at("certs/domain.key"))).mode & 0o777).toBe(0o600);
    expect((await stat(at("auth"))).mode & 0o022).toBe(0);
  });

  it("files of somebody else", async () => {
    const { user } = await ownerOf("data");
    await mkdir(at("data/docker/registry/v2/repositories"), { recursive: true });
    for (const path of ["docker", "docker/registry", "docker/registry/v2", "docker/registry/v2/repositories"])
      await chown(at(`data/${path}`), user, user);
    await chown(at("data/docker/registry/v2/repositories"), 0, 0);
    expect(await look()).toEqual({ ownership: "broken" });
    expect((await finding(registry.directory, "ownership")).fix).toContain(at("data/docker/registry/v2/repositories"));
    await chown(at("data/docker/registry/v2/repositories"), user, user);
    await chown(at("auth"), 0, 0);
    expect(await finding(registry.directory, "ownership")).toMatchObject({ fix: "sudo regctl up" });
    await registry.must(["up"]);
  });

  it("what killed commands left; --fix finishes it", async () => {
    await mkdir(at(".regctl/journal/0000"), { recursive: true });
    await writeFile(at(".regctl/journal/0000/manifest.json"), '{"files":[],"removals":[]}');
    expect(await look()).toEqual({ "interrupted-change": "broken" });
    await mend("interrupted-change");
    await writeFile(at(".regctl/collection.json"), '{"since":"2026-11-01T00:00:00Z","readOnly":true}');
    expect(await look()).toEqual({ "interrupted-collection": "broken" });
    await mend("interrupted-collection");
    await writeFile(at(".regctl/unfinished-init"), "x\n", { mode: 0o600 });
    expect(await look()).toEqual({ "interrupted-init": "broken" });
    await rm(at(".regctl/unfinished-init"));
  });

  it("a stray key in certs/, a file from the future, an authority's key that is not here", async () => {
    await writeFile(at("certs/other.key"), "x", { mode: 0o600 });
    expect(await look()).toEqual({ "certificate-folder": "warning" });
    await rm(at("certs/other.key"));
    await appendFile(at("notes.txt"), "");
    const tomorrow = new Date(Date.now() + 86_400_000);
    await utimes(at("notes.txt"), tomorrow, tomorrow);
    expect(await finding(registry.directory, "host-clock")).toMatchObject({
      cause: expect.stringContaining("notes.txt"),
    });
    await rm(at("notes.txt"));
    await copyFile(at("certs/ca.key"), at(".regctl/kept"));
    await rm(at("certs/ca.key"));
    expect((await examined(registry.directory)).get("authority-key")).toMatchObject({ verdict: "warning" });
    await rename(at(".regctl/kept"), at("certs/ca.key"));
    await chmod(at("certs/ca.key"), 0o600);
  });
});

describe("the host", () => {
  it("an engine that does not answer is one finding, and the rest looks at what there is", async () => {
    await chmod(at("certs/domain.key"), 0o640);
    const found = await examined(registry.directory, { environment: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
    await chmod(at("certs/domain.key"), 0o600);
    expect(found.get("engine")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("/nowhere/docker.sock"),
    });
    expect(found.get("secret-files")?.verdict).toBe("warning");
    expect(found.get("container")?.verdict).toBe("unknown");
    expect(found.has("certificate-expiry")).toBe(false);
  });

  it("a clock that is a day behind", async () => {
    const now = new Date(Date.now() - 86_400_000);
    expect(await finding(registry.directory, "host-clock", { now })).toMatchObject({ verdict: "broken" });
  });

  it("a network of the engine's that lies in the way of one of the host's", async () => {
    const inspected = JSON.parse((await docker("network", "inspect", `${registry.name}_default`)).stdout) as {
      IPAM: { Config: { Subnet: string }[] };
    }[];
    const address = (inspected[0]?.IPAM.Config[0]?.Subnet ?? "").replace(/\.0\/\d+$/, ".200");
    const link = `rd${registry.name.slice(3)}`;
    await mustRun("ip", ["link", "add", link, "type", "veth", "peer", "name", `${link}p`]);
    try {
      await mustRun("ip", ["link", "set", link, "up"]);
      await mustRun("ip", ["route", "add", `${address}/32`, "dev", link]);
      expect((await finding(registry.directory, "docker-networks")).cause).toContain(`${address}/32 through ${link}`);
    } finally {
      await mustRun("ip", ["link", "del", link]);
    }
    expect(await look()).toEqual({});
  });
});
