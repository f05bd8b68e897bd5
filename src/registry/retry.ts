import { setTimeout as delay } from "node:timers/promises";
import { type FailureReason, failureReason } from "./errors.ts";
import { retryAfterMs } from "./refusals.ts";
import type { Answer } from "./transport.ts";

/** Waits that long, or rejects at once when the signal is aborted. */
export type Wait = (ms: number, signal: AbortSignal | undefined) => Promise<unknown>;

export const wait: Wait = (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal });

const PAUSES_MS: readonly number[] = [200, 800, 2_000];
/** A registry that asks for more patience than this is given up, with the time in the hint. */
const LONGEST_PAUSE_MS = 30_000;
const PASSING_STATUSES = new Set([429, 500, 502, 503, 504]);
const PASSING_REASONS = new Set<FailureReason>(["network", "truncated"]);

export interface RetryOptions {
  /** Whether it may be done twice; if not, only 429 is tried again, as the registry then did nothing. */
  readonly isIdempotent: boolean;
  /** Whether it has answered before: a first connection that fails is a wrong address rather than a restart. */
  readonly hasAnswered: () => boolean;
  readonly wait: Wait;
  readonly signal: AbortSignal | undefined;
}

/** Attempts up to four times while what is wrong may pass; the last answer or error is the result. */
export async function withRetries(attempt: () => Promise<Answer>, options: RetryOptions): Promise<Answer> {
  for (const pause of PAUSES_MS) {
    let pauseMs = pause;
    try {
      const answer = await attempt();
      const mayPass = options.isIdempotent ? PASSING_STATUSES.has(answer.status) : answer.status === 429;
      pauseMs = Math.max(pause, retryAfterMs(answer));
      if (!mayPass || pauseMs > LONGEST_PAUSE_MS) return answer;
    } catch (error) {
      const reason = failureReason(error);
      if (!options.isIdempotent || reason === undefined || !PASSING_REASONS.has(reason)) throw error;
      if (reason === "network" && !options.hasAnswered()) throw error;
    }
    await options.wait(pauseMs, options.signal);
  }
  return attempt();
}
