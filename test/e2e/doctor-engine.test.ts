/** A Docker Engine of a machine of its own, set up wrongly and mended again: doctor names what was done, and nothing else. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../support/doctor-report.ts";
import { keep } from "../support/e2e-deployment.ts";
import { type EngineMachine, engineMachine } from "../support/engine-machine.ts";
import { eventually } from "../support/eventually.ts";

let engine: EngineMachine;
beforeAll(async () => {
  engine = keep(await engineMachine());
});

async function finding(id: string): Promise<Finding> {
  const found = await engine.findings();
  expect([...found.keys()]).toEqual([id]);
  return found.get(id) as Finding;
}

/** The engine reads its daemon.json without a restart. */
async function reload(settings: object): Promise<void> {
  await engine.configure(JSON.stringify(settings));
  await engine.must("kill -HUP $(cat /run/docker.pid)");
}

const OTHER = "--insecure-registry=10.253.0.0/16";
const NOWHERE = "http://127.0.0.1:9";

describe("an engine", () => {
  it("as it was installed gives no reason to complain", async () => {
    expect(await engine.verdicts()).toEqual({});
  });

  it("whose daemon.json has mirrors: one that is silent, one that answers, none again", async () => {
    await reload({ "registry-mirrors": [NOWHERE] });
    expect((await finding("mirrors")).cause).toContain(`${NOWHERE}/, which takes no connection`);
    // Without the key the engine keeps what it had.
    await reload({});
    expect((await finding("mirrors")).fix).toContain('"registry-mirrors": []');
    await reload({ "registry-mirrors": ["http://127.0.0.1:5000"] });
    expect(await engine.verdicts()).toEqual({});
    await reload({ "registry-mirrors": [] });
  });

  it("whose daemon.json has the registry among the insecure ones, and has not any more", async () => {
    await reload({ "insecure-registries": [engine.at] });
    expect((await finding("insecure-registries")).cause).toContain(engine.at);
    await reload({});
    const kept = await finding("engine-insecure-registries");
    expect(kept.cause).toContain("was in its daemon.json");
    expect(kept.fix).toContain('"insecure-registries": [] in /etc/docker/daemon.json');
    await reload({ "insecure-registries": [] });
    expect(await engine.verdicts()).toEqual({});
    await reload({ "insecure-registries": ["10.253.0.0/16"] });
    expect(await engine.verdicts()).toEqual({ "insecure-registries": "warning" });
    await reload({ "insecure-registries": ["other.engine.test:5000", "192.0.2.0/24"] });
    expect(await engine.verdicts()).toEqual({});
  });

  it("that was started with the registry as an insecure one, by name or by network, and with a proxy in between", async () => {
    const proxy = { HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE };
    await engine.restart({ options: ["--insecure-registry", engine.at], environment: proxy });
    const found = await engine.findings();
    expect([...found.keys()]).toEqual(["engine-proxy", "engine-insecure-registries"]);
    expect(found.get("engine-insecure-registries")?.cause).toContain(`--insecure-registry ${engine.at}`);
    expect(found.get("engine-proxy")?.cause).toContain(`asks a proxy for ${engine.at}`);
    // Its own pulls go there.
    expect((await engine.machine.sh(`docker pull ${engine.at}/a/b:c`)).stderr).toContain("127.0.0.1:9");
    const exempt = { ...proxy, NO_PROXY: ".engine.test" };
    await engine.restart({ options: [OTHER], environment: exempt });
    expect((await finding("engine-insecure-registries")).cause).toContain("10.253.0.0/16");
    expect((await engine.machine.sh(`docker pull ${engine.at}/a/b:c`)).stderr).not.toContain("127.0.0.1:9");
  });

  it.each<[string, string, RegExp]>([
    ["a comma too many", '{ "debug": true, }', /position 17/],
    ["nothing in it", "\n", /it is empty/],
    [
      "what is an option as well",
      '{ "insecure-registries": [] }',
      /insecure-registries is there and on dockerd's command line/,
    ],
  ])("whose daemon.json has %s: it runs on, and does not start again", async (_what, text, why) => {
    await engine.configure(text);
    const found = (await engine.findings()).get("daemon-configuration");
    expect(found).toMatchObject({ verdict: "broken", cause: expect.stringMatching(why) });
    expect(await engine.refusal([OTHER])).toContain("unable to configure the Docker daemon");
  });

  it("that reads another file than usual", async () => {
    const setup = { options: ["--config-file", "/etc/docker/other.json"] };
    await engine.must("echo '{}' > /etc/docker/other.json");
    await engine.restart({ ...setup, configuration: JSON.stringify({ "registry-mirrors": [NOWHERE] }) });
    expect(await engine.verdicts()).toEqual({});
    await engine.must("echo '{' > /etc/docker/other.json");
    expect((await finding("daemon-configuration")).cause).toContain("/etc/docker/other.json");
    await engine.must("rm /etc/docker/other.json /etc/docker/daemon.json");
  });

  it("that read the system's store of authorities before the registry's CA came there", async () => {
    const pull = async () => (await engine.machine.sh(`docker pull ${engine.at}/a/b:c`)).stderr;
    expect(await pull()).toContain("x509");
    const file = "/usr/local/share/ca-certificates/reg.crt";
    await engine.must(`cp ${engine.directory}/certs/ca.crt ${file} && update-ca-certificates`);
    expect((await finding("engine-trust-store")).cause).toContain(`refuses ${engine.at}`);
    await engine.must("kill -HUP $(cat /run/docker.pid)");
    expect(await pull()).toContain("x509");
    await engine.restart();
    expect(await pull()).toContain("no basic auth credentials");
    expect(await engine.verdicts()).toEqual({});
  });
});

describe("the registry's network", () => {
  it("that sends bigger packets than the uplink takes; the fix is what doctor says", async () => {
    const uplink = "$(ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/')";
    await engine.must(`ip link set ${uplink} mtu 1400`);
    const { cause, fix } = await finding("mtu");
    expect(cause).toMatch(/reg_default have up to 1500 bytes .* takes 1400/);
    const [down = "", create = "", up = ""] = fix.split(" && ");
    expect([down, up]).toEqual(["regctl down", "regctl up"]);
    expect(await engine.regctl(["down"])).toMatchObject({ exitCode: 0 });
    await engine.must(create);
    expect(await engine.regctl(["up"])).toMatchObject({ exitCode: 0 });
    expect(await engine.verdicts()).toEqual({});
  });
});

describe("the registry's container", () => {
  /** Connections that are held, each with its buffers: the registry soon has more than it may. */
  const HOLD = `
    const connect = () => require("node:tls").connect({ port: 5000, rejectUnauthorized: false }).on("error", () => {});
    setInterval(() => { for (let n = 0; n < 100; n += 1) connect(); }, 50);
    setTimeout(() => process.exit(), Number(process.argv[1]));
  `;
  const inspect = async (what: string): Promise<string> =>
    (await engine.must(`docker inspect --format '{{${what}}}' ${engine.container}`)).trim();

  it("that the kernel killed for want of memory, and that was started again and again", async () => {
    await engine.must(`docker update --memory 12m --memory-swap 12m --restart no ${engine.container}`);
    engine.machine.start("node", ["-e", HOLD, "1000"]);
    await eventually(async () => (await inspect(".State.OOMKilled")) === "true");
    expect((await engine.findings()).get("container")).toMatchObject({
      verdict: "broken",
      cause: expect.stringContaining("exited (exit code 137: the kernel killed it: out of memory)"),
    });
    await engine.must(`docker update --restart unless-stopped ${engine.container}; docker start ${engine.container}`);
    await eventually(async () => {
      const [status, pid, restarts] = (await inspect(".State.Status}} {{.State.Pid}} {{.RestartCount")).split(" ");
      if (status === "running" && Number(restarts) < 5) await engine.must(`kill -KILL ${pid}`);
      return status === "running" && Number(restarts) >= 5;
    }, 40_000);
    const { cause } = await finding("container");
    expect(cause).toMatch(/was restarted \d+ times, the last time at /);
    // What runs has no exit code yet.
    expect(cause).not.toContain("exit code");
    await engine.must(`docker rm --force ${engine.container}`);
    expect(await engine.regctl(["up"])).toMatchObject({ exitCode: 0 });
    expect(await engine.verdicts()).toEqual({});
  });
});
