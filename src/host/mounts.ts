import { readFile, realpath } from "node:fs/promises";

/** What is mounted where, from the text of `/proc/self/mountinfo` (proc(5)); the last one of a path is the visible one. */
function mountOf(
  text: string,
  path: string,
): { readonly point: string; readonly options: readonly string[] } | undefined {
  let best: { readonly point: string; readonly options: readonly string[] } | undefined;
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const point = (fields[4] ?? "").replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (point === "" || !(path === point || point === "/" || path.startsWith(`${point}/`))) continue;
    if (best !== undefined && point.length < best.point.length) continue;
    const superOptions = line.slice(line.indexOf(" - ") + 3).split(" ")[2] ?? "";
    best = { point, options: [...(fields[5] ?? "").split(","), ...superOptions.split(",")] };
  }
  return best;
}

/** Whether the file system that holds an existing path takes no writes. */
export async function isMountedReadOnly(path: string, mountinfo = "/proc/self/mountinfo"): Promise<boolean> {
  const [text, real] = await Promise.all([readFile(mountinfo, "utf8").catch(() => ""), realpath(path)]);
  return mountOf(text, real)?.options.includes("ro") === true;
}
