import { Readable, Writable } from "node:stream";
import type { Surroundings } from "../../src/context.ts";

/** A run of regctl with nothing around it: no terminal, no environment, nobody who reads what it writes. */
export function surroundingsFor(change: Partial<Surroundings> = {}): Surroundings {
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  return {
    streams: { stdin: Readable.from([""]), stdout: nowhere(), stderr: nowhere() },
    environment: { HOME: "/nonexistent" },
    workingDirectory: "/",
    programName: "regctl",
    userId: process.getuid?.() ?? 0,
    groupId: process.getgid?.() ?? 0,
    now: () => new Date(),
    ...change,
  };
}
