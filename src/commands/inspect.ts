import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import { type InspectRequest, inspectImage, rawManifest } from "../operations/inspect.ts";
import { shownText } from "../shown-name.ts";
import { accessFlags, type LookFlags, warnOf } from "./access-flags.ts";
import { imageData } from "./inspect-data.ts";
import { renderImage } from "./inspect-text.ts";

export interface InspectFlags extends LookFlags {
  readonly raw?: boolean;
}

async function printRaw(context: Context, request: InspectRequest): Promise<void> {
  const { bytes, problem } = await rawManifest(context, request);
  if (bytes === undefined) {
    throw new RegctlError("operation-failed", `the manifest of ${request.image} cannot be read: ${problem}`, {
      hint: "`regctl fsck` looks for what is damaged",
    });
  }
  context.output.raw(bytes);
}

/** Exit 3 when the image cannot be pulled as a whole. */
export async function inspect(context: Context, image: string, flags: InspectFlags): Promise<number> {
  const request = { ...(await accessFlags(context, flags)), image };
  if (flags.raw === true) {
    await printRaw(context, request);
    return 0;
  }
  const inspected = await inspectImage(context, request);
  const { problem, missing } = inspected;
  const what = missing.map(({ what: part, digest, why }) => `${part} ${digest}: ${why}`);
  warnOf(context, (problem === undefined ? what : [problem, ...what]).map(shownText));
  context.output.result("inspect", imageData(inspected), renderImage(inspected), inspected.found.digest);
  return problem === undefined && missing.length === 0 ? 0 : 3;
}
