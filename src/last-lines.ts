/** The last lines that are not empty, for an error message. */
export function lastLines(text: string, count: number): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}
