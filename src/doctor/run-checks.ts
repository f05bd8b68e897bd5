/** Runs checks side by side, each with its own time limit; what goes wrong in one is that one's verdict. */
import { setMaxListeners } from "node:events";
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
  options: RunOptions,
): Promise<Examined[]> {
  // Each check listens, and Node takes more than ten for a leak.
  setMaxListeners(0, options.signal);
  return Promise.all(checks.map((check) => examineOne(check, facts, options)));
}

/** The worst verdict among them, "ok" for none. */
export function worstVerdict(examined: readonly Examined[]): Examined["verdict"] {
  return WORST_FIRST.find((verdict) => examined.some((one) => one.verdict === verdict)) ?? "ok";
}

async function examineOne<Facts>(check: Check<Facts>, facts: Facts, options: RunOptions): Promise<Examined> {
  const { id, title } = check;
  const { diagnosis, canRepair } = await examineInTime(check, facts, options);
  if (diagnosis === undefined) return { id, title, verdict: "ok", cause: "", fix: "" };
  const { repair } = check;
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

async function examineInTime<Facts>(
  check: Check<Facts>,
  facts: Facts,
  { timeoutMs, signal }: RunOptions,
): Promise<{ readonly diagnosis: Diagnosis | undefined; readonly canRepair: boolean }> {
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no verdict within ${timeoutMs / 1000} seconds`)), timeoutMs);
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    const diagnosis = await Promise.race([Promise.resolve(facts).then((given) => check.examine(given)), late]);
    return { diagnosis, canRepair: true };
  } catch (error) {
    if (signal.aborted) throw error;
    const again = "run it again; when it stays so, `regctl doctor --debug` and report it";
    const fix = (error instanceof RegctlError ? error.hint : undefined) ?? again;
    return { diagnosis: { verdict: "unknown", cause: messageOf(error), fix }, canRepair: false };
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
