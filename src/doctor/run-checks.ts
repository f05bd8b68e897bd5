/** Runs checks side by side, each with its own time limit; what goes wrong in one is that one's verdict. */
import { messageOf, RegctlError } from "../errors.ts";
import { shownText } from "../shown-name.ts";
import type { Check, Diagnosis, Verdict } from "./check.ts";

/** What became of one check. */
export interface Examined {
  readonly id: string;
  readonly title: string;
  readonly verdict: "ok" | Verdict;
  /** "" when in order. */
  readonly cause: string;
  /** "" when in order. */
  readonly fix: string;
  /** Mends it and says what it did; only where a check saw something and can mend it without a risk. */
  readonly repair?: () => Promise<string>;
}

export interface RunOptions {
  /** For one check, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted, the run ends with its reason. */
  readonly signal: AbortSignal;
}

const WORST_FIRST = ["broken", "warning", "unknown", "ok"] as const;

/** Every check in the order of the table; never rejects but when `signal` is aborted. */
export async function runChecks<Facts>(
  checks: readonly Check<Facts>[],
  facts: Facts,
  { timeoutMs, signal }: RunOptions,
): Promise<Examined[]> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    const all = Promise.all(checks.map((check) => examineOne(check, facts, timeoutMs)));
    return await Promise.race([all, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The worst verdict among them, "ok" for none. */
export function worstVerdict(examined: readonly Examined[]): Examined["verdict"] {
  return WORST_FIRST.find((verdict) => examined.some((one) => one.verdict === verdict)) ?? "ok";
}

async function examineOne<Facts>(check: Check<Facts>, facts: Facts, timeoutMs: number): Promise<Examined> {
  const { id, title, repair } = check;
  let diagnosis: Diagnosis | undefined;
  let canRepair = repair !== undefined;
  try {
    diagnosis = await inTime(check, facts, timeoutMs);
  } catch (error) {
    const again = "run it again; when it stays so, add --debug and report what it says";
    const fix = (error instanceof RegctlError ? error.hint : undefined) ?? again;
    diagnosis = { verdict: "unknown", cause: messageOf(error), fix };
    canRepair = false;
  }
  if (diagnosis === undefined) return { id, title, verdict: "ok", cause: "", fix: "" };
  return {
    id,
    title,
    verdict: diagnosis.verdict,
    // Much of it is from servers and files of others.
    cause: shownText(diagnosis.cause),
    fix: diagnosis.fix.split("\n").map(shownText).join("\n"),
    ...(repair === undefined || !canRepair ? {} : { repair: () => repair(facts) }),
  };
}

async function inTime<Facts>(check: Check<Facts>, facts: Facts, timeoutMs: number): Promise<Diagnosis | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no verdict within ${timeoutMs / 1000} seconds`)), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(facts).then((given) => check.examine(given)), late]);
  } finally {
    clearTimeout(timer);
  }
}
