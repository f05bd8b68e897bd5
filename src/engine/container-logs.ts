import type Docker from "dockerode";
import type { Containers, LogLine } from "./engine.ts";
import { type FailureContext, interruption, translateFailure } from "./errors.ts";
import { abortable, getStream } from "./requests.ts";
import { frames } from "./streams.ts";

/** The output of a container, as `Containers.logs` promises it. */
export async function* containerLogs(
  docker: Docker,
  id: string,
  { signal, follow, tail, since, timestamps = false }: Parameters<Containers["logs"]>[1],
): AsyncGenerator<LogLine> {
  const doing = `read the logs of container ${id}`;
  const endsQuietly = () => follow && signal?.aborted === true;
  try {
    const { Config } = await docker.getContainer(id).inspect(abortable(signal));
    const query = {
      follow,
      stdout: true,
      stderr: true,
      timestamps,
      tail: tail ?? "all",
      ...(since && { since: toUnixSeconds(since) }),
    };
    const stream = await getStream(docker, `/containers/${id}/logs`, query, signal);
    yield* Config.Tty ? terminalOutput(stream) : frames(stream);
  } catch (error) {
    if (endsQuietly()) return;
    throw translateFailure(error, { doing, signal });
  }
  if (signal?.aborted && !follow) throw interruption({ doing, signal });
}

/** What a container without a terminal writes, as `Containers.attach` promises it. */
export async function containerOutput(
  docker: Docker,
  id: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<LogLine>> {
  const context = { doing: `read the output of container ${id}`, signal };
  const query = { stream: true, stdout: true, stderr: true };
  try {
    return translated(frames(await getStream(docker, `/containers/${id}/attach`, query, signal, "POST")), context);
  } catch (error) {
    throw translateFailure(error, context);
  }
}

async function* translated(lines: AsyncIterable<LogLine>, context: FailureContext): AsyncGenerator<LogLine> {
  try {
    yield* lines;
  } catch (error) {
    throw translateFailure(error, context);
  }
  if (context.signal?.aborted) throw interruption(context);
}

/** The engine takes no other form of time. */
function toUnixSeconds(time: string): string {
  return String(Date.parse(time) / 1000);
}

/** A container with a terminal writes one unframed stream. */
async function* terminalOutput(stream: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  for await (const chunk of stream) yield { stream: "stdout", data: Buffer.from(chunk) };
}
