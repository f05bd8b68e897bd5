/** What a check of `doctor` is: one file a check, each with its probe, verdict, cause and fix. */

/** How bad what a check saw is; `unknown` = it could not look. */
export type Verdict = "warning" | "broken" | "unknown";

export interface Diagnosis {
  readonly verdict: Verdict;
  /** Why, in one sentence that names what was seen. */
  readonly cause: string;
  /** The exact command or edit that mends it. */
  readonly fix: string;
}

/** `Facts` is what it looks at, gathered before: a check reads and never changes anything. */
export interface Check<Facts> {
  /** Stable, kebab-case: scripts match on it. */
  readonly id: string;
  /** What is in order when it finds nothing: "the certificate covers every name". */
  readonly title: string;
  /** undefined = in order, or not applicable to these facts. */
  examine(facts: Facts): Promise<Diagnosis | undefined>;
  /** For what can be mended without a risk (`--fix`): does it and says what it did. */
  readonly repair?: (facts: Facts) => Promise<string>;
}
