/** Carries a plan out. No decisions but one: a replacement that does not come up is undone. */
import type { ContainerSpec, Engine, ObservedContainer } from "../engine/engine.ts";
import { type ErrorCode, messageOf, RegctlError } from "../errors.ts";
import { nextName } from "./names.ts";
import type { Step } from "./plan.ts";

export interface ApplyOptions {
  readonly signal: AbortSignal;
  /** Resolves when the registry serves; rejects with what it says instead. */
  readonly untilServing: (containerId: string) => Promise<void>;
  /** Puts back the files the old container ran with, before it starts again. */
  readonly beforeRollback: () => Promise<void>;
}

async function startOrRemove(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  try {
    await engine.containers.start(id, { signal });
  } catch (error) {
    await engine.containers.remove(id, { force: true });
    throw error;
  }
}

/** The old container is kept, stopped, until the new one serves; if it never does, or the user stops it, the old one runs again. */
async function replace(
  engine: Engine,
  spec: ContainerSpec,
  old: ObservedContainer,
  options: ApplyOptions,
): Promise<void> {
  const { signal } = options;
  const id = await engine.containers.create({ ...spec, name: nextName(spec.name) }, { signal });
  try {
    await engine.containers.stop(old.id, { signal });
    await startOrRemove(engine, id, signal);
    await options.untilServing(id);
  } catch (error) {
    const { hint, rolledBack } = await rollBack(engine, id, old, options);
    if (signal.aborted) throw error;
    throw new RegctlError(codeOf(error), `the new ${spec.name} did not come up: ${messageOf(error)}`, {
      cause: error,
      hint,
      details: { rolledBack },
    });
  }
  await engine.containers.remove(old.id, { signal });
  await engine.containers.rename(id, spec.name, { signal });
}

/** A taken port stays the conflict it is. */
function codeOf(error: unknown): ErrorCode {
  return error instanceof RegctlError && error.code === "conflict" ? "conflict" : "operation-failed";
}

/** Never throws: what failed first is what the user has to hear. Resolves to what to do now. */
async function rollBack(
  engine: Engine,
  id: string,
  old: ObservedContainer,
  options: ApplyOptions,
): Promise<{ readonly hint: string; readonly rolledBack: boolean }> {
  try {
    await engine.containers.remove(id, { force: true });
    await options.beforeRollback();
    await engine.containers.start(old.id);
    return { hint: "the old container runs again; correct regctl.yaml and run `regctl up`", rolledBack: true };
  } catch (error) {
    const hint = `the old container could NOT be started again (${messageOf(error)}); run \`regctl up\` as soon as that is mended`;
    return { hint, rolledBack: false };
  }
}

/** Carries out one step; what was done when it fails stays, and the next plan goes on from there. */
export async function applyStep(engine: Engine, step: Step, options: ApplyOptions): Promise<void> {
  const { signal } = options;
  switch (step.action) {
    case "create-network":
      await engine.networks.create(step.network, { signal });
      return;
    case "remove-network":
      await engine.networks.remove(step.network.id, { signal });
      return;
    case "create-container": {
      const id = await engine.containers.create(step.container, { signal });
      await startOrRemove(engine, id, signal);
      await options.untilServing(id);
      return;
    }
    case "start-container":
      await engine.containers.start(step.container.id, { signal });
      await options.untilServing(step.container.id);
      return;
    case "replace-container":
      await replace(engine, step.container, step.old, options);
      return;
    case "rename-container":
      await engine.containers.rename(step.container.id, step.name, { signal });
      return;
    case "remove-container":
      await engine.containers.stop(step.container.id, { signal });
      await engine.containers.remove(step.container.id, { signal });
      return;
  }
}
