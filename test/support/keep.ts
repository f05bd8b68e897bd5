/** What lives until the tests of a file are done. */
import { afterAll } from "vitest";

const kept: AsyncDisposable[] = [];
afterAll(async () => {
  for (const one of kept.reverse()) await one[Symbol.asyncDispose]();
});

/** Disposed of when the file's tests are done, the last one first. */
export function keep<T extends AsyncDisposable>(one: T): T {
  kept.push(one);
  return one;
}
