/** The loop of a phase of `team.ts`: takes items and does each, and yields after every one of them. */
export function* forEachItem(next: () => number, work: (item: number) => void): Generator<void, void> {
  for (let item = next(); item >= 0; item = next()) {
    work(item);
    yield;
  }
}
