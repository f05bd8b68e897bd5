import type { Progress, ProgressStep } from "../terminal/progress.ts";

/** Runs the work as one step of the progress: done with its words, failed when it throws. */
export async function withStep<T>(
  progress: Progress,
  title: string,
  work: (step: ProgressStep) => Promise<{ readonly value: T; readonly words?: string }>,
): Promise<T> {
  const step = progress.step(title);
  try {
    const { value, words } = await work(step);
    step.done(words);
    return value;
  } catch (error) {
    step.failed();
    throw error;
  }
}
