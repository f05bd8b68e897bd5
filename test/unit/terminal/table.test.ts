import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderFacts, renderTable } from "../../../src/terminal/table.ts";

describe("renderTable", () => {
  it("aligns columns and cuts nothing off", () => {
    const rows = [
      ["admin", "5"],
      ["a-much-longer-name", "12"],
    ];
    expect(renderTable(["USER", "COST"], rows)).toBe(
      ["USER                 COST", "admin                5", "a-much-longer-name   12"].join("\n"),
    );
  });

  it("has no blanks at the end of a line, and every cell", () => {
    const cell = fc.stringMatching(/^[a-z]{0,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (rows) => {
        const lines = renderTable(["A", "B", "C"], rows).split("\n");
        expect(lines).toHaveLength(rows.length + 1);
        for (const [index, line] of lines.slice(1).entries()) {
          expect(line).toBe(line.trimEnd());
          for (const text of rows[index] ?? []) expect(line).toContain(text);
        }
      }),
    );
  });
});

describe("renderFacts", () => {
  it("puts the values into one column", () => {
    expect(
      renderFacts([
        ["URL", "https://a"],
        ["Password", "b"],
      ]),
    ).toBe("URL:      https://a\nPassword: b");
  });
});
