import { describe, expect, it } from "vitest";
import { type ErrorCode, INTERNAL_EXIT_CODE, messageOf, RegctlError, systemCodeOf } from "../../src/errors.ts";

/** Scripts match on these: a row may be added, none may change. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  "input-required": 2,
  "config-invalid": 2,
  "input-invalid": 2,
  "precondition-failed": 2,
  "not-found": 2,
  "no-deployment": 2,
  "operation-failed": 1,
  declined: 1,
  "disk-full": 1,
  "permission-denied": 1,
  "image-unavailable": 1,
  "registry-failed": 1,
  "check-failed": 3,
  "engine-unreachable": 4,
  "engine-denied": 4,
  "engine-unsupported": 4,
  "engine-failed": 1,
  conflict: 5,
  locked: 5,
  interrupted: 130,
  terminated: 143,
};

describe("exit codes", () => {
  it.each(Object.entries(EXIT_CODES) as [ErrorCode, number][])("%s is %i", (code, exitCode) => {
    expect(new RegctlError(code, "").exitCode).toBe(exitCode);
  });

  it("of a bug is sysexits' EX_SOFTWARE", () => {
    expect(INTERNAL_EXIT_CODE).toBe(70);
  });
});

describe("RegctlError", () => {
  it("carries what, why and what next", () => {
    const cause = new Error("why");
    const issues = [{ path: "port", message: "is none", line: 3 }];
    const error = new RegctlError("conflict", "what", { hint: "next", cause, issues, details: { port: 1 } });
    expect(error).toMatchObject({
      name: "RegctlError",
      message: "what",
      hint: "next",
      cause,
      issues,
      details: { port: 1 },
    });
    expect(error).toBeInstanceOf(Error);
  });

  it("has no cause, hint or issues where none was given", () => {
    const error = new RegctlError("conflict", "what");
    expect("cause" in error).toBe(false);
    expect(error).toMatchObject({ hint: undefined, details: undefined, issues: [] });
  });
});

describe("anything that is thrown", () => {
  it.each([
    [new Error("text"), "text"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
  ])("%o has the text %s", (thrown, text) => {
    expect(messageOf(thrown)).toBe(text);
  });

  it.each([
    [Object.assign(new Error(""), { code: "ENOENT" }), "ENOENT"],
    [{ code: 5 }, undefined],
    [null, undefined],
    [undefined, undefined],
    ["ENOENT", undefined],
  ])("%o has the system code %s", (thrown, code) => {
    expect(systemCodeOf(thrown)).toBe(code);
  });
});
