/** The engine's first release; whatever claims an earlier date was given none. */
const FIRST_POSSIBLE = Date.UTC(2013, 2, 20);

/**
 * The date, or undefined when it means nothing: reproducible builds write 1970, 1980 or the year 1
 * (https://reproducible-builds.org/docs/source-date-epoch/), and by such a date every image would be the oldest.
 */
export function knownDate(milliseconds: number | undefined): number | undefined {
  return milliseconds !== undefined && milliseconds >= FIRST_POSSIBLE ? milliseconds : undefined;
}
