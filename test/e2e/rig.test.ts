/** What the other end-to-end tests stand on is itself true: clients really check TLS, kills really happen, nothing stays. */
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../support/addresses.ts";
import { curl, dockerClient, podmanPull, skopeo, skopeoCopy } from "../support/clients.ts";
import { compose, composeVersion } from "../support/compose.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { eventually } from "../support/eventually.ts";
import { withHostName } from "../support/host-name.ts";
import { killAt, type Runner, stepsOf, worthKilling } from "../support/kill-at.ts";
import { networkNamespace } from "../support/network-namespace.ts";
import { type OpensslAuthority, opensslAuthority } from "../support/openssl-authority.ts";
import { ptyOf } from "../support/pty.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import { type StaticRegistry, staticRegistry } from "../support/static-registry.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";
import { parseRequests, wireProxy } from "../support/wire-proxy.ts";

const NAME = "registry.rig.test";

describe("clients outside loopback", () => {
  const credentials = { user: "rig", password: secretForTest() };
  const wrong = { user: "rig", password: secretForTest() };
  let folder: TemporaryDirectory;
  let address: HostAddress;
  let authority: OpensslAuthority;
  let stranger: OpensslAuthority;
  let registry: StaticRegistry;

  beforeAll(async () => {
    folder = temporaryDirectory();
    address = await hostAddress();
    authority = await opensslAuthority(folder.path);
    await mustRun("mkdir", [join(folder.path, "stranger")]);
    stranger = await opensslAuthority(join(folder.path, "stranger"), "Stranger");
    registry = await staticRegistry(await authority.issue([`IP:${address.address}`, `DNS:${NAME}`]), credentials);
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await address[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("docker refuses a registry whose authority its engine does not know, and one signed by another", async () => {
    await using docker = dockerClient();
    const place = `${address.address}:${registry.port}`;
    const unknown = await docker.login(place, credentials);
    expect(unknown.stderr).toContain("x509: certificate signed by unknown authority");
    expect(unknown.exitCode).not.toBe(0);
    await using _trust = await trustInEngine(place, stranger.caPem);
    expect((await docker.login(place, credentials)).stderr).toContain("x509");
  });

  it("docker logs in, pulls and is refused with a wrong password once its engine trusts the authority", async () => {
    await using docker = dockerClient();
    const place = `${address.address}:${registry.port}`;
    await using _trust = await trustInEngine(place, authority.caPem);
    expect((await docker.login(place, wrong)).stderr).toContain("401");
    expect(await docker.login(place, credentials)).toMatchObject({ exitCode: 0 });
    expect(await docker.pull(`${place}/rig/empty:1`)).toMatchObject({ exitCode: 0 });
    expect(await docker.logout(place)).toMatchObject({ exitCode: 0 });
    expect((await docker.pull(`${place}/rig/empty:1`)).stderr).toContain("no basic auth credentials");
  });

  it("the engine resolves a name that stands in for a registry, and only as long as it should", async () => {
    const before = readFileSync("/etc/hosts", "utf8");
    const place = `${NAME}:${registry.port}`;
    {
      await using docker = dockerClient();
      await using _name = await withHostName(NAME, address.address);
      await using _trust = await trustInEngine(place, authority.caPem);
      expect(await docker.login(place, credentials)).toMatchObject({ exitCode: 0, stderr: expect.anything() });
    }
    expect(readFileSync("/etc/hosts", "utf8")).toBe(before);
    expect(existsSync(`/etc/docker/certs.d/${place}`)).toBe(false);
  });

  it("curl, skopeo and podman on another machine insist on the authority and on the password", async () => {
    await using machine = await networkNamespace({ [NAME]: "HOST" });
    const image = `${NAME}:${registry.port}/rig/empty:1`;
    const url = `https://${NAME}:${registry.port}/v2/`;
    const right = { inside: machine, caFile: authority.caFile, credentials };

    expect(await curl(url, { inside: machine })).toMatchObject({ exitCode: 60, status: 0 });
    expect(await curl(url, { ...right, caFile: stranger.caFile })).toMatchObject({ exitCode: 60 });
    expect(await curl(url, { ...right, credentials: wrong })).toMatchObject({ exitCode: 0, status: 401 });
    expect(await curl(url, right)).toMatchObject({ exitCode: 0, status: 200 });

    expect((await skopeo("inspect", `docker://${image}`, { ...right, caFile: undefined })).stderr).toContain("x509");
    expect((await skopeo("inspect", `docker://${image}`, { ...right, credentials: wrong })).exitCode).not.toBe(0);
    expect(await skopeo("inspect", `docker://${image}`, right)).toMatchObject({ stderr: "", exitCode: 0 });
    const copy = join(folder.path, "copy");
    expect(await skopeoCopy(`docker://${image}`, `dir:${copy}`, { source: right, inside: machine })).toMatchObject({
      exitCode: 0,
    });
    expect(await readdir(copy)).toContain("manifest.json");

    expect((await podmanPull(image, { ...right, caFile: stranger.caFile })).stderr).toContain("x509");
    expect((await podmanPull(image, { ...right, credentials: undefined })).exitCode).not.toBe(0);
    expect(await podmanPull(image, right)).toMatchObject({ exitCode: 0 });
  });

  it("a network namespace leaves nothing behind", async () => {
    const state = async (): Promise<string> =>
      (await mustRun("ip", ["-br", "link"])).stdout + (await mustRun("ip", ["netns"])).stdout;
    let name = "";
    {
      await using machine = await networkNamespace();
      name = machine.name;
      expect((await machine.run("ip", ["-br", "addr"])).stdout).toContain(machine.address);
    }
    expect(await state()).not.toContain(name.slice("regctl-test-".length));
    expect(existsSync(`/etc/netns/${name}`)).toBe(false);
  });
});

describe("kill-at", () => {
  let folder: TemporaryDirectory;
  let runner: Runner;

  beforeAll(async () => {
    folder = temporaryDirectory();
    const script = join(folder.path, "script.mjs");
    await writeFile(
      script,
      `import { mkdirSync } from "node:fs";
      import { open, rename, rm, writeFile } from "node:fs/promises";
      import { execFile } from "node:child_process";
      import { request } from "node:http";
      import { promisify } from "node:util";
      const [folder, socket] = process.argv.slice(2);
      mkdirSync(folder + "/a");
      const file = await open(folder + "/a/file.tmp", "wx", 0o600);
      await file.write("whole "); await file.write("content"); await file.sync(); await file.close();
      await rename(folder + "/a/file.tmp", folder + "/a/file");
      await writeFile(folder + "/b", "b");
      await promisify(execFile)("touch", [folder + "/c"]);
      const call = (method, path) => new Promise((resolve, reject) => request({ socketPath: socket, method, path },
        (response) => response.resume().once("end", resolve)).once("error", reject).end());
      await call("GET", "/_ping");
      await call("DELETE", "/networks/there-is-no-such-network");
      await call("POST", "/images/prune?filters=" + encodeURIComponent('{"label":["there-is-no-such-label"]}'));
      await rm(folder + "/a", { recursive: true });
      console.log("done");`,
    );
    runner = (args, { nodeArgs = [], ...options }) =>
      runProgram(process.execPath, [...nodeArgs, script, ...args], options);
  });
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  it("counts what a process does, and the same in every run", async () => {
    const run = async () => {
      await using place = temporaryDirectory();
      const { result, steps } = await stepsOf([place.path, "/var/run/docker.sock"], {}, runner);
      expect(result).toMatchObject({ exitCode: 0, stdout: "done\n" });
      return steps.map((step) => `${step.number} ${step.kind} ${step.what.replaceAll(place.path, "")}`);
    };
    const steps = await run();
    expect(steps).toEqual([
      "1 mkdir /a",
      "2 open /a/file.tmp",
      "3 write /a/file.tmp",
      "4 rename /a/file.tmp -> /a/file",
      "5 writeFile /b",
      "6 child touch /c 0",
      expect.stringMatching(/^7 engine POST \/images\/prune\?.* 200$/),
      "8 rm /a",
    ]);
    expect(await run()).toEqual(steps);
  });

  it.each([
    { n: 1, files: ["a"] },
    { n: 2, files: ["a", "a/file.tmp"] },
    { n: 4, files: ["a", "a/file"] },
    { n: 5, files: ["a", "a/file", "b"] },
    { n: 6, files: ["a", "a/file", "b", "c"] },
    { n: 7, files: ["a", "a/file", "b", "c"] },
    { n: 8, files: ["b", "c"] },
  ])("kills after step $n with its effect and nothing later", async ({ n, files }) => {
    await using place = temporaryDirectory();
    const { result, steps } = await killAt(n, [place.path, "/var/run/docker.sock"], {}, runner);
    expect(result.signal).toBe("SIGKILL");
    expect(steps.at(-1)?.number).toBe(n);
    expect((await readdir(place.path, { recursive: true })).sort()).toEqual(files);
  });

  it("takes the first, the middle and the last of many equal steps, and all of a few", () => {
    const kinds = ["mkdir", ...Array<string>(9).fill("rm"), "rename", "rename"];
    const steps = kinds.map((kind, index) => ({ number: index + 1, kind, what: "" }));
    expect(worthKilling(steps).map((step) => step.number)).toEqual([1, 2, 6, 10, 11, 12]);
  });

  it("lets a run with fewer steps end", async () => {
    await using place = temporaryDirectory();
    const { result } = await killAt(99, [place.path, "/var/run/docker.sock"], {}, runner);
    expect(result).toMatchObject({ exitCode: 0, signal: undefined });
  });
});

describe("compose", () => {
  it("is version 2 and talks to this engine", async () => {
    await using folder = temporaryDirectory();
    await writeFile(
      join(folder.path, "compose.yaml"),
      "services:\n  none:\n    image: rig/none:1\n    network_mode: none\n",
    );
    expect(await composeVersion()).toMatch(/^v?2\./);
    expect(await compose(["ps", "--all", "--quiet"], { cwd: folder.path })).toMatchObject({ exitCode: 0, stdout: "" });
  });
});

describe("wire proxy", () => {
  it("passes on everything between client and engine and records what was asked", async () => {
    await using proxy = await wireProxy();
    const env = { DOCKER_HOST: proxy.endpoint };
    const { stdout } = await mustRun("docker", ["version", "--format", "{{.Server.Version}}"], { env });
    expect(stdout).toBe((await mustRun("docker", ["version", "--format", "{{.Server.Version}}"])).stdout);
    const secret = secretForTest();
    await runProgram("docker", ["login", "-u", "rig", "--password-stdin", "127.0.0.1:1"], { env, input: secret });
    const login = proxy.requests().find((request) => request.line.includes("/auth"));
    expect(login?.line).toMatch(/^POST \S*\/auth HTTP\/1\.1$/);
    expect(JSON.parse(String(login?.body))).toMatchObject({ username: "rig", password: secret });
  });

  it("reads bodies with a length and in chunks, and leaves an unfinished request out", () => {
    const text =
      "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2\r\nde\r\n1\r\nf\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\r\nPOST /d HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort";
    const requests = parseRequests(Buffer.from(text)).map(({ line, body }) => `${line} ${body}`);
    expect(requests).toEqual(["POST /a HTTP/1.1 abc", "PUT /b HTTP/1.1 def", "GET /c HTTP/1.1 "]);
  });
});

describe("pseudo terminal", () => {
  it("shows what a program draws, passes keys on and tells the exit code", async () => {
    const program = 'printf "name? "; read name; printf "hello %s\\n" "$name"; [ -t 0 ] && [ -t 2 ] && exit 7';
    await using terminal = await ptyOf(["sh", "-c", program]);
    await terminal.expect("name?");
    await terminal.answer("a 'quoted'; $name");
    await terminal.expect("hello a 'quoted'; $name");
    expect(await terminal.exit()).toMatchObject({ exitCode: 7 });
  });

  it("delivers Ctrl-C", async () => {
    await using terminal = await ptyOf(["sh", "-c", 'trap "exit 130" INT; echo ready; while :; do sleep 0.05; done']);
    await terminal.expect("ready");
    await terminal.press("C-c");
    expect((await terminal.exit()).exitCode).toBe(130);
  });
});

describe("temporary directories and waiting", () => {
  it("go with their scope", async () => {
    let path: string;
    {
      await using directory = temporaryDirectory();
      path = directory.path;
      await writeFile(join(path, "file"), "");
      expect(await readFile(join(path, "file"), "utf8")).toBe("");
    }
    expect(existsSync(path)).toBe(false);
  });

  it("eventually gives up with the last reason", async () => {
    let calls = 0;
    expect(await eventually(() => ++calls > 2, 5_000, 1)).toBe(true);
    const late = eventually(() => Promise.reject(new Error("still not there")), 20, 5);
    await expect(late).rejects.toThrow("not within 20 ms: still not there");
  });
});
