/** What goes wrong on real machines: each gets its reason, the way out and its exit code, and nothing is half-done. */
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/addresses.ts";
import {
  answer,
  deployed,
  edit,
  keep,
  onlyContainer,
  place,
  quickFlags,
  registryImage,
  writtenError,
} from "../support/e2e-deployment.ts";
import { countConnections, engineOfApi } from "../support/e2e-impostors.ts";
import { asNobody } from "../support/e2e-nobody.ts";
import { smallDisk } from "../support/e2e-small-disk.ts";
import { stateOf } from "../support/e2e-state.ts";
import { eventually } from "../support/eventually.ts";
import { networkNamespace } from "../support/network-namespace.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun, type ProgramResult, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A deployment that others get into the way of. */
let registry: Scenario;
beforeAll(async () => {
  registry = keep(await deployed());
});

/** `init` that is refused: with the exit code, a hint, and nothing in the folder or on the engine. */
async function refusedInit(
  one: Scenario,
  flags: readonly string[],
  exitCode: number,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const before = await stateOf(one);
  const result = await one.regctl(one.initArgs.concat(await quickFlags(), flags, "--json"), {
    input: one.credentials.password,
    env,
  });
  expect(result, result.stderr).toMatchObject({ exitCode, stdout: "" });
  expect(await stateOf(one)).toEqual(before);
  const { hint, details, message } = writtenError(result.stderr);
  expect(hint).not.toBeNull();
  return [message, ...(details.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`)].join("\n");
}

describe("init is refused", () => {
  it("when a program has the port, and names it", async () => {
    await using one = await place({ adopt: false });
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(one.port, resolve));
    try {
      expect(await refusedInit(one, [], 5)).toContain(`port: ${one.port} is taken by node (pid ${process.pid})`);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it("when a container has the port, and names it", async () => {
    await using one = await place({ adopt: false });
    expect(await refusedInit(one, ["--port", String(registry.port)], 5)).toContain(
      `taken by the container ${registry.name}-registry-1`,
    );
  });

  it("when a deployment in another folder, or somebody's container, has the name", async () => {
    await using one = await place({ adopt: false });
    expect(await refusedInit(one, ["--name", registry.name], 5)).toContain(
      `a deployment called ${registry.name} exists already, in ${registry.directory}`,
    );
    await mustRun("docker", ["create", "--name", `${one.name}-registry-1`, await registryImage()]);
    try {
      expect(await refusedInit(one, [], 5)).toContain(`name: a container called ${one.name}-registry-1 exists already`);
    } finally {
      await mustRun("docker", ["rm", `${one.name}-registry-1`]);
    }
  });

  it("when the folder is a deployment, which goes on as it is", async () => {
    expect(await refusedInit(registry, [], 5)).toContain("already is a deployment");
    expect(await answer(registry)).toBe(200);
  });

  it("with every reason at once", async () => {
    const before = await stateOf(registry);
    const other = ["--name", registry.name, "--port", String(registry.port)];
    const result = await registry.regctl([
      "init",
      join(registry.directory, "inner"),
      "--yes",
      ...other,
      ...(await quickFlags()),
      "--json",
    ]);
    expect(result.exitCode).toBe(5);
    expect(writtenError(result.stderr).details.issues?.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["port", "name"]),
    );
    expect(await stateOf(registry)).toEqual(before);
  });

  it("where too little disk is left, and on a read-only one", async () => {
    await using one = await place({ adopt: false });
    await using disk = await smallDisk(one.directory, 20);
    expect(await refusedInit(one, [], 2)).toMatch(/disk: 20 MiB free at \S+, 500 MiB needed/);
    await disk.protect(true);
    expect(await refusedInit(one, [], 2)).toContain(`folder: ${one.directory} cannot be written`);
  });

  it("where the user may not write, or may not talk to the engine", async () => {
    await using nobody = await asNobody();
    const elsewhere = ["init", join(nobody.home, "../registry"), "--yes", "--no-start", "--json"];
    const unwritable = await nobody.regctl(elsewhere);
    expect(unwritable, unwritable.stderr).toMatchObject({ exitCode: 2 });
    expect(JSON.stringify(writtenError(unwritable.stderr))).toContain("cannot be written by this user");
    const denied = await nobody.regctl([
      "init",
      join(nobody.home, "registry"),
      "--yes",
      "--json",
      "--port",
      String(await freePort()),
      ...(await quickFlags()),
    ]);
    expect(denied, denied.stderr).toMatchObject({ exitCode: 4 });
    expect(JSON.stringify(writtenError(denied.stderr))).toMatch(/may not use the socket/);
    expect(JSON.stringify(writtenError(denied.stderr))).toContain("docker");
    expect((await runProgram("find", [nobody.home, "-name", "regctl*"])).stdout).toBe("");
  });

  it("where there is no engine, where it is too old, and where it is another machine's", async () => {
    await using one = await place({ adopt: false });
    await using folder = temporaryDirectory();
    expect(await refusedInit(one, [], 4, { DOCKER_HOST: `unix://${folder.path}/none.sock` })).toContain("none.sock");

    await using old = await engineOfApi("1.24", join(folder.path, "old.sock"));
    expect(await refusedInit(one, [], 4, { DOCKER_HOST: old.endpoint })).toContain("1.24");

    await using machine = await networkNamespace();
    await using listener = await countConnections(machine.argv, folder.path);
    const result = await one.regctl([...one.initArgs, "--yes"], {
      input: "x",
      env: { DOCKER_HOST: `tcp://${machine.address}:2375` },
    });
    expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    expect(result.stderr).toMatch(new RegExp(`ssh \\S*${machine.address.replaceAll(".", "\\.")} regctl`));
    const overSsh = await one.regctl(["status", "--dir", registry.directory], {
      env: { DOCKER_HOST: `ssh://somebody@${machine.address}` },
    });
    expect(overSsh.exitCode).toBe(4);
    expect(overSsh.stderr).toContain(`ssh somebody@${machine.address} regctl`);
    expect(await listener.count()).toBe(0);
    // The listener does count.
    await runProgram("curl", ["--silent", "--max-time", "1", `http://${machine.address}:2375/`]);
    await eventually(async () => (await listener.count()) === 1);
  });

  it("for an image a registry does not have; none is taken instead", async () => {
    await using one = await place({ adopt: false });
    const empty = createHttpServer((request, response) => {
      const isRoot = request.url === "/v2/";
      response.writeHead(isRoot ? 200 : 404, { "Content-Type": "application/json" });
      response.end(isRoot ? "{}" : '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    });
    await new Promise<void>((resolve) => empty.listen(0, "127.0.0.1", resolve));
    const image = `127.0.0.1:${(empty.address() as AddressInfo).port}/none/registry:2`;
    try {
      const result = await one.regctl([...one.initArgs, "--image", image, "--json"], {
        input: one.credentials.password,
      });
      expect(result, result.stderr).toMatchObject({ exitCode: 1, stdout: "" });
      expect(writtenError(result.stderr)).toMatchObject({
        code: "image-unavailable",
        message: expect.stringContaining(image),
      });
      expect(await stateOf(one)).toEqual({ files: [], containers: [], networks: [] });
    } finally {
      await new Promise((resolve) => empty.close(resolve));
    }
  });

  it("without a terminal unless --yes says that nobody has to be asked", async () => {
    await using one = await place({ adopt: false });
    const result = await one.regctl(["init", one.directory]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("--yes");
    expect(await stateOf(one)).toEqual({ files: [], containers: [], networks: [] });
    expect((await registry.regctl(["destroy"])).exitCode).toBe(2);
    expect((await registry.regctl(["destroy", "--data", "--yes"])).exitCode).toBe(2);
    expect(await answer(registry)).toBe(200);
  });
});

describe("a full disk", () => {
  it("changes nothing: users log in, the registry serves, and with space the same commands succeed", async () => {
    await using one = await place({ adopt: false });
    await using disk = await smallDisk(one.directory, 700);
    await one.init(await quickFlags());
    const password = secretForTest();
    const before = await stateOf(one);
    const { Id } = await onlyContainer(one);
    const adduser = () => one.regctl(["adduser", "later", "--password-stdin", "--json"], { input: password });
    await edit(one.directory, "level: info", "level: warn");
    const edited = await readFile(join(one.directory, "regctl.yaml"), "utf8");
    await disk.fill();
    for (const attempt of [
      adduser,
      () => one.regctl(["up", "--json"]),
      () => one.regctl(["certs", "renew", "--json"]),
    ]) {
      const result: ProgramResult = await attempt();
      expect(result, result.stderr).toMatchObject({ exitCode: 1 });
      expect(writtenError(result.stderr)).toMatchObject({
        code: "disk-full",
        hint: expect.stringContaining("free some space"),
      });
    }
    expect(await answer(one)).toBe(200);
    await disk.free();
    expect(await readFile(join(one.directory, "regctl.yaml"), "utf8")).toBe(edited);
    await edit(one.directory, "level: warn", "level: info");
    expect(await stateOf(one)).toEqual(before);
    expect((await onlyContainer(one)).Id).toBe(Id);
    expect(await answer(one)).toBe(200);
    expect((await one.must(["up"])).stdout).toBe("no changes\n");
    expect((await adduser()).exitCode).toBe(0);
    expect(await answer(one, { user: "later", password })).toBe(200);
    await disk.fill();
    // Whoever has to make room can.
    await one.must(["down"]);
    await one.must(["destroy", "--data", "--yes", "--confirm", one.name]);
  });
});

describe("a broken regctl.yaml", () => {
  it.each([
    { what: "no YAML", from: "domain: localhost", to: "domain: [localhost", path: /Flow sequence/ },
    { what: "an unknown key", from: "domain: localhost", to: "domian: localhost", path: /domian/ },
    { what: "an unknown key of the registry", from: "level: info", to: "levle: info", path: /registry\.log\.levle/ },
  ])("with $what is refused with the place, and the registry goes on", async ({ from, to, path }) => {
    const { Id } = await onlyContainer(registry);
    await edit(registry.directory, from, to);
    try {
      for (const args of [["up"], ["config", "validate"]]) {
        const result = await registry.regctl(args);
        expect(result).toMatchObject({ exitCode: 2, stdout: "" });
        expect(result.stderr).toMatch(path);
        expect(result.stderr).toMatch(/line \d+/);
      }
    } finally {
      await edit(registry.directory, to, from);
    }
    expect((await onlyContainer(registry)).Id).toBe(Id);
    expect((await registry.must(["up"])).stdout).toBe("no changes\n");
  });
});
