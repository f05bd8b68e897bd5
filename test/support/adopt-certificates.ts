import { cp } from "node:fs/promises";
import { join } from "node:path";
import { made } from "./made-deployment.ts";

let folder: Promise<string> | undefined;

/** Gives a folder certificates for localhost, before `init`, which adopts them: making keys is most of what it does. */
export async function adoptCertificates(directory: string): Promise<void> {
  folder ??= made().then((deployment) => join(deployment.directory, "certs"));
  await cp(await folder, join(directory, "certs"), { recursive: true });
}
