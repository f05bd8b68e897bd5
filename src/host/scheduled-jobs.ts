/** Which folders the jobs of this host are for, by the line `certs schedule install` writes into each. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const MARK = "# regctl schedule ";
const FOLDERS = ["etc/systemd/system", "etc/cron.d"];

/** Folders named by the marks of a text. */
export function scheduledFolders(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith(MARK)) return [];
    try {
      const { directory } = JSON.parse(line.slice(MARK.length)) as { directory?: unknown };
      return typeof directory === "string" ? [directory] : [];
    } catch {
      return [];
    }
  });
}

/** Those of systemd and of cron's own folder; what may not be read is left out. */
export async function hostSchedules(root = "/"): Promise<string[]> {
  const texts = FOLDERS.map(async (folder) => {
    const names = await readdir(join(root, folder)).catch(() => []);
    const ours = names.filter((name) => name.includes("regctl"));
    return Promise.all(ours.map((name) => readFile(join(root, folder, name), "utf8").catch(() => "")));
  });
  return (await Promise.all(texts)).flat().flatMap(scheduledFolders);
}
