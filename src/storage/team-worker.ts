/** A thread of a team: takes part in every phase it is told of. */
import { parentPort } from "node:worker_threads";
import { messageOf, systemCodeOf } from "../errors.ts";
import { join, type Phase, type PhaseAnswer, type PhaseMessage, takeFrom } from "./team.ts";

async function takePart(message: PhaseMessage): Promise<PhaseAnswer> {
  const control = new Int32Array(message.control);
  const task = (await import(message.taskUrl)) as { readonly [phase: string]: Phase<unknown, unknown> };
  // An empty phase only loads the task.
  if (message.count === 0 || !join(control)) return { output: undefined };
  const work = task[message.phase] as Phase<unknown, unknown>;
  const steps = work(message.input, takeFrom(control, message.count));
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return { output: step.value };
}

let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (message: PhaseMessage) => {
  last = last
    .then(() => takePart(message))
    .catch((error: unknown): PhaseAnswer => ({ failure: { message: messageOf(error), code: systemCodeOf(error) } }))
    .then((answer) => parentPort?.postMessage(answer));
});
