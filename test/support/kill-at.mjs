/**
 * A preload (`node --import kill-at.mjs program`) that numbers everything the process does to the world outside it and
 * kills it with SIGKILL right after the step REGCTL_TEST_KILL_AT. With 0 it only counts. The steps so far are written to
 * the file REGCTL_TEST_STEPS, one JSON document a line, when the process ends or is killed.
 *
 * A step is: a file opened for writing, the first write to an open file, and every other change of the file system
 * (whole `writeFile`s are one step, as are recursive ones); the answer (no 4xx) of an engine to a POST, PUT or DELETE on a Unix
 * socket, and once more the end of an answer that reports progress; the end of a child process.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import childProcess from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const killAt = Number(process.env.REGCTL_TEST_KILL_AT ?? "0");
const stepsFile = process.env.REGCTL_TEST_STEPS;
const writeSteps = fs.writeFileSync;
// Opened before the program can give up its rights, which it does for work in a storage that is somebody else's.
const stepsDescriptor = stepsFile === undefined || !isMainThread ? undefined : fs.openSync(stepsFile, "w");
const steps = [];

function record() {
  if (stepsDescriptor === undefined) return;
  writeSteps(stepsDescriptor, steps.map((step) => `${JSON.stringify(step)}\n`).join(""));
}

function step(kind, what) {
  steps.push({ number: steps.length + 1, kind, what });
  if (steps.length !== killAt) return;
  inside.run(true, record);
  process.kill(process.pid, "SIGKILL");
}

process.on("exit", () => inside.run(true, record));

/** True within a file system call that is already being counted: Node builds some of them from others. */
const inside = new AsyncLocalStorage();
const isCounted = () => inside.getStore() === true;

/** What is written through each open file descriptor, until its first write. */
const opened = new Map();

function isWriting(flags) {
  if (typeof flags === "string") return /[wa+]/.test(flags);
  return (
    ((flags ?? 0) & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC)) !== 0
  );
}

const nameOf = (path) => (path instanceof URL ? path.pathname : String(path));
const isDevice = (path) => nameOf(path).startsWith("/dev/");

/** Calls of the file system by name: what to say about one, or undefined when it is no step. */
const twoPaths = (from, to) => `${nameOf(from)} -> ${nameOf(to)}`;
const onePath = (path) => (typeof path === "number" ? (opened.get(path)?.path ?? `descriptor ${path}`) : nameOf(path));
const changes = {
  rename: twoPaths,
  link: twoPaths,
  symlink: twoPaths,
  copyFile: twoPaths,
  cp: twoPaths,
  writeFile: (path) => (isStandard(path) || isDevice(path) ? undefined : onePath(path?.fd ?? path)),
  appendFile: (path) => (isStandard(path) || isDevice(path) ? undefined : onePath(path?.fd ?? path)),
  mkdir: onePath,
  mkdtemp: onePath,
  unlink: onePath,
  rm: onePath,
  rmdir: onePath,
  truncate: onePath,
  ftruncate: onePath,
  chmod: onePath,
  fchmod: onePath,
  lchmod: onePath,
  chown: onePath,
  fchown: onePath,
  lchown: onePath,
  open: (path, flags) => (isWriting(flags ?? "r") && !isDevice(path) ? onePath(path) : undefined),
  write: firstWrite,
  writev: firstWrite,
};

const isStandard = (descriptor) => typeof descriptor === "number" && descriptor <= 2;

function firstWrite(descriptor) {
  const file = opened.get(descriptor);
  if (file === undefined || file.isWritten) return undefined;
  file.isWritten = true;
  return file.path;
}

/** A new description of what was opened: a descriptor's number is used again after it was closed. */
function remember(descriptor, path, flags) {
  if (isWriting(flags ?? "r") && !isDevice(path)) opened.set(descriptor, { path: nameOf(path), isWritten: false });
  else opened.delete(descriptor);
}

for (const [name, describe] of Object.entries(changes)) {
  patchSync(`${name}Sync`, name, describe);
  patchCallback(name, describe);
  if (name !== "write" && name !== "writev") patchPromise(fs.promises, name, describe);
}

function patchSync(method, kind, describe) {
  const original = fs[method];
  if (original === undefined) return;
  fs[method] = function (...args) {
    if (isCounted()) return original.apply(this, args);
    const result = inside.run(true, () => original.apply(this, args));
    if (kind === "open") remember(result, args[0], args[1]);
    const what = describe(...args);
    if (what !== undefined) step(kind, what);
    return result;
  };
}

function patchCallback(kind, describe) {
  const original = fs[kind];
  if (original === undefined) return;
  fs[kind] = function (...args) {
    const callback = args.at(-1);
    if (isCounted() || typeof callback !== "function") return original.apply(this, args);
    const context = AsyncLocalStorage.snapshot();
    const done = (error, ...results) => {
      if (!error) {
        if (kind === "open") remember(results[0], args[0], typeof args[1] === "function" ? "r" : args[1]);
        const what = describe(...args.slice(0, -1));
        if (what !== undefined) step(kind, what);
      }
      return context(callback, error, ...results);
    };
    return inside.run(true, () => original.apply(this, [...args.slice(0, -1), done]));
  };
  // `util.promisify` finds what it needs on some of them (`fs.write`).
  Object.defineProperties(fs[kind], Object.getOwnPropertyDescriptors(original));
}

function patchPromise(target, kind, describe) {
  const original = target[kind];
  if (original === undefined) return;
  target[kind] = async function (...args) {
    if (isCounted()) return original.apply(this, args);
    const result = await inside.run(true, () => original.apply(this, args));
    if (kind === "open") {
      patchHandle(result);
      remember(result.fd, args[0], args[1]);
    }
    const what = describe(...args);
    if (what !== undefined) step(kind, what);
    return result;
  };
}

/** The methods of a FileHandle are inherited from one prototype, which only an instance leads to. */
function patchHandle(handle) {
  const prototype = Object.getPrototypeOf(handle);
  if (Object.hasOwn(prototype, "isPatched")) return;
  Object.defineProperty(prototype, "isPatched", { value: true });
  const kinds = ["write", "writev", "writeFile", "appendFile", "truncate", "chmod", "chown"];
  for (const kind of kinds) {
    const original = prototype[kind];
    prototype[kind] = async function (...args) {
      if (isCounted()) return original.apply(this, args);
      const { fd } = this;
      const result = await inside.run(true, () => original.apply(this, args));
      const what = kind.startsWith("write") && kind !== "writeFile" ? firstWrite(fd) : onePath(fd);
      if (what !== undefined) step(kind, what);
      return result;
    };
  }
}

const PROGRESS = /\/(images\/(create|load)|build)(\?|$)/;

diagnostics.subscribe("http.client.response.finish", ({ request, response }) => {
  const isRefused = response.statusCode >= 400 && response.statusCode < 500;
  if (!request.socketPath || isRefused || !["POST", "PUT", "DELETE"].includes(request.method)) return;
  const what = `${request.method} ${request.path} ${response.statusCode}`;
  step("engine", what);
  if (PROGRESS.test(request.path)) response.once("end", () => step("engine", `${what} ended`));
});

diagnostics.subscribe("child_process", ({ process: child }) => {
  child.once("exit", (code) => step("child", `${child.spawnargs?.join(" ")} ${code}`));
});

for (const method of ["spawnSync", "execSync", "execFileSync"]) {
  const original = childProcess[method];
  childProcess[method] = function (...args) {
    const result = original.apply(this, args);
    step("child", [args[0], ...(Array.isArray(args[1]) ? args[1] : [])].join(" "));
    return result;
  };
}

syncBuiltinESMExports();
