import type { Command } from "commander";

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
