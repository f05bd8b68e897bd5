const NOBODY = 65534;

/** Runs `body` with the rights of `nobody` when the tests are run by root, else as it is. */
export async function asNobody<T>(body: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return body();
  process.seteuid?.(NOBODY);
  try {
    return await body();
  } finally {
    process.seteuid?.(0);
  }
}
