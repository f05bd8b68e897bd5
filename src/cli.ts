/** The command table: every verb, argument, flag and example on one page. A command's code is loaded when it is run. */
import { Command, Option } from "commander";
import { addStorageCommands } from "./cli-storage.ts";
import { COMPLETION_EXAMPLE, collect, example, wholeNumber, withPassword } from "./command-line.ts";
import type { Context, GlobalOptions, Surroundings } from "./context.ts";
import { RegctlError } from "./errors.ts";

/** What a command resolves to is its exit code when it is a number, else 0. */
type Run = (context: Context, ...args: never[]) => Promise<unknown>;

function addGlobalOptions(program: Command): void {
  program
    .option(
      "-C, --dir <folder>",
      "folder of the deployment (else REGCTL_DIR, regctl.yaml here or above, the only one on the engine)",
    )
    .option("--json", "one JSON document on stdout; errors as JSON on stderr", false)
    .option("-q, --quiet", "print only the result", false)
    .option("-v, --verbose", "say more", false)
    .option("--debug", "show the stack and causes of an error", false)
    .option("-y, --yes", "take defaults, agree to questions", false)
    .option("--no-input", "never ask")
    .option("--no-color", "no colours (also NO_COLOR)")
    .option("--timeout <seconds>", "how long to wait for the registry, or for another regctl", wholeNumber(1, 86_400));
}

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed or declined, 2 wrong usage or configuration (nothing touched), 3 not healthy or drifted,
4 engine unreachable or not permitted, 5 conflict or lock held, 70 a bug, 130/143 interrupted.`;

/** Builds the program; an action's exit code is handed to `setExitCode`. */
export function buildProgram(
  surroundings: Surroundings,
  signal: AbortSignal,
  version: string,
  setExitCode: (code: number) => void,
): Command {
  const { stdout } = surroundings.streams;
  const program = new Command("regctl")
    .description(
      "A private Docker registry on one host: encrypted, authenticated, trusted by every client, and kept healthy",
    )
    .exitOverride()
    // Help is an answer, also where a verb is missing; errors are reported where all are, in `main`.
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stdout.write(text),
      outputError: () => undefined,
    })
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(stdout.columns ?? 100, 100) })
    .showSuggestionAfterError()
    .version(version, "-V, --version")
    .helpCommand(false)
    .addHelpText("after", EXIT_CODES);
  addGlobalOptions(program);

  const action =
    (load: () => Promise<Run>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1) as Command;
      const { createContext } = await import("./context.ts");
      const context = createContext(command.optsWithGlobals<GlobalOptions>(), surroundings, signal);
      try {
        const run = (await load()) as (context: Context, ...args: unknown[]) => Promise<unknown>;
        // Options that a verb and its sub-verb both have (`trash purge --data`) are parsed as the verb's.
        const shared = command.parent === program ? {} : command.parent?.opts();
        const answer = await run(context, ...given.slice(0, -2), { ...command.opts(), ...shared });
        setExitCode(typeof answer === "number" ? answer : 0);
      } finally {
        await context.close();
      }
    };

  program.commandsGroup("Deployment:");
  const init = program
    .command("init [folder]")
    .description("make a deployment: engine, image, certificates, first user, registry (folder: ./registry)")
    .option("--name <name>", "name of the deployment (the folder's)")
    .option("--domain <host>", "host name or IP address clients use (localhost)")
    .option("--san <host>", "a further name the certificate covers; repeat, or separate by commas", collect)
    .option("--bind <address>", "address to publish the port on (0.0.0.0; 127.0.0.1 without TLS or users)")
    .option("--port <port>", "port clients connect to (5000)", wholeNumber(1, 65_535))
    .option("--image <reference>", "registry image (registry:2)")
    .option("--distribution <major>", "2 or 3, when the image's tag does not begin with it", wholeNumber(2, 3))
    .addOption(
      new Option("--tls <mode>", "where the certificate comes from (own-ca)").choices(["own-ca", "provided", "none"]),
    )
    .option("--cert <file>", "with --tls provided: certificate, PEM in any order, DER or PKCS#12")
    .option("--key <file>", "with --tls provided: its private key")
    .option("--chain <file>", "with --tls provided: intermediates, when they are in a file of their own")
    .addOption(new Option("--auth <mode>", "who may use it (htpasswd)").choices(["htpasswd", "none"]))
    .option("--user <name>", "name of the first user (admin)")
    .option("--data <folder>", "where the images are kept (data, inside the folder)")
    .option(
      "--bcrypt-cost <cost>",
      "cost of password hashes, paid on every request: 5 = 2 ms, 10 = 50 ms, 12 = 210 ms (10)",
      wholeNumber(5, 14),
    )
    .option("--install-engine", "install and start docker.io with apt-get when the host has no engine")
    .option("--offline", "never use the network: the image has to be on the engine already")
    .option("--no-start", "write the files, start nothing")
    .option("--insecure", "allow plain HTTP, or no users, beyond loopback");
  example(
    withPassword(init),
    "regctl init --yes",
    "regctl init /srv/registry --domain registry.example.com --user ci --password-file ./pw --yes",
  ).action(action(async () => (await import("./commands/init.ts")).init));
  example(
    program
      .command("up")
      .description("make what runs agree with regctl.yaml")
      .option("--dry-run", "show the plan only")
      .option("--offline", "never use the network"),
    "regctl up --dry-run",
  ).action(action(async () => (await import("./commands/up.ts")).up));
  example(
    program
      .command("down")
      .description("remove the containers and the network; everything in the folder is kept")
      .option("--dry-run", "show the plan only"),
    "regctl down",
  ).action(action(async () => (await import("./commands/down.ts")).down));
  example(
    program.command("restart").description("stop and start the registry; uploads under way are finished first"),
    "regctl restart",
  ).action(action(async () => (await import("./commands/restart.ts")).restart));
  example(
    program.command("status").description("health, drift, certificate, users, disk; exit 3 when something is wrong"),
    "regctl status --json",
  ).action(action(async () => (await import("./commands/status.ts")).status));
  const doctor = program
    .command("doctor")
    .description("find what keeps clients from the registry, each with cause and fix; exit 3 when there is something")
    .option("--from-client <registry>", "look at any registry from here: URL, HOST:PORT or image; needs no deployment")
    .option("--ca <file>", "with --from-client: the CA that clients were given")
    .option("--user <name>", "log in as this user (else docker's stored login)")
    .option("--fix", "mend what can be mended without a risk: shown first, asked unless --yes");
  example(
    withPassword(doctor),
    "regctl doctor",
    "regctl doctor --from-client registry.example.com:5000 --ca ca.crt --user ci --password-file ./pw",
  ).action(action(async () => (await import("./commands/doctor.ts")).doctor));
  const logs = program
    .command("logs")
    .description("what the registry says")
    .option("-f, --follow", "go on until interrupted")
    .option("--tail <lines>", "only the last lines", wholeNumber(0, 1_000_000))
    .option("--since <time>", "only since then: RFC 3339 time, or 10m, 2h")
    .option("-t, --timestamps", "put the time before each line");
  example(logs, "regctl logs -f --tail 20").action(action(async () => (await import("./commands/logs.ts")).logs));
  example(program.command("ls").description("every deployment on this engine"), "regctl ls").action(
    action(async () => (await import("./commands/ls.ts")).ls),
  );
  const destroy = program
    .command("destroy")
    .description("remove the deployment; images, users, certificates and regctl.yaml are kept unless --data")
    .option("--data", "remove those as well, for good")
    .option("--confirm <name>", "with --yes: the deployment's name, in place of typing it")
    .option("--dry-run", "show the plan only");
  example(destroy, "regctl destroy", "regctl destroy --data --yes --confirm registry").action(
    action(async () => (await import("./commands/destroy.ts")).destroy),
  );

  addStorageCommands(program, action);

  program.commandsGroup("Users:");
  example(
    withPassword(
      program.command("adduser <name>").description("add a user; works on the next request, without a restart"),
    ),
    "regctl adduser ci",
    "pass show ci | regctl adduser ci --password-stdin",
  ).action(action(async () => (await import("./commands/users.ts")).adduser));
  example(
    withPassword(program.command("passwd <name>").description("change a user's password")),
    "regctl passwd ci --password-file ./pw",
  ).action(action(async () => (await import("./commands/users.ts")).passwd));
  example(program.command("rmuser <name>").description("remove a user"), "regctl rmuser ci").action(
    action(async () => (await import("./commands/users.ts")).rmuser),
  );
  example(
    program.command("users").description("list the users and what each one's password check costs"),
    "regctl users --json",
  ).action(action(async () => (await import("./commands/users.ts")).users));

  program.commandsGroup("Certificates:");
  const certs = example(
    program.command("certs").description("show the certificate: names, issuer, days left, fingerprints"),
    "regctl certs",
    "regctl certs ca /tmp/ca.crt",
  ).action(action(async () => (await import("./commands/certs.ts")).certs));
  example(
    certs.command("issue <host...>").description("add names to regctl.yaml and issue a certificate that covers them"),
    "regctl certs issue registry.lan 192.168.1.10",
  ).action(action(async () => (await import("./commands/certs.ts")).certsIssue));
  example(
    certs.command("renew").description("a new certificate under the same authority; clients notice nothing"),
    "regctl certs renew",
  ).action(action(async () => (await import("./commands/certs.ts")).certsRenew));
  example(
    certs.command("ca [file]").description("print the authority clients have to trust, or copy it to a file"),
    "regctl certs ca > ca.crt",
  ).action(action(async () => (await import("./commands/certs.ts")).certsCa));

  program.commandsGroup("Configuration and images:");
  const config = example(
    program.command("config").description("show, check and describe regctl.yaml").helpCommand(false),
    "regctl config show",
  );
  example(
    config.command("show").description("every value in force and where it comes from"),
    "regctl config show",
  ).action(action(async () => (await import("./commands/config.ts")).configShow));
  example(
    config.command("validate").description("check regctl.yaml; every problem with its line; exit 2 when there is one"),
    "regctl config validate",
  ).action(action(async () => (await import("./commands/config.ts")).configValidate));
  example(
    config.command("schema").description("JSON Schema of regctl.yaml, for editors"),
    "regctl config schema > regctl.schema.json",
  ).action(action(async () => (await import("./commands/config.ts")).configSchema));
  const images = example(
    program.command("images").description("get registry images, and carry them across an air gap").helpCommand(false),
    "regctl images list",
  );
  example(
    images.command("list").description("registry images of this engine and who uses them"),
    "regctl images list",
  ).action(action(async () => (await import("./commands/images.ts")).imagesList));
  example(
    images.command("pull [reference]").description("pull the deployment's image, or another"),
    "regctl images pull registry:2",
  ).action(action(async () => (await import("./commands/images.ts")).imagesPull));
  example(
    images.command("build").description("make the registry image from this host's distribution packages"),
    "regctl images build",
  ).action(action(async () => (await import("./commands/images.ts")).imagesBuild));
  example(
    images
      .command("save [reference...]")
      .description("write images and their checksum to files")
      .requiredOption("-o, --output <file>", "the archive to write"),
    "regctl images save -o registry.tar",
  ).action(action(async () => (await import("./commands/images.ts")).imagesSave));
  example(
    images.command("load <file>").description("check and load what `images save` wrote"),
    "regctl images load registry.tar",
  ).action(action(async () => (await import("./commands/images.ts")).imagesLoad));

  program.commandsGroup("regctl:");
  example(
    program.command("completion <shell>").description("print the completion script of a shell: bash, zsh, fish"),
    COMPLETION_EXAMPLE,
  ).action(async () => undefined);
  example(
    program
      .command("version")
      .description("versions of regctl and Node, with --engine also the engine's")
      .option("--engine", "ask the engine too"),
    "regctl version --engine",
  ).action(
    action(async () => {
      const { version: run } = await import("./commands/version.ts");
      return (context: Context, flags: { engine?: boolean }) => run(context, version, flags);
    }),
  );
  example(program.command("help [command...]").description("help for a command"), "regctl help certs issue").action(
    (words: readonly string[]) => helpFor(program, words),
  );
  return program;
}

/** Help of the command that the words name; an unknown one is an error like any other. */
function helpFor(program: Command, words: readonly string[]): void {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined)
      throw new RegctlError("usage", `unknown command '${words.join(" ")}'`, {
        hint: "`regctl --help` lists all of them",
      });
    command = next;
  }
  command.help();
}
