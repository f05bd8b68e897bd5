import { describe, expect, it } from "vitest";
import type { PullProgress } from "../../../src/engine/engine.ts";
import { trackPull } from "../../../src/engine/pull-progress.ts";

/** As Engine 20.10 sent them for an image of two layers of which it had one. */
const RECORDS = [
  { status: "Pulling from library/registry", id: "2" },
  { status: "Pulling fs layer", progressDetail: {}, id: "aaaa" },
  { status: "Already exists", progressDetail: {}, id: "bbbb" },
  { status: "Waiting", progressDetail: {}, id: "aaaa" },
  { status: "Downloading", progressDetail: { current: 100, total: 400 }, id: "aaaa" },
  { status: "Downloading", progressDetail: { current: 300, total: 400 }, id: "aaaa" },
  { status: "Verifying Checksum", progressDetail: {}, id: "aaaa" },
  { status: "Download complete", progressDetail: {}, id: "aaaa" },
  { status: "Extracting", progressDetail: { current: 32, total: 400 }, id: "aaaa" },
  { status: "Pull complete", progressDetail: {}, id: "aaaa" },
  { status: "Digest: sha256:0123" },
  { status: "Status: Downloaded newer image for registry:2" },
];

describe("trackPull", () => {
  it("adds the layers up, and never takes the tag for one", () => {
    const track = trackPull();
    const seen = RECORDS.map((record) => track(record));
    const numbers = seen.map((one) => [one.layersDone, one.layersTotal, one.bytesDone, one.bytesTotal]);
    expect(numbers).toEqual([
      [0, 0, 0, 0],
      [0, 1, 0, 0],
      [1, 2, 0, 0],
      [1, 2, 0, 0],
      [1, 2, 100, 400],
      [1, 2, 300, 400],
      [1, 2, 400, 400],
      [1, 2, 400, 400],
      [1, 2, 400, 400],
      [2, 2, 400, 400],
      [2, 2, 400, 400],
      [2, 2, 400, 400],
    ]);
    expect(seen.at(-1)?.status).toBe("Status: Downloaded newer image for registry:2");
  });

  it("learns the size of a small layer from its extraction", () => {
    const track = trackPull();
    track({ status: "Download complete", id: "aaaa" });
    const seen: PullProgress = track({ status: "Extracting", id: "aaaa", progressDetail: { current: 10, total: 90 } });
    expect(seen).toMatchObject({ bytesDone: 90, bytesTotal: 90, layersDone: 0 });
  });
});
