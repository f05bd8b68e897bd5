import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createOutput, type OutputOptions } from "../../../src/terminal/output.ts";

function written(options: Partial<OutputOptions>): { readonly stdout: string; readonly stderr: string } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = createOutput({ json: false, quiet: false, verbose: false, ...options, stdout, stderr });
  output.note("note");
  output.warn("warn");
  output.detail("detail");
  output.raw("raw\n");
  output.result("kind", { a: 1 }, "text", "quiet text");
  const all = (stream: PassThrough) => String(stream.read() ?? "");
  return { stdout: all(stdout), stderr: all(stderr) };
}

describe("output", () => {
  it.each<[string, Partial<OutputOptions>, string, string]>([
    ["plain", {}, "raw\ntext\n", "note\nwarning: warn\n"],
    ["-v", { verbose: true }, "raw\ntext\n", "note\nwarning: warn\ndetail\n"],
    ["-q", { quiet: true }, "raw\nquiet text\n", "warning: warn\n"],
    ["-q -v", { quiet: true, verbose: true }, "raw\nquiet text\n", "warning: warn\n"],
  ])("with %s", (_, options, stdout, stderr) => {
    expect(written(options)).toEqual({ stdout, stderr });
  });

  it.each([{}, { quiet: true }, { verbose: true }])("with --json is documents alone: %o", (more) => {
    const { stdout, stderr } = written({ json: true, ...more });
    const document = JSON.parse(stdout.replace("raw\n", "")) as unknown;
    expect(document).toEqual({ apiVersion: "regctl/v1", kind: "kind", data: { a: 1 } });
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([{ warning: { message: "warn" } }]);
  });
});
