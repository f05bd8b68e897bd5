/**
 * A machine with a Docker Engine of its own (its daemon.json, its variables, its images) and a deployment on it: what is done
 * to that engine is done to nobody else's.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ClientMachine, clientMachine } from "./client-machine.ts";
import { type Finding, findingsIn } from "./doctor-report.ts";
import { registryImage } from "./e2e-deployment.ts";
import { eventually } from "./eventually.ts";
import { secretForTest } from "./recorded-outputs.ts";
import { REGCTL } from "./regctl.ts";
import { mustRun, type ProgramOptions, type ProgramResult } from "./run-program.ts";

export interface EngineSetup {
  /** Text of /etc/docker/daemon.json; undefined = there is none. */
  readonly configuration?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly options?: readonly string[] | undefined;
}

export interface EngineMachine extends AsyncDisposable {
  readonly machine: ClientMachine;
  /** Of the deployment, as this machine knows it. */
  readonly directory: string;
  /** The registry's container. */
  readonly container: string;
  /** `registry.engine.test:5000`. */
  readonly at: string;
  /** Stops the engine and starts it anew; resolves when it answers and the registry's container is up again. */
  restart(setup?: EngineSetup): Promise<void>;
  /** What another engine says that is started with these options and the daemon.json there is, and ends at once. */
  refusal(options: readonly string[]): Promise<string>;
  configure(text: string | undefined): Promise<void>;
  /** A command on the machine that has to succeed; resolves to what it wrote. */
  must(script: string): Promise<string>;
  regctl(args: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
  /** Everything `regctl doctor` finds, by the check's id; what it could not look at (it has no login) is left out. */
  findings(): Promise<Map<string, Finding>>;
  /** `{ mirrors: "warning" }`. */
  verdicts(): Promise<Record<string, string>>;
}

const NAME = "registry.engine.test";
const DIRECTORY = "/root/reg";
const DAEMON_FILE = "/etc/docker/daemon.json";

/** With a deployment that runs. */
export async function engineMachine(): Promise<EngineMachine> {
  const image = await registryImage();
  const machine = await clientMachine({});
  const must = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await machine.sh(script);
    if (exitCode !== 0) throw new Error(`${script} ended with exit code ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  };
  const configure = async (text: string | undefined): Promise<void> => {
    const file = machine.path(DAEMON_FILE);
    if (text === undefined) return rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  const start = ({ environment = {}, options = [] }: EngineSetup): void => {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const script = 'exec "$@" >/var/log/dockerd.log 2>&1';
    machine.start("sh", ["-c", script, "sh", "env", ...variables, "dockerd", ...options]);
  };
  const answers = (): Promise<unknown> => eventually(() => must("docker version"), 60_000, 100);
  const stop = async (): Promise<void> => {
    await must("kill -TERM $(cat /run/docker.pid)");
    await eventually(async () => (await machine.sh("pgrep -x dockerd")).exitCode !== 0, 30_000);
  };
  const regctl: EngineMachine["regctl"] = (args, options) =>
    machine.runHostProgram(process.execPath, [REGCTL, ...args, "-C", DIRECTORY], { timeoutMs: 100_000, ...options });
  const findings = async (): Promise<Map<string, Finding>> => {
    const { stdout, stderr } = await regctl(["doctor", "--json"]);
    if (stdout === "") throw new Error(stderr);
    return findingsIn(stdout);
  };
  const container = "reg-registry-1";
  const engine: EngineMachine = {
    machine,
    directory: DIRECTORY,
    container,
    at: `${NAME}:5000`,
    configure,
    must,
    regctl,
    findings,
    verdicts: async () => Object.fromEntries([...(await findings())].map(([id, { verdict }]) => [id, verdict])),
    async restart(setup = {}) {
      await stop();
      await configure(setup.configuration);
      start(setup);
      await answers();
      await eventually(() => must(`curl --silent --insecure https://${NAME}:5000/v2/`), 30_000);
    },
    refusal: async (options) => (await machine.run("dockerd", options)).stderr,
    async [Symbol.asyncDispose]() {
      // Control groups are this host's: they go with their container, and with nothing else.
      await machine.sh("docker rm --force $(docker ps --all --quiet)");
      await machine[Symbol.asyncDispose]();
    },
  };
  try {
    await writeFile(machine.path("/etc/hosts"), `127.0.0.1 localhost\n${machine.network.address} ${NAME}\n`);
    await mustRun("docker", ["save", "--output", machine.path("/root/image.tar"), image]);
    start({});
    await answers();
    await must("docker load --input /root/image.tar");
    const flags = ["--domain", NAME, "--san", machine.network.address, "--image", image, "--offline"];
    const quick = ["--yes", "--bcrypt-cost", "5", "--user", "admin", "--password-stdin"];
    const made = await machine.runHostProgram(process.execPath, [REGCTL, "init", DIRECTORY, ...flags, ...quick], {
      input: secretForTest(),
      timeoutMs: 100_000,
    });
    if (made.exitCode !== 0) throw new Error(made.stderr);
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}
