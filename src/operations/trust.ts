/** Making clients trust a deployment: kits, and running them here or through ssh. A kit is the only thing that installs. */
import { certificateHosts } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { lastLines } from "../last-lines.ts";
import { checksOf, type KitEvent, parseEvents, renderEvents, type TrustCheck } from "../trust/events.ts";
import { CLIENT_NAMES } from "../trust/kit.ts";
import type { TrustSubject } from "../trust/subject.ts";
import { loadDeployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";
import { clientAuthorities } from "./trusted-authorities.ts";

/** undefined = a public authority issued the certificate: clients trust it already. */
export async function findTrustSubject(ports: OperationPorts, directory: string): Promise<TrustSubject | undefined> {
  const { config } = await loadDeployment(directory);
  if (config.tls.mode === "none") {
    throw new RegctlError(
      "precondition-failed",
      "this registry speaks plain HTTP (tls.mode is none): there is no certificate that clients could trust",
      {
        hint: "set tls.mode: own-ca in regctl.yaml and run `regctl up`; `regctl trust insecure --explain` says what the alternative means",
      },
    );
  }
  const { current, previous } = await clientAuthorities(directory);
  if (current.length === 0) {
    if (config.tls.mode === "provided") return undefined;
    throw new RegctlError("not-found", "there is no certs/ca.crt", {
      hint: "put it back from a backup, or run `regctl up`",
    });
  }
  const [{ trustSubject }, { normalizeHosts }] = await Promise.all([
    import("../trust/subject.ts"),
    import("../pki/san.ts"),
  ]);
  const hosts = certificateHosts(config).flatMap((host) => normalizeHosts([host]).map(({ value }) => value));
  const { name, port } = config;
  const subject = trustSubject({ name, port, hosts, authorityPems: [...current, ...previous], now: ports.now() });
  if (subject.wildcards.length > 0) {
    ports.output.warn(
      `${subject.wildcards.join(", ")}: docker, podman and containerd need each name; add those that are used with \`regctl certs issue NAME\``,
    );
  }
  if (/^(localhost|127\.|::1$)/.test(subject.hosts[0] ?? ""))
    ports.output.warn(`${subject.hosts[0]} is a name of this machine alone: others cannot reach the registry by it`);
  return subject;
}

/** Names of clients as `--client` has them. Throws `usage` for one that no kit knows. */
function requireClients(clients: string | undefined): string[] {
  const names = clients === undefined ? [] : clients.split(",");
  const unknown = names.find((name) => name !== "all" && !CLIENT_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new RegctlError("usage", `there is no kit for the client ${JSON.stringify(unknown)}`, {
    hint: `the clients are ${CLIENT_NAMES.join(", ")}; kubernetes and windows with \`regctl trust kit\` alone`,
  });
}

/** `clients` is what the kit fills unless it is told otherwise; undefined = all that it finds. */
export async function renderShellKit(subject: TrustSubject, clients?: string): Promise<string> {
  const names = requireClients(clients);
  const [{ KIT_PARTS, renderKit }, { readTemplate }] = await Promise.all([
    import("../trust/kit.ts"),
    import("../project/templates.ts"),
  ]);
  return renderKit(subject, await Promise.all(KIT_PARTS.map((part) => readTemplate(`trust/${part}`))), names);
}

export interface KitRun {
  /** `user@host`, `host`; undefined = this machine. */
  readonly host?: string | undefined;
  readonly mode: "install" | "check";
  readonly clients?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly undo?: boolean | undefined;
  readonly restart?: boolean | undefined;
  readonly user?: boolean | undefined;
}

export interface KitOutcome {
  /** 0 done, 1 something failed, 3 not trusted. */
  readonly exitCode: 0 | 1 | 3;
  readonly events: readonly KitEvent[];
}

/** What tells programs where their configuration is, or which authorities to trust; no secret is among them. */
const PASSED_ON =
  /^(HOME|USER|LOGNAME|SUDO_USER|XDG_(CONFIG_HOME|STATE_HOME|RUNTIME_DIR)|JAVA_HOME|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS_VERIFY)|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|GIT_SSL_CAINFO|NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)$/;

function passedOn(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found = Object.entries(environment).filter(([name, value]) => PASSED_ON.test(name) && value !== undefined);
  return Object.fromEntries(found) as Record<string, string>;
}

function kitArguments(run: KitRun): string[] {
  const clients = requireClients(run.clients);
  return [
    "--porcelain",
    ...(clients.length === 0 ? [] : ["--client", clients.join(",")]),
    ...(run.mode === "check" ? ["--check"] : []),
    ...(run.dryRun ? ["--dry-run"] : []),
    ...(run.undo ? ["--undo"] : []),
    ...(run.restart ? ["--restart"] : []),
    ...(run.user ? ["--user"] : []),
  ];
}

/** A user and a host as ssh takes them, and nothing it could take for an option or a command. */
export function requireDestination(text: string): string {
  if (/^([A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(text)) return text;
  if (/^([A-Za-z0-9_][A-Za-z0-9._-]*@)?[0-9A-Fa-f]*:[0-9A-Fa-f:.]+$/.test(text)) return text;
  throw new RegctlError("usage", `${JSON.stringify(text)} is not a destination for ssh`, {
    hint: "--over-ssh user@host; what else ssh has to know (a port, a key) belongs into ~/.ssh/config",
  });
}

/** Whoever logs in becomes root where that needs no password; the words after it are a kit's arguments, which need no quotes. */
function remoteCommand(args: readonly string[], asRoot: boolean): string {
  const words = args.join(" ");
  if (!asRoot) return `sh -s -- ${words}`;
  return `sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -s -- ${words}; else exec sudo -n sh -s -- ${words}; fi'`;
}

/** Runs a kit here or there and reads what it says. Throws RegctlError when it could not run, or refused before it began. */
export async function runKit(ports: OperationPorts, kit: string, run: KitRun): Promise<KitOutcome> {
  const args = kitArguments(run);
  const changes = run.mode === "install" && run.dryRun !== true && run.user !== true;
  const options = { input: kit, signal: ports.signal };
  const result =
    run.host === undefined
      ? await ports.run("sh", ["-s", "--", ...args], { ...options, env: passedOn(ports.environment) })
      : await ports.run(
          "ssh",
          [
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=15",
            "--",
            requireDestination(run.host),
            remoteCommand(args, changes),
          ],
          { ...options, env: { ...passedOn(ports.environment), ...sshEnvironment(ports.environment) } },
        );
  const { exitCode } = result;
  if (exitCode === 0 || exitCode === 1 || exitCode === 3) {
    const events = parseEvents(result.stdout);
    if (events.length > 0 || exitCode === 0) return { exitCode, events };
  }
  throw kitError(run, exitCode, result.stderr);
}

/** The verdicts among the events, and all of them for people to read. */
export function summarize(events: readonly KitEvent[]): {
  readonly checks: readonly TrustCheck[];
  readonly text: string;
} {
  return { checks: checksOf(events), text: renderEvents(events) };
}

/** The agent that holds the keys of whoever runs regctl. */
function sshEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const agent = environment.SSH_AUTH_SOCK;
  return agent === undefined ? {} : { SSH_AUTH_SOCK: agent };
}

function kitError(run: KitRun, exitCode: number, stderr: string): RegctlError {
  const issues = lastLines(stderr, 6).map((message) => ({ path: run.host ?? "sh", message }));
  const text = stderr.trim();
  const cause = { issues };
  if (run.host !== undefined && exitCode === 255)
    return new RegctlError("operation-failed", `ssh cannot log in to ${run.host} without asking`, {
      ...cause,
      hint: `make \`ssh ${run.host} true\` work without a question (a key, the host's key known), then run this again`,
    });
  if (run.host !== undefined && /(^|: )sudo: /m.test(text))
    return new RegctlError(
      "permission-denied",
      `root is needed on ${run.host}, and sudo does not give it there without a password`,
      {
        ...cause,
        hint: "log in as root, or write the kit to a file and run it there: regctl trust kit -o kit.sh",
      },
    );
  if (exitCode === 2)
    return new RegctlError("usage", (lastLines(text, 2)[0] ?? "the kit refused").replace(/^-s --: /, ""), {
      hint: /hint: (.*)/.exec(text)?.[1],
    });
  return new RegctlError("operation-failed", `the kit ended with exit code ${exitCode}`, cause);
}
