/**
 * Runs `work` for every item, at most `limit` at once; resolves to the results in the order of the items. After the first
 * failure no further item is begun; what runs is waited for, and then the first failure is thrown.
 */
export async function mapConcurrently<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const failures: unknown[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (failures.length === 0) {
      try {
        const next = await iterator.next();
        if (next.done === true || failures.length > 0) return;
        const index = begun;
        begun += 1;
        results[index] = await work(next.value, index);
      } catch (failure) {
        failures.push(failure);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  if (failures.length > 0) {
    await iterator.return?.();
    throw failures[0];
  }
  return results;
}
