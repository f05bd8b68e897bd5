/**
 * How often a property is tried. With REGCTL_TEST_RUNS=few, as in `npm run check`, every property is tried a fifth as often and
 * at least eight times; `npm test` makes all runs.
 */
const isHurried = process.env.REGCTL_TEST_RUNS === "few";

/** What a property without a number of its own is tried. */
export const DEFAULT_RUNS = 100;

export function runs(all: number): number {
  return isHurried ? Math.min(all, Math.max(8, Math.ceil(all / 5))) : all;
}
