/** One run of distribution's own collector in a container of its own. */
import type { ContainerSpec, Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { type CollectorOutput, readCollectorOutput } from "./collector-output.ts";
import type { OperationPorts } from "./ports.ts";
import { withStep } from "./with-step.ts";

export type ProvenOutput = CollectorOutput & { readonly proof: NonNullable<CollectorOutput["proof"]> };

const TELLING = /^failed to|panic:|level=(fatal|error)|configuration error|^Error:/;
const SHOWN_LINES = 5;

function words({ complaints }: CollectorOutput): string {
  const telling = complaints.filter((line) => TELLING.test(line));
  return (telling.length > 0 ? telling : complaints).slice(-SHOWN_LINES).join("\n");
}

async function failure(engine: Engine, id: string, exitCode: number, output: CollectorOutput): Promise<RegctlError> {
  const container = await engine.containers.inspect(id).catch(() => undefined);
  const said = words(output);
  const why = container?.outOfMemory === true ? "it ran out of memory" : `it ended with exit code ${exitCode}`;
  if (exitCode === 0)
    return new RegctlError(
      "operation-failed",
      `the registry's own collector did not run: it ended without counting what it marked${said === "" ? "" : `\n${said}`}`,
      { hint: "check that image: in regctl.yaml is one of distribution's registry" },
    );
  return new RegctlError(
    "operation-failed",
    `the registry's own collector failed: ${why}${said === "" ? "" : `\n${said}`}`,
    {
      hint:
        output.proof === undefined
          ? "nothing was deleted; correct what it says, then run the same command again"
          : "it had begun to delete, and what it deleted nothing needed; run the same command again",
    },
  );
}

/**
 * Starts it, reads all it writes, and waits for its end; the container is gone afterwards. Rejects with `operation-failed` and
 * its last words unless it ended with 0 and counted what it marked: an unknown flag ends with 0 as well.
 */
export async function runCollector(ports: OperationPorts, engine: Engine, spec: ContainerSpec): Promise<ProvenOutput> {
  const { signal } = ports;
  const title = spec.command?.includes("--dry-run") === true ? "look for garbage" : "collect garbage";
  return withStep(ports.progress, `${title} with the registry's own collector`, async (step) => {
    const id = await engine.containers.create(spec, { signal });
    try {
      const lines = await engine.containers.attach(id, { signal });
      await engine.containers.start(id, { signal });
      const output = await readCollectorOutput(lines, (what, done) => step.update(`${what} ${done}`));
      const exitCode = await engine.containers.wait(id, { signal });
      const { proof } = output;
      if (exitCode !== 0 || proof === undefined) throw await failure(engine, id, exitCode, output);
      return { value: { ...output, proof } };
    } finally {
      // What cannot be removed now is removed with what else is left: by the end of the collection, or by the next command.
      await engine.containers.remove(id, { force: true }).catch(() => undefined);
    }
  });
}
