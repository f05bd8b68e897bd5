import type { Command } from "commander";

/** Words of a command line that have to do with completion: the script's own verb, and the one the script calls. */
const VERBS = new Set(["completion", "complete"]);

export function isCompletion(argv: readonly string[]): boolean {
  return VERBS.has(argv[0] ?? "");
}

/** Puts the library's `completion` and its hidden `complete` in the place of the row in the command table. */
export async function addCompletion(program: Command): Promise<void> {
  const commands = program.commands as Command[];
  const row = commands.findIndex((command) => command.name() === "completion");
  const help = commands[row]?.description() ?? "";
  commands.splice(row, 1);
  const { default: tab } = await import("@bomb.sh/tab/commander");
  tab(program, { completionCommandName: "completion" });
  program.commands.find((command) => command.name() === "completion")?.description(help);
}
