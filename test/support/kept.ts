/** What a file's tests share and is gone after the last of them; `setup.ts` disposes of it. */
const kept: AsyncDisposable[] = [];

/** Kept until the file's tests are done. */
export function keep<T extends AsyncDisposable>(one: T): T {
  kept.push(one);
  return one;
}

/** The newest first. */
export async function disposeKept(): Promise<void> {
  for (const one of kept.splice(0).reverse()) await one[Symbol.asyncDispose]();
}
