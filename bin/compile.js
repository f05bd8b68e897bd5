"use strict";
// `npm run build`: src/ to dist/, and with it what bin/answers.js gives.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { FILE } = require("./answers.js");

const root = path.join(__dirname, "..");

/** The words of each command: `["certs", "issue"]`. */
function commandsBelow(command, words) {
  return [words, ...command.commands.flatMap((one) => commandsBelow(one, [...words, one.name()]))];
}

async function writeAnswers() {
  const { buildProgram } = await import(path.join(root, "dist", "cli.js"));
  const { main } = await import(path.join(root, "dist", "main.js"));
  const ask = async (question) => {
    let text = "";
    const stream = { write: (more) => (text += more) };
    const streams = { stdin: undefined, stdout: stream, stderr: stream };
    const surroundings = {
      streams,
      environment: {},
      workingDirectory: "/",
      programName: "regctl",
      userId: 0,
      groupId: 0,
    };
    const exitCode = await main(question, { ...surroundings, now: () => new Date() }, new AbortController().signal);
    if (exitCode !== 0) throw new Error(`regctl ${question.join(" ")} ended with ${exitCode}: ${text}`);
    return text;
  };
  const program = buildProgram({ streams: { stdout: {} } }, undefined, "", () => undefined);
  const answers = { "--version": await ask(["--version"]) };
  for (const words of commandsBelow(program, [])) {
    const question = [...words, "--help"];
    answers[question.join(" ")] = await ask(question);
  }
  const file = path.join(root, FILE);
  fs.writeFileSync(`${file}.new`, JSON.stringify(answers));
  fs.renameSync(`${file}.new`, file);
}

function compile() {
  const compiler = [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"];
  const { status } = spawnSync(process.execPath, compiler, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`the compiler ended with ${status}`);
}

async function build() {
  compile();
  await writeAnswers();
  fs.writeFileSync(path.join(root, "dist", ".built"), "");
}

build().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
