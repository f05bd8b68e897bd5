import { clockLooksWrong } from "../../host/clock.ts";
import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const TOLERATED_MS = 60_000;
/** A copy from another host may bring a clock that was a little ahead. */
const FUTURE_MS = 10 * 60_000;
const SET_CLOCK = "timedatectl set-ntp true (or set it by hand: date -s 'YYYY-MM-DD HH:MM:SS')";

function apart(one: Date, other: Date): string {
  const minutes = Math.round(Math.abs(one.getTime() - other.getTime()) / 60_000);
  return minutes < 120
    ? `${minutes} minutes`
    : minutes < 2880
      ? `${Math.round(minutes / 60)} hours`
      : `${Math.round(minutes / 1440)} days`;
}

/** A clock a day off makes good certificates "expired" or "not yet valid". */
export const hostClock: Check<DeploymentFacts> = {
  id: "host-clock",
  title: "the host's clock is right",
  async examine(facts) {
    const { now } = facts;
    const wrong = clockLooksWrong(now);
    if (wrong !== undefined) return { verdict: "broken", cause: wrong, fix: SET_CLOCK };
    const time = await facts.engineDetails().then(
      (details) => (details.time === "" ? undefined : new Date(details.time)),
      () => undefined,
    );
    if (time !== undefined && Math.abs(time.getTime() - now.getTime()) > TOLERATED_MS) {
      const cause = `this program's clock and the engine's are ${apart(now, time)} apart`;
      return { verdict: "broken", cause, fix: SET_CLOCK };
    }
    const future = (await facts.files()).find(({ modified }) => modified.getTime() > now.getTime() + FUTURE_MS);
    if (future !== undefined) {
      const cause = `${shownName(future.path)} was changed ${apart(now, future.modified)} in the future: the clock was ahead then, or is behind now`;
      return {
        verdict: "warning",
        cause,
        fix: `${SET_CLOCK}; is the clock right: touch ${shownName(future.absolutePath)}`,
      };
    }
    if ((await facts.isClockSynchronized()) !== false) return undefined;
    return {
      verdict: "warning",
      cause: "nothing keeps the clock right: systemd says it is not synchronized",
      fix: "timedatectl set-ntp true",
    };
  },
};
