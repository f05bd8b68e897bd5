/**
 * `npm run soak -- --schedules 5000 --seed 1`: many more random schedules than `npm test` has time for, of everything that
 * pushes, removes, collects and kills, on a real registry. What failed is told with the seed that runs it alone.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: { schedules: { type: "string", default: "5000" }, seed: { type: "string" } },
});
const schedules = Number(values.schedules);
// Another one each day, so that a nightly run sees new schedules.
const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000) * 100_000);
if (![schedules, seed].every((number) => Number.isInteger(number) && number >= 0)) {
  console.error("soak: --schedules and --seed are whole numbers");
  process.exit(2);
}
console.log(`soak: ${schedules} schedules from seed ${seed}`);
const run = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } }).status ?? 1;
const built = run("npm", ["run", "--silent", "build"]);
process.exitCode =
  built !== 0
    ? built
    : run(
        join(root, "node_modules/.bin/vitest"),
        ["run", "--project", "e2e", "test/e2e/no-image-lost.test.ts", "-t", "by pushes|nor on"],
        {
          REGCTL_TEST_SCHEDULES: String(schedules),
          REGCTL_TEST_SEED: String(seed),
          REGCTL_TEST_PROGRESS: "1",
        },
      );
