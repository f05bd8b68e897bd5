/**
 * Runs command lines of the built program one after another in a process of its own, which can be told to kill itself after
 * one of its changes to the file system, or to stop for a while before some of its calls: what a busy machine does to it.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Readable, Writable } from "node:stream";

const CHANGES = ["copyFileSync", "linkSync", "mkdirSync", "renameSync", "rmdirSync", "unlinkSync", "writeSync"];
const LOOKS = ["lstatSync", "openSync", "readdirSync"];

let changes = 0;
let calls = 0;
/** Of the command that runs: kill itself after that many changes; wait before these calls. */
let killAt = 0;
let stalls = new Map();

const sleepWord = new Int32Array(new SharedArrayBuffer(4));

for (const name of [...CHANGES, ...LOOKS]) {
  const original = fs[name];
  const isChange = CHANGES.includes(name);
  fs[name] = (...args) => {
    calls += 1;
    const stallMs = stalls.get(calls);
    if (stallMs !== undefined) Atomics.wait(sleepWord, 0, 0, stallMs);
    const result = original.apply(fs, args);
    if (isChange) {
      changes += 1;
      if (changes === killAt) process.kill(process.pid, "SIGKILL");
    }
    return result;
  };
}
syncBuiltinESMExports();

const { main } = await import("../../dist/main.js");

async function run({ argv, nowOffsetMs, stalls: wanted, killAt: wantedKill }) {
  const outputs = { stdout: "", stderr: "" };
  const stream = (name) =>
    new Writable({
      write(chunk, _encoding, done) {
        outputs[name] += String(chunk);
        done();
      },
    });
  changes = 0;
  calls = 0;
  killAt = wantedKill;
  stalls = new Map(wanted);
  const exitCode = await main(
    argv,
    {
      streams: { stdin: Readable.from([""]), stdout: stream("stdout"), stderr: stream("stderr") },
      environment: { HOME: "/nonexistent" },
      workingDirectory: "/",
      programName: "regctl",
      userId: process.getuid(),
      groupId: process.getgid(),
      now: () => new Date(Date.now() + nowOffsetMs),
    },
    new AbortController().signal,
  );
  killAt = 0;
  stalls = new Map();
  return { exitCode, ...outputs, changes, calls };
}

process.on("message", async (request) => {
  const answer = await run(request).catch((error) => ({ exitCode: 70, stdout: "", stderr: String(error.stack) }));
  process.send(answer);
});
process.send("ready");
