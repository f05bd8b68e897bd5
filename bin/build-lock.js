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

/** 0 when the lock went away meanwhile. */
function ownerOf(file) {
  try {
    return Number(fs.readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

/** One build at a time; a lock whose owner is dead is taken over. */
exports.withLock = function withLock(file, work) {
  for (;;) {
    try {
      // Linked into place whole: a lock without an owner could not be judged.
      const own = `${file}.${process.pid}`;
      fs.writeFileSync(own, String(process.pid));
      try {
        fs.linkSync(own, file);
      } finally {
        fs.rmSync(own, { force: true });
      }
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const owner = ownerOf(file);
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
