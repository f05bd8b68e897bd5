"use strict";
const fs = require("node:fs");

const WAIT_MS = 50;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** One build at a time; a lock whose owner is dead is taken over. */
exports.withLock = function withLock(file, work) {
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const owner = Number(fs.readFileSync(file, { encoding: "utf8", flag: "r" }) || 0);
      if (owner > 0 && !isAlive(owner)) fs.rmSync(file, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
  try {
    work();
  } finally {
    fs.rmSync(file, { force: true });
  }
};
