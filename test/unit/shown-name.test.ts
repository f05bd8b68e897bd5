import { describe, expect, it } from "vitest";
import { shownName, shownText } from "../../src/shown-name.ts";

describe("shownName", () => {
  it.each([
    ["team/app-1_x.y", "team/app-1_x.y"],
    ["sha256-0a.sig", "sha256-0a.sig"],
    ["two words", '"two words"'],
    ["\u001b[2Jgone", '"\\u001b[2Jgone"'],
    ["a\nb", '"a\\nb"'],
    ["a\u0085\u202eb", '"a\\u0085\\u202eb"'],
    ["", '""'],
  ])("shows %j as %s", (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });
});

describe("shownText", () => {
  it("keeps letters of every script and escapes what moves the cursor or turns the line", () => {
    expect(shownText("größer 大\u001b[31m\r\n\u2028\u{e0001}")).toBe(
      "größer 大\\u001b[31m\\u000d\\u000a\\u2028\\udb40\\udc01",
    );
  });
});
