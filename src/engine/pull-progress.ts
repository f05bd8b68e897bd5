import type { PullProgress } from "./engine.ts";
import type { ProgressRecord } from "./streams.ts";

/** The states of a layer; other records with an id (`Pulling from …`, whose id is the tag) are not about one. */
const LAYER_STATES = new Set([
  "Pulling fs layer",
  "Waiting",
  "Downloading",
  "Verifying Checksum",
  "Download complete",
  "Extracting",
  "Pull complete",
  "Already exists",
]);

interface Layer {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly isDone: boolean;
}

/** Adds the records of one pull up; each call tells the state after that record. */
export function trackPull(): (record: ProgressRecord) => PullProgress {
  const layers = new Map<string, Layer>();
  return (record) => {
    const status = record.status ?? "";
    if (record.id !== undefined && LAYER_STATES.has(status)) {
      layers.set(record.id, advance(layers.get(record.id), status, record.progressDetail ?? {}));
    }
    const known = [...layers.values()];
    return {
      layersDone: known.filter((layer) => layer.isDone).length,
      layersTotal: known.length,
      bytesDone: known.reduce((sum, layer) => sum + layer.bytesDone, 0),
      bytesTotal: known.reduce((sum, layer) => sum + layer.bytesTotal, 0),
      status,
    };
  };
}

function advance(before: Layer | undefined, status: string, detail: { current?: number; total?: number }): Layer {
  const layer = before ?? { bytesDone: 0, bytesTotal: 0, isDone: false };
  switch (status) {
    case "Downloading":
      return { ...layer, bytesDone: detail.current ?? layer.bytesDone, bytesTotal: detail.total ?? layer.bytesTotal };
    case "Extracting": {
      // A small layer may never report its download; extraction then is the first to tell the size.
      const total = layer.bytesTotal || (detail.total ?? 0);
      return { ...layer, bytesDone: total, bytesTotal: total };
    }
    case "Verifying Checksum":
    case "Download complete":
      return { ...layer, bytesDone: layer.bytesTotal };
    case "Pull complete":
    case "Already exists":
      return { ...layer, bytesDone: layer.bytesTotal, isDone: true };
    default:
      return layer;
  }
}
