import type Docker from "dockerode";
import type { Containers, LogLine } from "./engine.ts";
import { interruption, translateFailure } from "./errors.ts";
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

/** The engine takes no other form of time. */
function toUnixSeconds(time: string): string {
  return String(Date.parse(time) / 1000);
}

/** A container with a terminal writes one unframed stream. */
async function* terminalOutput(stream: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  for await (const chunk of stream) yield { stream: "stdout", data: Buffer.from(chunk) };
}
