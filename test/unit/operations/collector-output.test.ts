import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../../src/engine/engine.ts";
import { readCollectorOutput } from "../../../src/operations/collector-output.ts";

type Part = readonly [LogLine["stream"], string];

async function* linesOf(parts: readonly Part[]): AsyncGenerator<LogLine> {
  for (const [stream, text] of parts) yield { stream, data: Buffer.from(text) };
}

const read = (...parts: readonly Part[]) => readCollectorOutput(linesOf(parts), () => undefined);

const digest = fc
  .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 64, maxLength: 64 })
  .map((hex) => `sha256:${hex.join("")}`);
const repository = fc.constantFrom("app", "team/app", "a/b/c", "under_score.dot-dash/x", "library/1");

interface Repository {
  readonly name: string;
  readonly kept: readonly string[];
  readonly untagged: readonly string[];
}

const repositories: fc.Arbitrary<Repository[]> = fc.array(
  fc.record({
    name: repository,
    kept: fc.array(digest, { maxLength: 4 }),
    untagged: fc.array(digest, { maxLength: 3 }),
  }),
  { maxLength: 6 },
);

/** As `emit` of garbagecollect.go writes it: 2.x names untagged manifests while it walks, 3.x after all repositories. */
function written(major: 2 | 3, found: readonly Repository[], blobs: readonly string[], marked: number): string {
  const walk = found.flatMap(({ name, kept, untagged }) => [
    name,
    ...kept.flatMap((one) => [`${name}: marking manifest ${one} `, `${name}: marking blob ${one}`]),
    ...(major === 2 ? untagged.map((one) => `manifest eligible for deletion: ${one}`) : []),
  ]);
  const late = found.flatMap(({ name, untagged }) =>
    untagged.map((one) => `manifest eligible for deletion: {${name} ${one} [1.0 latest]}`),
  );
  const untagged = found.reduce((sum, one) => sum + one.untagged.length, 0);
  const proof = `${marked} blobs marked, ${blobs.length} blobs and ${untagged} manifests eligible for deletion`;
  const deletions = blobs.map((one) => `blob eligible for deletion: ${one}`);
  return [...walk, ...(major === 3 ? late : []), "", proof, ...deletions, ""].join("\n");
}

describe("the collector's output", () => {
  it.each<2 | 3>([2, 3])("of %i.x is read whole, wherever it is cut", async (major) => {
    await fc.assert(
      fc.asyncProperty(
        repositories,
        fc.array(digest, { maxLength: 8 }),
        fc.nat(10_000),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 }),
        async (found, blobs, marked, cuts) => {
          const text = written(major, found, blobs, marked);
          const parts: Part[] = [];
          for (let at = 0, cut = 0; at < text.length; cut += 1) {
            const length = cuts[cut % cuts.length] as number;
            parts.push(["stdout", text.slice(at, at + length)]);
            if (cut % 3 === 0) parts.push(["stderr", `time="now" level=info msg="Deleting blob: /${cut}"\n`]);
            at += length;
          }
          const output = await read(...parts);
          const untagged = found.flatMap((one) => one.untagged.map((hex) => `${one.name}@${hex}`));
          expect(output).toEqual({
            proof: { marked, blobs: blobs.length, manifests: untagged.length },
            repositories: found.length,
            markedManifests: found.reduce((sum, { kept }) => sum + kept.length, 0),
            deletable: { blobs, manifests: untagged },
            complaints: [],
          });
        },
      ),
    );
  });

  it("that ends before the count proves nothing", async () => {
    const text = written(2, [{ name: "a", kept: [], untagged: [] }], [], 5);
    for (const cut of ["", "a\n", text.slice(0, text.indexOf(" eligible"))])
      expect((await read(["stdout", cut])).proof).toBeUndefined();
    // Usage, which 2.x writes for a flag it does not know, and ends with 0.
    expect((await read(["stderr", "Error: unknown shorthand flag: 'q' in -q\nUsage:\n"])).proof).toBeUndefined();
  });

  it("keeps the end of what is complained about", async () => {
    const many = Array.from({ length: 500 }, (_, number) => `line ${number}\n`).join("");
    const { complaints } = await read(["stderr", many], ["stderr", "failed to garbage collect: no"]);
    expect(complaints.at(-1)).toBe("failed to garbage collect: no");
    expect(complaints.length).toBeLessThanOrEqual(60);
  });

  it("fails as its source does", async () => {
    async function* broken(): AsyncGenerator<LogLine> {
      yield { stream: "stdout", data: Buffer.from("a\n") };
      throw new Error("the engine went away");
    }
    await expect(readCollectorOutput(broken(), () => undefined)).rejects.toThrow("the engine went away");
  });
});
