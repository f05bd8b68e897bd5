/** What `regctl doctor --json` wrote. */

export interface Finding {
  readonly verdict: string;
  readonly cause: string;
  readonly fix: string;
}

interface Checked extends Finding {
  readonly id: string;
}

const checksIn = (stdout: string) => (JSON.parse(stdout) as { data: { checks: readonly Checked[] } }).data.checks;

/** What is broken or warned of, by the check's id. */
export function findingsIn(stdout: string): Map<string, Finding> {
  const found = checksIn(stdout).filter(({ verdict }) => verdict === "broken" || verdict === "warning");
  return new Map(found.map(({ id, verdict, cause, fix }) => [id, { verdict, cause, fix }]));
}

/** Ids of what could not be looked at. */
export function notSeenIn(stdout: string): string[] {
  return checksIn(stdout)
    .filter(({ verdict }) => verdict === "unknown")
    .map(({ id }) => id);
}
