import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder `test/prepare.sh` unpacked private programs into; the same rule as in `test/run.js`. */
export function cachedProgram(...path: string[]): string {
  const parent = process.env.XDG_CACHE_HOME ?? (process.getuid?.() === 0 ? "/var/cache" : join(homedir(), ".cache"));
  const cache = process.env.REGCTL_TEST_CACHE ?? join(parent, "regctl-test");
  const file = join(cache, ...path);
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`test/prepare.sh ${cache}\` as root`);
  return file;
}
