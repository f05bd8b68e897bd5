import { existsSync } from "node:fs";
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const CERTIFICATES = "/etc/docker/certs.d";

/**
 * Makes the engine of this host trust an authority for one registry (`HOST` and `HOST:443` are two of them) until disposed;
 * no restart is needed. What was there before is put back, and folders made here are removed again.
 */
export async function trustInEngine(registry: string, authorityPem: string): Promise<AsyncDisposable> {
  const folder = join(CERTIFICATES, registry);
  const file = join(folder, "ca.crt");
  const made = [folder, CERTIFICATES, dirname(CERTIFICATES)].filter((path) => !existsSync(path));
  const before = existsSync(file) ? await readFile(file) : undefined;
  await mkdir(folder, { recursive: true });
  await writeFile(file, authorityPem);
  return {
    async [Symbol.asyncDispose]() {
      if (before === undefined) await rm(file, { force: true });
      else await writeFile(file, before);
      for (const path of made) {
        // Not empty means that another test put something there meanwhile.
        await rmdir(path).catch(() => {});
      }
    },
  };
}
