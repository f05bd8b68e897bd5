/** The command table's page of what clients trust. */
import { type Command, Option } from "commander";
import { type Action, example } from "./command-line.ts";
import { KIT_FORMATS } from "./trust/formats.ts";

const CLIENTS =
  "only these, with commas between: docker, podman, containerd, k3s, system, java… (else all that are found)";

/** Options of everything that runs a kit. */
function withRun(command: Command): Command {
  return command
    .option("--dry-run", "say what would be done, change nothing")
    .option("--undo", "take back what was done; every file is as it was before")
    .option("--restart", "restart what reads its files only when it starts; never dockerd")
    .option("--user", "for one user alone, without root: podman, skopeo, rootless docker, git");
}

export function addTrustCommands(program: Command, action: Action): void {
  const trust = example(
    program.command("trust").description("make clients trust the registry, on any machine").helpCommand(false),
    "regctl trust kit -o kit.sh",
    "regctl trust check",
  );
  example(
    withRun(
      trust
        .command("kit")
        .description("one script that makes a machine's clients trust the registry, checks, and can undo")
        .option("--client <names>", CLIENTS)
        .option("-o, --output <file>", "where to write it (- is stdout)")
        .addOption(
          new Option("--format <format>", "sh; ps1 for Windows; yaml for Kubernetes; tar, all of them (sh)").choices(
            KIT_FORMATS,
          ),
        )
        .option("--over-ssh <user@host>", "run it there instead, through ssh"),
    ),
    "regctl trust kit -o kit.sh && scp kit.sh build1: && ssh build1 sudo sh kit.sh",
    "regctl trust kit --over-ssh root@build1",
    "regctl trust kit --client kubernetes | kubectl apply -f -",
  ).action(action(async () => (await import("./commands/trust.ts")).trustKit));
  example(
    withRun(
      trust
        .command("install")
        .description("make this machine's clients trust the registry, and check")
        .option("--client <names>", CLIENTS),
    ),
    "sudo regctl trust install",
    "sudo regctl trust install --client docker,podman --dry-run",
    "sudo regctl trust install --undo",
  ).action(action(async () => (await import("./commands/trust.ts")).trustInstall));
  example(
    trust
      .command("check")
      .description("ask the registry with every client of this machine; exit 3 when one does not trust it")
      .option("--client <names>", CLIENTS)
      .option("--user", "what one user alone has, without root")
      .option("--over-ssh <user@host>", "of that machine instead, through ssh"),
    "regctl trust check --json",
    "regctl trust check --over-ssh build1",
  ).action(action(async () => (await import("./commands/trust.ts")).trustCheck));
  const insecure = example(
    trust
      .command("insecure")
      .description("say what insecure-registries of the Docker engine means, and what to do instead")
      .option("--explain", "the same"),
    "regctl trust insecure --explain",
  ).action(action(async () => (await import("./commands/trust-insecure.ts")).trustInsecure));
  example(
    insecure
      .command("install")
      .description("have this machine's engine take any certificate for the registry; asks, or needs --yes"),
    "sudo regctl trust insecure install --yes",
  ).action(action(async () => (await import("./commands/trust-insecure.ts")).trustInsecureInstall));
  example(
    insecure.command("remove").description("have it check again; at once, without a restart"),
    "sudo regctl trust insecure remove",
  ).action(action(async () => (await import("./commands/trust-insecure.ts")).trustInsecureRemove));
}
