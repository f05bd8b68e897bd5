/** A piece of regctl's work without the start of the process and the loading of its modules: tasks.js in a Node of its own. */
import { fileURLToPath } from "node:url";
import { REGCTL } from "./machine.js";
import { run } from "./measure.js";

const TASKS = fileURLToPath(new URL("tasks.js", import.meta.url));

/** Resolves to what the task found, with the `wallMs` and `cpuMs` of its work, including the CPU of the registry it asked. */
export async function work(task, options) {
  const { stdout } = await run("node", [TASKS, task, JSON.stringify(options)]);
  return JSON.parse(stdout);
}

/** In a clone regctl builds itself when it is first run, which tasks do not. */
export async function build() {
  await run(REGCTL, ["repos", "--help"]);
}
