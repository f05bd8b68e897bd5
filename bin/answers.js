"use strict";
// What --version and --help print, written down when dist/ is built: loading the command table takes longer than Node's start.
const fs = require("node:fs");

const FILE = "dist/answers.json";
exports.FILE = FILE;
/** All that help and the version are made of. */
const SOURCES = ["src/cli.ts", "src/command-line.ts", "package.json"];
/** Columns the answers are wrapped for; the same as without a terminal. */
const WIDTH = 100;
const FULL_NAMES = { "-h": "--help", "-V": "--version" };

const mtime = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** `process.stdout` takes as long to set up as all the rest here; only a terminal needs it. */
const columns = () => (fs.fstatSync(1).isCharacterDevice() ? process.stdout.columns : undefined);

/** The answer to `regctl [VERB...] --help` and `regctl --version`; undefined = run the program. */
exports.knownAnswer = function knownAnswer(root, args) {
  const last = args[args.length - 1];
  const flag = FULL_NAMES[last] ?? last;
  if (flag !== "--help" && flag !== "--version") return undefined;
  const file = `${root}/${FILE}`;
  const written = mtime(file);
  // A package has no src/, and its files have whatever times unpacking gave them.
  const isClone = mtime(`${root}/src/cli.ts`) > 0;
  if (written === 0 || (isClone && SOURCES.some((source) => mtime(`${root}/${source}`) > written))) return undefined;
  const answers = JSON.parse(fs.readFileSync(file, "utf8"));
  const question = [...args.slice(0, -1), flag].join(" ");
  if (!Object.hasOwn(answers, question) || (columns() ?? WIDTH) < WIDTH) return undefined;
  return answers[question];
};

/** Prints it; a reader that closes the pipe early (`regctl --help | head`) is no failure. */
exports.print = function print(answer) {
  const bytes = Buffer.from(answer);
  let written = 0;
  try {
    while (written < bytes.length) written += fs.writeSync(1, bytes, written);
  } catch (error) {
    if (error.code === "EPIPE") return;
    if (error.code === "EAGAIN") {
      // A pipe that does not block is full.
      process.stdout.on("error", () => {});
      process.stdout.write(bytes.subarray(written));
      return;
    }
    process.stderr.write(`regctl: cannot write the answer: ${error.message}\n`);
    process.exitCode = 1;
  }
};
