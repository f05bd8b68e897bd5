"use strict";
// First use from a clone: install the locked dependencies and compile; later uses only when a source is newer.
const fs = require("node:fs");
const path = require("node:path");

/** Every command pays for this walk: no objects but the times, and a name without a dot is a folder. */
function newest(folder) {
  let time = 0;
  for (const name of fs.readdirSync(folder)) {
    const file = `${folder}/${name}`;
    const changed = name.includes(".") ? fs.statSync(file).mtimeMs : newest(file);
    if (changed > time) time = changed;
  }
  return time;
}

function mtime(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 0 : stat.mtimeMs;
}

/** Everything it prints goes to stderr: stdout belongs to the command. */
function run(root, title, file, args) {
  const { execFileSync } = require("node:child_process");
  const started = Date.now();
  process.stderr.write(`regctl: ${title} …`);
  try {
    execFileSync(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    process.stderr.write(
      ` failed\n${error.stdout}${error.stderr}\n  hint: in ${root} run: ${file} ${args.join(" ")}\n`,
    );
    process.exit(1);
  }
  process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function isStale(root) {
  const built = mtime(path.join(root, "dist", "main.js"));
  return built === 0 || newest(path.join(root, "src")) > mtime(path.join(root, "dist", ".built"));
}

function installIfStale(root) {
  const installed = mtime(path.join(root, "node_modules", ".package-lock.json"));
  if (installed === 0 || mtime(path.join(root, "package-lock.json")) > installed) {
    run(root, "first use of this clone: installing dependencies", "npm", [
      "ci",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
    ]);
  }
}

exports.buildIfStale = function buildIfStale(root) {
  if (!isStale(root)) return;
  const { withLock } = require("./build-lock.js");
  withLock(path.join(root, ".build-lock"), () => {
    // Another run may have built it while this one waited.
    if (!isStale(root)) return;
    installIfStale(root);
    run(root, "building", process.execPath, [path.join("bin", "compile.js")]);
  });
};
