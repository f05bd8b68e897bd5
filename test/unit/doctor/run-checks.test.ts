import { describe, expect, it } from "vitest";
import type { Check, Diagnosis } from "../../../src/doctor/check.ts";
import { type Examined, runChecks, worstVerdict } from "../../../src/doctor/run-checks.ts";

const check = (id: string, examine: () => Promise<Diagnosis | undefined>, more: Partial<Check<string>> = {}) => ({
  id,
  title: `${id} is in order`,
  examine,
  ...more,
});
const options = () => ({ timeoutMs: 30, signal: new AbortController().signal });
const broken: Diagnosis = { verdict: "broken", cause: "it is\u001b]0;x", fix: "one\ntwo\u202e" };

describe("runChecks", () => {
  it("gives every check a verdict, whatever one of them does", async () => {
    const results = await runChecks(
      [
        check("good", async () => undefined),
        check("bad", async () => broken),
        check("throws", async () => {
          throw new Error("no such file");
        }),
        check("throws-at-once", () => {
          throw new Error("at once");
        }),
        check("hangs", () => new Promise(() => undefined)),
      ],
      "facts",
      options(),
    );
    expect(results.map(({ id, verdict, cause }) => [id, verdict, cause])).toEqual([
      ["good", "ok", ""],
      ["bad", "broken", "it is\\u001b]0;x"],
      ["throws", "unknown", "no such file"],
      ["throws-at-once", "unknown", "at once"],
      ["hangs", "unknown", "no verdict within 0.03 seconds"],
    ]);
    expect(results[1]?.fix).toBe("one\ntwo\\u202e");
    expect(worstVerdict(results)).toBe("broken");
  });

  it("offers a repair only for what was seen", async () => {
    const repair = async (facts: string) => `mended ${facts}`;
    const results = await runChecks(
      [
        check("good", async () => undefined, { repair }),
        check("bad", async () => broken, { repair }),
        check("blind", () => Promise.reject(new Error("x")), { repair }),
        check("left", async () => broken),
      ],
      "facts",
      options(),
    );
    expect(results.map((one) => one.repair !== undefined)).toEqual([false, true, false, false]);
    await expect(results[1]?.repair?.()).resolves.toBe("mended facts");
  });

  it("ends with the reason of the signal", async () => {
    const controller = new AbortController();
    const running = runChecks([check("hangs", () => new Promise(() => undefined))], "", {
      timeoutMs: 60_000,
      signal: controller.signal,
    });
    controller.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow("interrupted");
    await expect(runChecks([], "", { timeoutMs: 1, signal: controller.signal })).rejects.toThrow("interrupted");
  });
});

describe("worstVerdict", () => {
  it.each<[readonly Examined["verdict"][], string]>([
    [[], "ok"],
    [["ok", "unknown"], "unknown"],
    [["unknown", "warning", "ok"], "warning"],
    [["warning", "broken"], "broken"],
  ])("of %s is %s", (verdicts, worst) => {
    const examined = verdicts.map((verdict) => ({ id: "x", title: "x", verdict, cause: "", fix: "" }));
    expect(worstVerdict(examined)).toBe(worst);
  });
});
