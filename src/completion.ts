import type { Command } from "commander";
import { COMPLETION_EXAMPLE, example } from "./command-line.ts";

/** Puts the library's `completion` and its hidden `complete` in the place of the row in the command table. */
export async function addCompletion(program: Command): Promise<void> {
  const commands = program.commands as Command[];
  const at = commands.findIndex((command) => command.name() === "completion");
  const [row] = commands.splice(at, 1);
  const { default: tab } = await import("@bomb.sh/tab/commander");
  tab(program, { completionCommandName: "completion" });
  const completion = program.commands.find((command) => command.name() === "completion");
  if (completion === undefined) throw new Error("the completion command was not added");
  example(completion.description(row?.description() ?? ""), COMPLETION_EXAMPLE);
}
