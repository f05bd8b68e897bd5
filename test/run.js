/**
 * `npm test`: brings the machine and the build up to date, then runs every kind of test in order.
 * Arguments go to vitest (`npm test -- test/e2e/push.test.ts`). The last line is `N passed, N failed`.
 *
 * As root on Debian or Ubuntu whatever is missing is installed and an engine is started (and stopped again). Elsewhere the
 * tests that need what is missing are left out with the reason, and with CI=true that is a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const filters = process.argv.slice(2);
const isCi = process.env.CI === "true" || process.env.CI === "1";
const isRoot = process.getuid?.() === 0;
const cache =
  process.env.REGCTL_TEST_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? (isRoot ? "/var/cache" : join(homedir(), ".cache")), "regctl-test");
const work = mkdtempSync(join(tmpdir(), "regctl-test-run-"));
/** Short, as podman takes no path over 50 characters, and open to all, as tests run programs as other users. */
const temporary = mkdtempSync(join(tmpdir(), "rt-"));
chmodSync(temporary, 0o755);

/** Set by Ctrl-C or SIGTERM: what runs is ended, nothing more is started, and the engine is stopped all the same. */
let interruption;
const children = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    interruption = signal;
    for (const child of children) child.kill(signal);
  });
}

const say = (text) => console.log(`test: ${text}`);

/** Runs a program with this terminal; resolves to its exit code (1 after a signal). */
async function run(command, args, env = process.env) {
  if (interruption) throw new Error(`interrupted by ${interruption}`);
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  children.add(child);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  children.delete(child);
  if (interruption) throw new Error(`interrupted by ${interruption}`);
  return code ?? 1;
}

async function must(command, args) {
  const started = Date.now();
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${code}`);
  say(`${command} ${args.join(" ")} took ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** npm leaves a copy of what it installed; older than the lock file means something changed since. */
function modulesAreStale() {
  const installed = join(root, "node_modules/.package-lock.json");
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}

const engineAnswers = () =>
  spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 20_000 }).status === 0;

async function engineComesUp(isAlive) {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && isAlive()) {
    if (engineAnswers()) return true;
    await delay(200);
  }
  return engineAnswers();
}

/** Resolves to a function that stops what was started here. */
async function ensureEngine() {
  if (engineAnswers()) return async () => {};
  if (existsSync("/run/systemd/system")) {
    await must("systemctl", ["start", "docker"]);
    if (!(await engineComesUp(() => true)))
      throw new Error("the engine does not answer after `systemctl start docker`");
    return async () => {};
  }
  const logFile = join(cache, "dockerd.log");
  const log = openSync(logFile, "w");
  const env = { PATH: process.env.PATH, HOME: homedir() };
  const engine = spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log], env });
  let ended = false;
  const end = new Promise((resolve) => {
    const settle = () => {
      ended = true;
      resolve(undefined);
    };
    engine.once("exit", settle);
    engine.once("error", settle);
  });
  if (!(await engineComesUp(() => !ended))) {
    console.log(readFileSync(logFile, "utf8").split("\n").slice(-30).join("\n"));
    engine.kill("SIGTERM");
    throw new Error(`dockerd does not answer; its log is ${logFile}`);
  }
  say(`started dockerd (pid ${engine.pid}, log ${logFile})`);
  engine.unref();
  return async () => {
    say(`stopping dockerd (pid ${engine.pid})`);
    engine.ref();
    engine.kill("SIGTERM");
    await end;
  };
}

/** What this machine lacks for the tests on real parts; prepares it where that is possible. */
async function prepare() {
  if (isRoot && existsSync("/etc/debian_version")) {
    mkdirSync(cache, { recursive: true });
    await must(join(root, "test/prepare.sh"), [cache]);
    return { missing: [], stopEngine: await ensureEngine() };
  }
  const missing = [];
  if (!isRoot) missing.push("root (addresses, network namespaces and /etc/docker are changed)");
  if (!existsSync("/etc/debian_version")) missing.push("Debian or Ubuntu (clients and engine are installed with apt)");
  if (!engineAnswers()) missing.push("a Docker engine that answers");
  return { missing, stopEngine: async () => {} };
}

/** Runs one vitest project; every file that does not load and every error outside a test counts as a failed test. */
async function runProject(project, env) {
  const file = join(work, `${project}.json`);
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  if (filters.length > 0) args.push("--passWithNoTests", ...filters);
  say(`vitest: ${project}`);
  const code = await run(join(root, "node_modules/.bin/vitest"), args, env);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { testResults: [] };
  const tests = report.testResults.flatMap((suite) => suite.assertionResults);
  const count = (...states) => tests.filter((test) => states.includes(test.status)).length;
  const broken = report.testResults.filter(
    (suite) => suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = count("failed") + broken;
  return {
    project,
    passed: count("passed"),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count("pending", "skipped", "todo", "disabled"),
  };
}

/** Every spelling under which a secret could be found in an output: as it is and at the three alignments of base64. */
function spellings(secret) {
  const encoded = [0, 1, 2].map((offset) =>
    Buffer.from("\0".repeat(offset) + secret)
      .toString("base64")
      .slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + secret.length) * 4) / 3)),
  );
  return [secret, ...encoded];
}

/** The passwords tests made up must appear in nothing the program wrote; resolves to a result like a project's. */
function checkOutputs(directory) {
  const read = (name) =>
    existsSync(join(directory, name)) ? readFileSync(join(directory, name), "utf8").split("\n").filter(Boolean) : [];
  const secrets = new Set(read("secrets"));
  const outputs = read("outputs");
  if (secrets.size === 0 || outputs.length === 0)
    return { project: "no secret in any output", passed: 0, failed: 0, skipped: 0 };
  let failed = 0;
  for (const secret of secrets) {
    const leak = outputs.find((output) => spellings(secret).some((spelling) => output.includes(spelling)));
    if (leak === undefined) continue;
    failed = 1;
    const { args, test } = JSON.parse(leak);
    say(`a password is in the output of \`regctl ${args.join(" ")}\` (${test})`);
  }
  say(`looked for ${secrets.size} passwords in ${outputs.length} outputs: ${failed === 0 ? "none found" : "FOUND"}`);
  return { project: "no secret in any output", passed: 1 - failed, failed, skipped: 0 };
}

async function main() {
  const started = Date.now();
  if (modulesAreStale()) await must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  await must("npm", ["run", "--silent", "build"]);
  // A clone builds itself on first use; the tests find that done.
  await must(process.execPath, [join(root, "bin/regctl"), "--version"]);
  const { missing, stopEngine } = await prepare();
  const results = [];
  try {
    // What tests forget to remove goes with the folder.
    const env = { ...process.env, REGCTL_TEST_CACHE: cache, REGCTL_TEST_OUTPUTS: work, TMPDIR: temporary };
    // Tests that could use an engine must then use it, and fail without it.
    env.REGCTL_E2E = missing.length === 0 ? "1" : "0";
    for (const project of ["unit", "commands", "contract", "e2e"]) {
      if (project === "e2e" && missing.length > 0) continue;
      results.push(await runProject(project, env));
    }
    results.push(checkOutputs(work));
  } finally {
    await stopEngine();
  }
  for (const { project, passed, failed, skipped } of results) {
    say(`${project}: passed ${passed}, failed ${failed}, skipped ${skipped}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  let failed = sum("failed");
  if (missing.length > 0) {
    say(
      `NOT RUN: e2e, and contracts on the real engine. This machine lacks:\n${missing.map((item) => `  - ${item}`).join("\n")}`,
    );
    if (isCi) failed += 1;
  } else if (isCi && sum("skipped") > 0) {
    say(`${sum("skipped")} tests were skipped, which counts as a failure with CI=true`);
    failed += sum("skipped");
  }
  if (sum("passed") + failed === 0) {
    say("no test matched");
    failed = 1;
  }
  say(`took ${((Date.now() - started) / 1000).toFixed(0)} s`);
  return { passed: sum("passed"), failed };
}

let outcome;
try {
  outcome = await main();
} catch (error) {
  console.log(`test: ${error instanceof Error ? error.message : String(error)}`);
  outcome = { passed: 0, failed: 1 };
} finally {
  if (process.env.REGCTL_E2E_KEEP === "1") say(`kept ${work} and ${temporary}`);
  else for (const folder of [work, temporary]) rmSync(folder, { recursive: true, force: true });
}
const summary = `${outcome.passed} passed, ${outcome.failed} failed`;
// Whoever asks for the summary in a file prints it, after what npm has to say.
if (process.env.REGCTL_TEST_SUMMARY) writeFileSync(process.env.REGCTL_TEST_SUMMARY, `${summary}\n`);
else console.log(summary);
process.exitCode = outcome.failed === 0 ? 0 : 1;
