import { setTimeout as delay } from "node:timers/promises";

/**
 * Calls `check` until it neither throws nor resolves to `false`, and resolves to what it resolved to.
 * After `timeoutMs` it rejects with the last failure.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 10_000, intervalMs = 50): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value !== false) return value;
      failure = new Error("the check was still false");
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= deadline) {
      const text = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`not within ${timeoutMs} ms: ${text}`, { cause: failure });
    }
    await delay(intervalMs);
  }
}
