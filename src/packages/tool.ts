import { RegctlError } from "../errors.ts";
import type { CommandResult, RunCommand, RunOptions } from "../host/command.ts";
import { lastLines } from "../last-lines.ts";
import { failIfFull } from "./space.ts";

const ELSEWHERE_HINT =
  "on a machine that can pull or has apt: `regctl images save`, then here: `regctl images load`; or set another image in regctl.yaml";

/** Runs one of the programs every Debian system has; its absence means that this is none. */
export async function runTool(
  run: RunCommand,
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<CommandResult> {
  try {
    return await run(file, args, options);
  } catch (cause) {
    if (!(cause instanceof RegctlError) || cause.code !== "not-found") throw cause;
    throw new RegctlError(
      "image-unavailable",
      `cannot assemble the image: this host has no ${file}, it takes a Debian or Ubuntu one`,
      {
        cause,
        hint: ELSEWHERE_HINT,
        details: { reason: "no-packages" },
      },
    );
  }
}

/** Like `runTool`, for programs that only fail when the host does. */
export async function mustRunTool(
  run: RunCommand,
  file: string,
  args: readonly string[],
  options: RunOptions & { readonly directory: string },
): Promise<string> {
  const { directory, ...rest } = options;
  const { exitCode, stdout, stderr } = await runTool(run, file, args, rest);
  if (exitCode === 0) return stdout;
  const lines = lastLines(stderr, 4);
  await failIfFull(directory);
  throw new RegctlError(
    "image-unavailable",
    `cannot assemble the image: ${file} ended with ${exitCode}: ${lines.join("; ")}`,
    {
      hint: ELSEWHERE_HINT,
      details: { command: [file, ...args].join(" "), exitCode },
    },
  );
}

/** apt could not deliver. */
export async function downloadError(
  packages: readonly string[],
  stderr: string,
  directory: string,
): Promise<RegctlError> {
  await failIfFull(directory);
  return new RegctlError("image-unavailable", `cannot download the packages ${packages.join(", ")}`, {
    issues: lastLines(stderr, 6).map((message) => ({ path: "apt-get", message })),
    hint: `see that \`apt-get update && apt-get download ${packages.join(" ")}\` works here; else, ${ELSEWHERE_HINT}`,
    details: { reason: "download" },
  });
}
