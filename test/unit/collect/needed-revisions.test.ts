import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { neededRevisions } from "../../../src/collect/needed-revisions.ts";
import { runs } from "../../support/property-runs.ts";

const COUNT = 9;
const hexOf = (place: number): string => String(place).repeat(64);
const digestOf = (place: number): string => `sha256:${hexOf(place)}`;

interface Written {
  readonly place: number;
  readonly children: readonly number[];
  readonly subject: number | undefined;
}

const place = fc.nat(COUNT - 1);
const stores = fc.uniqueArray(
  fc.record({
    place,
    children: fc.array(place, { maxLength: 3 }),
    subject: fc.option(place, { nil: undefined }),
  }),
  { selector: (written) => written.place, maxLength: COUNT },
);

const manifestsOf = (written: readonly Written[]) =>
  new Map(
    written.map(({ place: at, children, subject }) => [
      hexOf(at),
      {
        kind: "index" as const,
        blobs: [],
        children: children.map(digestOf),
        subject: subject === undefined ? undefined : digestOf(subject),
      },
    ]),
  );

/** The slow and obvious way: follow every arrow until nothing is added. */
function closure(roots: readonly number[], written: readonly Written[]): Set<string> {
  const reached = new Set(roots);
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const { place: at, children, subject } of written) {
      if (reached.has(at)) for (const child of children) reached.add(child);
      if (subject !== undefined && reached.has(subject)) reached.add(at);
    }
  }
  return new Set([...reached].map(hexOf));
}

describe("the manifests that something needs", () => {
  it("are what the arrows lead to, down through indexes and up from subjects, in circles as well", () => {
    fc.assert(
      fc.property(stores, fc.array(place, { maxLength: 3 }), (written, roots) => {
        expect(neededRevisions(roots.map(hexOf), manifestsOf(written))).toEqual(closure(roots, written));
      }),
      { numRuns: runs(300) },
    );
  });

  it("hold the signature of a signature of a child of an index", () => {
    const written = [
      { place: 0, children: [1], subject: undefined },
      { place: 1, children: [], subject: undefined },
      { place: 2, children: [], subject: 1 },
      { place: 3, children: [4], subject: 2 },
      { place: 4, children: [], subject: undefined },
      { place: 5, children: [], subject: 6 },
    ];
    expect([...neededRevisions([hexOf(0)], manifestsOf(written))].sort()).toEqual([0, 1, 2, 3, 4].map(hexOf));
  });

  it("take a digest of another algorithm for nothing in the repository", () => {
    const sha512 = `sha512:${"a".repeat(128)}`;
    const manifests = new Map([[hexOf(0), { kind: "index" as const, blobs: [], children: [sha512], subject: sha512 }]]);
    expect([...neededRevisions([hexOf(0)], manifests)]).toEqual([hexOf(0)]);
  });
});
