/** No password and no key leaves the files made for it: not on the engine's wire, not in any argv, environment, log or output. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { answer, edit, keep, onlyContainer, place, quickFlags } from "../support/e2e-deployment.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun, type ProgramResult, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type WireProxy, wireProxy } from "../support/wire-proxy.ts";

/** Everything an observer of this host could have seen while the commands ran. */
interface Witness {
  readonly registry: Scenario;
  readonly proxy: WireProxy;
  readonly outputs: readonly ProgramResult[];
  /** argv and environment of every process seen, and of regctl's own children. */
  readonly processes: ReadonlySet<string>;
  readonly generated: string;
  readonly passwords: readonly string[];
}

let witness: Witness;

/** Other users of this host can read every argv; environments are root's to read, and in a crash report. */
function watchProcesses(): { readonly seen: Set<string>; stop(): void } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
      for (const file of ["cmdline", "environ"]) {
        try {
          seen.add(readFileSync(`/proc/${pid}/${file}`, "latin1"));
        } catch {
          // It has ended meanwhile.
        }
      }
    }
  };
  const timer = setInterval(look, 40);
  return { seen, stop: () => clearInterval(timer) };
}

beforeAll(async () => {
  const registry = keep(await place({ adopt: false }));
  const proxy = keep(await wireProxy());
  const watch = watchProcesses();
  const outputs: ProgramResult[] = [];
  const env = { DOCKER_HOST: proxy.endpoint };
  const loud = ["--debug", "--verbose", "--json"];
  const run = async (args: readonly string[], input?: string): Promise<ProgramResult> => {
    const result = await registry.must([...args, ...loud], { env, ...(input === undefined ? {} : { input }) });
    outputs.push(result);
    return result;
  };
  const names = ["--name", registry.name, "--port", String(registry.port)];
  const made = await run(["init", registry.directory, "--yes", ...names, ...(await quickFlags())]);
  const generated = (JSON.parse(made.stdout) as { data: { password: string } }).data.password;
  const passwords = [generated, secretForTest(), secretForTest()];
  await run(["adduser", "ci", "--password-stdin"], passwords[1]);
  await run(["passwd", "ci", "--password-stdin"], passwords[2]);
  await edit(registry.directory, "level: info", "level: debug");
  await run(["up"]);
  await run(["certs", "renew"]);
  for (const args of [["status"], ["config", "show"], ["users"], ["certs"], ["ls"], ["restart"]]) await run(args);
  outputs.push(
    await registry.regctl(["logs"], { env }),
    await registry.regctl(["up", "--dry-run", "--debug"], { env }),
  );
  expect(await answer(registry, { user: "ci", password: passwords[2] as string })).toBe(200);
  watch.stop();
  witness = { registry, proxy, outputs, processes: watch.seen, generated, passwords };
});

/** The secrets there are now, by what they are, each in the spellings it could be written in. */
async function secrets(): Promise<ReadonlyMap<string, readonly string[]>> {
  const at = (path: string): Promise<string> => readFile(join(witness.registry.directory, path), "utf8");
  const found = new Map<string, readonly string[]>();
  for (const [index, password] of witness.passwords.entries()) found.set(`password ${index}`, spellings(password));
  const { httpSecret } = JSON.parse(await at(".regctl/secrets.json")) as { httpSecret: string };
  found.set("http secret", spellings(httpSecret));
  for (const file of ["certs/ca.key", "certs/domain.key"]) {
    // A line of base64 from the middle: whatever the key is wrapped in, it is there.
    const lines = (await at(file)).split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
    found.set(file, [lines[lines.length >> 1] as string, (lines[lines.length >> 1] as string).replaceAll("/", "\\/")]);
  }
  for (const [index, line] of (await at("auth/htpasswd")).trim().split("\n").entries())
    found.set(`hash ${index}`, [line.slice(line.indexOf(":") + 1)]);
  return found;
}

/** As it is, escaped in a URL, and at the three alignments of base64. */
function spellings(secret: string): string[] {
  const encoded = [0, 1, 2].map((offset) =>
    Buffer.from("\0".repeat(offset) + secret)
      .toString("base64")
      .slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + secret.length) * 4) / 3)),
  );
  return [secret, encodeURIComponent(secret), ...encoded];
}

/** Which secrets a text holds. */
async function leaksIn(text: string, except: RegExp = /^$/): Promise<string[]> {
  return [...(await secrets())]
    .filter(([what, ways]) => !except.test(what) && ways.some((way) => text.includes(way)))
    .map(([what]) => what);
}

describe("no secret", () => {
  it("is found by a search that finds nothing: it finds each where it belongs", async () => {
    const { registry } = witness;
    expect((await secrets()).size).toBe(8);
    for (const [file, what] of [
      ["certs/ca.key", "certs/ca.key"],
      ["certs/domain.key", "certs/domain.key"],
      ["registry/config.yml", "http secret"],
      ["auth/htpasswd", "hash 1"],
    ] as const) {
      expect(await leaksIn(await readFile(join(registry.directory, file), "utf8"))).toContain(what);
    }
    expect(await leaksIn(Buffer.from(`ci:${witness.passwords[2]}`).toString("base64"))).toEqual(["password 2"]);
  });

  it("is sent to the engine, in no request line, header or body", async () => {
    const requests = witness.proxy.requests();
    expect(requests.some(({ line }) => line.startsWith("POST ") && line.includes("/containers/create"))).toBe(true);
    expect(await leaksIn(witness.proxy.bytes().toString("latin1"))).toEqual([]);
  });

  it("is in docker inspect, the container's environment, its file system outside the mounts, or its log", async () => {
    const { registry } = witness;
    const { Id, State } = await onlyContainer(registry);
    expect(await leaksIn((await mustRun("docker", ["inspect", Id])).stdout)).toEqual([]);
    expect(await leaksIn(await readFile(`/proc/${State.Pid}/environ`, "latin1"))).toEqual([]);
    expect(await leaksIn(await readFile(`/proc/${State.Pid}/cmdline`, "latin1"))).toEqual([]);
    const log = await runProgram("docker", ["logs", Id]);
    expect((log.stdout + log.stderr).length).toBeGreaterThan(0);
    expect(await leaksIn(log.stdout + log.stderr)).toEqual([]);
    expect((await mustRun("docker", ["diff", Id])).stdout).not.toMatch(/^[AC] .*\.(key|json)$/m);
  });

  it("leaves the authority's key readable in the container: whoever breaks into the registry cannot sign", async () => {
    const { State } = await onlyContainer(witness.registry);
    expect(await readFile(`/proc/${State.Pid}/root/certs/ca.key`, "utf8")).toBe("");
    expect(await readFile(`/proc/${State.Pid}/root/certs/domain.crt`, "utf8")).toContain("BEGIN CERTIFICATE");
  });

  it("is in the arguments or the environment of any process", async () => {
    const all = [...witness.processes];
    expect(all.some((text) => text.includes("certs\0renew"))).toBe(true);
    expect(await leaksIn(all.join("\n"))).toEqual([]);
  });

  it("is in what regctl prints with --debug, but for the generated password, once, in init's answer", async () => {
    const [init, ...others] = witness.outputs as [ProgramResult, ...ProgramResult[]];
    expect(init.stdout.split(witness.generated)).toHaveLength(2);
    expect(await leaksIn(init.stderr)).toEqual([]);
    expect(await leaksIn(init.stdout, /^password 0$/)).toEqual([]);
    for (const { stdout, stderr } of others) expect(await leaksIn(stdout + stderr)).toEqual([]);
  });

  it("is in a file that others can read, or in the audit log", async () => {
    const { directory } = witness.registry;
    const { stdout } = await mustRun("find", [directory, "-type", "f", "-perm", "/044"]);
    const readable = stdout.split("\n").filter(Boolean);
    expect(readable).toContain(join(directory, "compose.yaml"));
    for (const file of readable)
      expect({ file, leaks: await leaksIn(await readFile(file, "utf8")) }).toEqual({ file, leaks: [] });
    const audit = await readFile(join(directory, ".regctl/audit.log"), "utf8");
    expect(
      audit
        .trim()
        .split("\n")
        .map((line) => line.split(" ").slice(2).join(" ")),
    ).toContain("certs renew ok");
    expect(await leaksIn(audit)).toEqual([]);
    const anywhere = await runProgram("grep", ["-rlF", "-e", witness.generated, directory]);
    expect(anywhere).toMatchObject({ exitCode: 1, stdout: "" });
  });

  it("is where a secret may be written but by its owner alone", async () => {
    const { directory } = witness.registry;
    for (const file of [
      "certs/ca.key",
      "certs/domain.key",
      "auth/htpasswd",
      "registry/config.yml",
      ".regctl/secrets.json",
    ]) {
      expect((await mustRun("stat", ["-c", "%a", join(directory, file)])).stdout.trim()).toBe("600");
    }
    for (const folder of ["certs", "auth", "registry", ".regctl"]) {
      expect((await mustRun("stat", ["-c", "%a", join(directory, folder)])).stdout.trim()).toBe("700");
    }
  });
});
