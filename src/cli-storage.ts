/** The command table's page of what is stored: seeing, deleting, retention, collecting, checking. */
import { type Command, Option } from "commander";
import { type Action, collect, duration, example, percentage, withPassword } from "./command-line.ts";

const DATA = "storage folder of a registry, instead of a deployment's";

const WEEK_MS = 7 * 86_400_000;

/** Options of everything that removes into the trash. */
function withTrash(command: Command): Command {
  return command
    .option("--dry-run", "show what would be removed and freed")
    .option("--keep <duration>", "how long it can be brought back (7d)", duration, WEEK_MS)
    .option("--purge", "remove it for good")
    .option("--confirm <name>", "with --purge and --yes: the first name, in place of typing it")
    .option("--no-sizes", "do not work out what it frees")
    .option("--data <folder>", DATA);
}

/** Options of everything that looks at images, on disk or over the registry's API. */
function withAccess(command: Command): Command {
  return withPassword(
    command
      .option("--data <folder>", DATA)
      .option("--api", "ask the registry, also when its storage is on this host")
      .option("--user <name>", "with --api: whom to log in as (else what `docker login` stored)"),
  );
}

function sortOption(...orders: readonly [string, ...string[]]): Option {
  return new Option("--sort <order>", `by what to sort, the largest or newest first (${orders[0]})`).choices(orders);
}

export function addStorageCommands(program: Command, action: Action): void {
  program.commandsGroup("Images and storage:");
  example(
    withAccess(
      program
        .command("repos [pattern...]")
        .description("repositories (globs too): tags, size, what each alone needs, last push")
        .option("--no-sizes", "names only, at once")
        .addOption(sortOption("name", "size", "exclusive", "pushed")),
    ),
    "regctl repos --sort exclusive",
    "regctl repos 'team/*' --data /var/lib/registry",
  ).action(action(async () => (await import("./commands/repos.ts")).repos));
  example(
    withAccess(
      program
        .command("tags <repository>")
        .description("tags of a repository: digest, platforms, size, age, siblings on the same image")
        .addOption(sortOption("name", "size", "pushed")),
    ),
    "regctl tags team/app --sort pushed",
  ).action(action(async () => (await import("./commands/tags.ts")).tags));
  example(
    withAccess(
      program
        .command("inspect <image>")
        .description("all of an image: platforms, configuration, layers, signatures; exit 3 when a part is missing")
        .option("--raw", "print the manifest as it is stored"),
    ),
    "regctl inspect team/app:1.4",
    "regctl inspect team/app:1.4 --raw | sha256sum",
  ).action(action(async () => (await import("./commands/inspect.ts")).inspect));
  example(
    program
      .command("du [name...]")
      .description("what the storage is filled with; with names, what deleting all of them would free")
      .option("--data <folder>", DATA),
    "regctl du",
    "regctl du team/old team/app:1.4",
  ).action(action(async () => (await import("./commands/du.ts")).du));
  example(
    withTrash(
      program
        .command("rm-repo <repository...>")
        .description("remove repositories (globs too); `undo` brings them back"),
    ),
    "regctl rm-repo team/old",
    "regctl rm-repo 'scratch/**' --dry-run",
  ).action(action(async () => (await import("./commands/rm.ts")).rmRepo));
  example(
    withTrash(
      program.command("rm-tag <image...>").description("remove tags only, never their siblings on the same image"),
    ),
    "regctl rm-tag team/app:1.4",
    "regctl rm-tag 'team/app:pr-*'",
  ).action(action(async () => (await import("./commands/rm.ts")).rmTag));
  example(
    withTrash(
      program.command("rm-image <image...>").description("remove a manifest with all its tags, signatures and SBOMs"),
    ),
    "regctl rm-image team/app:1.4",
  ).action(action(async () => (await import("./commands/rm.ts")).rmImage));
  example(
    program
      .command("prune")
      .description("remove what the retention policy (regctl.yaml, or these flags) gives up; a preview unless --apply")
      .option("--apply", "remove it; `undo` brings it back")
      .option("--explain <image>", "which rule decides about an image, and why")
      .option("--keep <number>", "keep so many newest tags of each repository")
      .option("--by <date>", "newest by push or by build (push)")
      .option("--newer-than <age>", "keep what is newer: 30d, 12h, 2w")
      .option("--tags <glob>", "only tags like these; repeat, or separate by commas", collect)
      .option("--semver <range>", "only tags that are versions in this range")
      .option("--repo <glob>", "only these repositories; repeat, or separate by commas", collect)
      .option("--untagged [age]", "also manifests without a tag that are older (7d)")
      .option("--protect <pattern>", "never REPOSITORY[:TAG], globs both; repeat, or separate by commas", collect)
      .option("--no-protect-in-use", "also what containers and services of this engine use")
      .option("--trash <duration>", "how long it can be brought back (7d)", duration, WEEK_MS)
      .option("--settle <duration>", "wait for pushes under way (10s; 0 when nothing runs)", duration)
      .option("--api", "ask the registry although its files are here; what goes that way is gone for good")
      .option("--confirm <name>", "over the API, with --yes: the deployment's name, in place of typing it")
      .option("--data <folder>", DATA),
    "regctl prune --keep 10",
    "regctl prune --repo 'team/*' --tags 'pr-*' --newer-than 14d --apply",
    "regctl prune --explain team/app:1.4",
  ).action(action(async () => (await import("./commands/prune.ts")).prune));
  const trash = example(
    program
      .command("trash")
      .description("what was removed and can still be brought back")
      .option("--data <folder>", DATA),
    "regctl trash",
  ).action(action(async () => (await import("./commands/trash.ts")).trash));
  example(
    trash
      .command("purge [id...]")
      .description("empty the trash for good: these entries, or all")
      .option("--all", "every entry")
      .option("--confirm <name>", "with --yes: the first id, or `all`, in place of typing it")
      .option("--data <folder>", DATA),
    "regctl trash purge 20260101-0a1b2c",
  ).action(action(async () => (await import("./commands/trash.ts")).trashPurge));
  example(
    program
      .command("undo <id>")
      .description("bring back what a removal, prune or repair took")
      .option("--data <folder>", DATA),
    "regctl undo 20260101-0a1b2c",
  ).action(action(async () => (await import("./commands/trash.ts")).undo));
  example(
    program
      .command("gc")
      .description("free what nothing needs, while the registry runs; pushes and pulls go on")
      .option("--untagged", "also manifests that no tag needs, directly or through an index or a subject")
      .option("--dry-run", "say what would be freed, change nothing")
      .option("--grace <duration>", "leave alone what is younger (1h)", duration)
      .option("--keep <duration>", "keep what was collected in the trash for so long (0)", duration)
      .option("--settle <duration>", "wait for pushes under way (10s; 0 when nothing runs)", duration)
      .option("--list", "name every blob and manifest")
      .addOption(
        new Option(
          "--engine <collector>",
          "regctl, or upstream: the registry's own, for other storage than files; pushes are refused meanwhile (regctl)",
        ).choices(["regctl", "upstream"]),
      )
      .option("--data <folder>", DATA)
      .option("--stopped", "with --data: no registry runs on it")
      .option("--uncached", "with --data: the registry that runs on it has no cache of blob descriptors"),
    "regctl gc --dry-run",
    "regctl gc --untagged --grace 24h",
    "regctl gc --data /var/lib/registry --stopped",
    "regctl gc --engine upstream --dry-run",
  ).action(action(async () => (await import("./commands/gc.ts")).gc));
  example(
    program
      .command("fsck")
      .description("check what is stored; exit 3 when something is wrong")
      .option("--sample <percent>", "hash only so many of the blobs, by chance", percentage)
      .option("--since <duration>", "hash only the blobs written within this time", duration)
      .option("--no-hash", "hash manifests only")
      .option("--repair", "put right what can be, the rest goes to the trash; `undo` brings it back")
      .option("--dry-run", "with --repair: say what it would do")
      .option("--keep <duration>", "with --repair: how long it can be brought back (7d)", duration, WEEK_MS)
      .option("--data <folder>", DATA),
    "regctl fsck",
    "regctl fsck --sample 10%",
    "regctl fsck --repair",
  ).action(action(async () => (await import("./commands/fsck.ts")).fsck));
}
