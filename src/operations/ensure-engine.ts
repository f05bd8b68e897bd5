/** A bare host gets an engine; one that has it but stopped gets it started. */
import type { Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import type { OperationPorts } from "./ports.ts";
import { proxyEnvironment } from "./proxy-environment.ts";
import { withStep } from "./with-step.ts";

/** What a look at the engine found, before anything was changed. */
export type EngineState =
  | { readonly kind: "answers"; readonly engine: Engine }
  /** Nothing installed: apt-get can change that as root on Debian and Ubuntu, elsewhere `steps` are for a person. */
  | { readonly kind: "missing"; readonly canInstall: boolean; readonly steps: readonly string[] }
  | { readonly kind: "stopped"; readonly dockerdPath: string; readonly error: RegctlError }
  | { readonly kind: "unusable"; readonly error: RegctlError };

export async function lookAtEngine(ports: OperationPorts): Promise<EngineState> {
  try {
    return { kind: "answers", engine: await ports.reconnectEngine() };
  } catch (error) {
    if (!(error instanceof RegctlError) || error.code === "interrupted") throw error;
    // An address somebody set says where the engine is; making another one would not be what they meant.
    const chosen = (ports.environment.DOCKER_HOST ?? "") !== "" || (ports.environment.DOCKER_CONTEXT ?? "") !== "";
    if (error.code !== "engine-unreachable" || chosen) return { kind: "unusable", error };
    const [{ findEngineInstall }, { readOsRelease, isDebianLike }, { manualInstallSteps }] = await Promise.all([
      import("../host/daemon.ts"),
      import("../host/os-release.ts"),
      import("../host/engine-packages.ts"),
    ]);
    const installed = await findEngineInstall();
    if (installed !== undefined) return { kind: "stopped", dockerdPath: installed.dockerdPath, error };
    const os = await readOsRelease();
    return { kind: "missing", canInstall: ports.isRoot && isDebianLike(os), steps: manualInstallSteps(os) };
  }
}

/** Installs and starts what `lookAtEngine` found missing; the caller has asked. */
export async function ensureEngine(ports: OperationPorts, state: EngineState): Promise<Engine> {
  if (state.kind === "answers") return state.engine;
  if (state.kind === "unusable") throw state.error;
  const env = proxyEnvironment(ports.environment);
  if (state.kind === "missing") {
    const { installEngine } = await import("../host/engine-packages.ts");
    await withStep(ports.progress, "install the Docker engine (apt-get install docker.io)", async (step) => {
      await installEngine({
        run: ports.run,
        uid: ports.userId,
        env,
        onLine: (line) => step.update(line),
        signal: ports.signal,
      });
      return { value: undefined };
    });
  }
  const answers = () =>
    ports.reconnectEngine().then(
      () => true,
      () => false,
    );
  // Installing it has started it already where systemd runs.
  if (!(await answers())) {
    const { startEngine } = await import("../host/daemon.ts");
    const { survivesReboot } = await withStep(ports.progress, "start the Docker engine", async () => ({
      value: await startEngine({ run: ports.run, isReady: answers, env, signal: ports.signal }),
    }));
    if (!survivesReboot)
      ports.output.note(
        "  without systemd nothing starts the engine after a reboot: run `dockerd` from your init system",
      );
  }
  return ports.engine();
}
