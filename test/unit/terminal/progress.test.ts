import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProgress, type Progress } from "../../../src/terminal/progress.ts";

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly quiet?: boolean;
  readonly colour?: boolean;
}

/** What is written when `work` reports; it sets the clock, in milliseconds. */
function written(terminal: Terminal, work: (progress: Progress, at: (ms: number) => void) => void): string {
  const stderr: PassThrough & { isTTY?: boolean; columns?: number } = new PassThrough();
  if (terminal.isTTY !== undefined) stderr.isTTY = terminal.isTTY;
  if (terminal.columns !== undefined) stderr.columns = terminal.columns;
  let now = 1000;
  const { quiet = false, colour = false } = terminal;
  const progress = createProgress({ stderr, quiet, colour, elapsedMs: () => now });
  work(progress, (ms) => {
    now = 1000 + ms;
  });
  return String(stderr.read() ?? "");
}

function twoSteps(progress: Progress, at: (ms: number) => void): void {
  const pull = progress.step("pull registry:2");
  pull.update("layer 1/3");
  at(100);
  pull.update("layer 2/3");
  at(120);
  pull.update("layer 3/3");
  at(1460);
  pull.done("3 layers");
  progress.step("start container").failed();
}

describe("progress", () => {
  it("is a line for each step where nobody watches, with the seconds of a slow one", () => {
    const expected = "  ok pull registry:2  3 layers (1.5 s)\n  failed start container\n";
    expect(written({}, twoSteps)).toBe(expected);
    expect(written({ isTTY: false }, twoSteps)).toBe(expected);
  });

  it("overwrites itself on a terminal, not too often, and ends as the same lines", () => {
    const text = written({ isTTY: true, columns: 80 }, twoSteps);
    const frames = text.split("\r\u001b[K").slice(1);
    expect(frames).toEqual([
      "  … pull registry:2",
      "  … pull registry:2  layer 1/3",
      "  … pull registry:2  layer 2/3",
      "  ok pull registry:2  3 layers (1.5 s)\n",
      "  … start container",
      "  failed start container\n",
    ]);
  });

  it("never wraps a line it will overwrite", () => {
    const text = written({ isTTY: true, columns: 20 }, (progress) => {
      const step = progress.step("a title that is far too long for it");
      step.update("with details");
    });
    for (const frame of text.split("\r\u001b[K")) expect(frame.length).toBeLessThan(20);
  });

  it("is silent when asked to be", () => {
    expect(written({ quiet: true }, twoSteps)).toBe("");
    expect(written({ quiet: true, isTTY: true }, twoSteps)).toBe("");
  });

  it("has colours only where they are wanted", () => {
    const text = written({ colour: true }, twoSteps);
    expect(text).toContain("\u001b[32mok\u001b[39m pull registry:2");
    expect(text).toContain("\u001b[31mfailed\u001b[39m start container");
    expect(written({ isTTY: true }, twoSteps)).not.toContain("\u001b[3");
  });
});
