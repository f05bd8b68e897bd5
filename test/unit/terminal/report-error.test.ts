import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { reportError } from "../../../src/terminal/report-error.ts";

const PLAIN = { json: false, debug: false, version: "1.2.3" };

const error = new RegctlError("config-invalid", "regctl.yaml is not valid", {
  hint: "correct it",
  cause: new Error("the reason", { cause: new Error("its reason") }),
  details: { file: "regctl.yaml" },
  issues: [
    { path: "port", line: 3, message: "should be a port number" },
    { path: "", line: 7, message: "is no YAML" },
    { path: "host", message: "is not ready", hint: "wait" },
    { path: "", message: "is odd" },
  ],
});

describe("reportError", () => {
  it("says what, every issue with its place, and what to do", () => {
    expect(reportError(error, PLAIN)).toEqual({
      exitCode: 2,
      text: [
        "regctl: regctl.yaml is not valid",
        "  - port (line 3): should be a port number",
        "  - line 7: is no YAML",
        "  - host: is not ready",
        "      wait",
        "  - is odd",
        "  hint: correct it",
      ].join("\n"),
    });
  });

  it("adds the stack and every cause with --debug", () => {
    const { text } = reportError(error, { ...PLAIN, debug: true });
    expect(text).toContain("RegctlError: regctl.yaml is not valid\n    at ");
    expect(text).toMatch(/caused by: Error: the reason\n[\s\S]*caused by: Error: its reason\n/);
  });

  it("is one line of JSON with --json", () => {
    const { text, exitCode } = reportError(error, { ...PLAIN, json: true });
    expect(exitCode).toBe(2);
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({
      error: {
        code: "config-invalid",
        message: "regctl.yaml is not valid",
        hint: "correct it",
        details: { file: "regctl.yaml", issues: error.issues },
      },
    });
  });

  it("has null for a hint there is not, and no empty list of issues", () => {
    const { text } = reportError(new RegctlError("conflict", "taken"), { ...PLAIN, json: true });
    expect(JSON.parse(text)).toEqual({ error: { code: "conflict", message: "taken", hint: null, details: {} } });
  });
});
