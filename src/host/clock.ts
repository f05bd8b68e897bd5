/** No certificate or signature regctl meets can be older than regctl itself. */
const EARLIEST_YEAR = 2026;

/** What is wrong with the host's clock, or undefined. A clock years behind makes every new certificate "not yet valid". */
export function clockLooksWrong(now: Date): string | undefined {
  if (now.getUTCFullYear() >= EARLIEST_YEAR) return undefined;
  return `the clock says ${now.toISOString().slice(0, 10)}, before this regctl was made`;
}
