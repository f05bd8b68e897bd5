import { mustRun, type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { cachedProgram } from "./test-cache.ts";

/** Runs real `docker compose` (v2) on this host's engine: `compose(["up", "-d", "--wait"], { cwd: folder })`. */
export async function compose(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  await using configuration = temporaryDirectory("regctl-test-compose-");
  return await runProgram(cachedProgram("compose/usr/libexec/docker/cli-plugins/docker-compose"), args, {
    timeoutMs: 120_000,
    ...options,
    env: { DOCKER_CONFIG: configuration.path, HOME: configuration.path, ...options.env },
  });
}

/** `2.26.1-4`. */
export async function composeVersion(): Promise<string> {
  const binary = cachedProgram("compose/usr/libexec/docker/cli-plugins/docker-compose");
  return (await mustRun(binary, ["version", "--short"])).stdout.trim();
}
