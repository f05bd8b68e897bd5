import { isAnswer } from "../../probe/http.ts";
import type { Check } from "../check.ts";
import { broken, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const MINUTE_MS = 60_000;
const TOLERATED_MS = 5 * MINUTE_MS;
const DAY_MS = 86_400_000;

/** How far the server's clock is ahead of this machine's, in ms; undefined when it does not tell. */
export function clockAhead({ secure, plain, answer = secure ?? plain }: EndpointFacts): number | undefined {
  if (!isAnswer(answer)) return undefined;
  const told = Date.parse(answer.headers.date ?? "");
  return Number.isNaN(told) ? undefined : told - answer.at.getTime();
}

/** `3 days`, `12 minutes`. */
export function spanText(ms: number): string {
  const span = Math.abs(ms);
  if (span >= 2 * DAY_MS) return `${Math.floor(span / DAY_MS)} days`;
  return span >= 120 * MINUTE_MS
    ? `${Math.floor(span / (60 * MINUTE_MS))} hours`
    : `${Math.floor(span / MINUTE_MS)} minutes`;
}

export const clock: Check<EndpointFacts> = {
  id: "clock",
  title: "the registry's clock and this machine's agree",
  async examine(facts) {
    const ahead = clockAhead(facts);
    if (ahead === undefined || Math.abs(ahead) < TOLERATED_MS) return undefined;
    const which = ahead > 0 ? "ahead of" : "behind";
    const cause = `the registry's clock is ${spanText(ahead)} ${which} this machine's: certificates look expired or not yet valid, and tokens are refused`;
    const fix = "on the machine that is wrong: timedatectl set-ntp true, or chronyc makestep; then compare: date -u";
    return Math.abs(ahead) >= DAY_MS ? broken(cause, fix) : warning(cause, fix);
  },
};
