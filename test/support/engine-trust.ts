import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const CERTIFICATES = "/etc/docker/certs.d";

/**
 * Makes the engine of this host trust an authority for one registry (`HOST` and `HOST:443` are two of them) until disposed;
 * no restart is needed. What was there before is put back, and folders made here are removed again. `pairs`: folders with a
 * `client.cert` and `client.key` to show, by the name to put them under.
 */
export async function trustInEngine(
  registry: string,
  authorityPem: string,
  pairs: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable> {
  const folder = join(CERTIFICATES, registry);
  const file = join(folder, "ca.crt");
  const made = [folder, CERTIFICATES, dirname(CERTIFICATES)].filter((path) => !existsSync(path));
  const before = existsSync(file) ? await readFile(file) : undefined;
  await mkdir(folder, { recursive: true });
  await writeFile(file, authorityPem);
  const copied = Object.entries(pairs).flatMap(([name, from]) =>
    ["cert", "key"].map((end) => ({ from: join(from, `client.${end}`), to: join(folder, `${name}.${end}`) })),
  );
  for (const { from, to } of copied) await copyFile(from, to);
  return {
    async [Symbol.asyncDispose]() {
      for (const { to } of copied) await rm(to, { force: true });
      if (before === undefined) await rm(file, { force: true });
      else await writeFile(file, before);
      for (const path of made) {
        // Not empty means that another test put something there meanwhile.
        await rmdir(path).catch(() => {});
      }
    },
  };
}
