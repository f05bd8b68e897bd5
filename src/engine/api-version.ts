import { RegctlError } from "../errors.ts";

/** Engine 20.10, the oldest with everything regctl calls (`one-shot` statistics). */
export const OLDEST_API = "1.41";
/** The newest API regctl was written for; a newer engine is asked to speak this one. */
export const NEWEST_API = "1.51";

/** What `/version` says of an engine. */
export interface OfferedVersions {
  readonly version: string;
  readonly api: string;
  /** The oldest API it still speaks; Engine 29 starts at 1.44. */
  readonly oldestApi: string;
}

/** The newest API version both sides speak; `engine-unsupported` when there is none. */
export function negotiateApiVersion({ version, api, oldestApi }: OfferedVersions): string {
  const engine = `Docker Engine ${version}`;
  if (compareApi(api, OLDEST_API) < 0) {
    throw new RegctlError(
      "engine-unsupported",
      `${engine} is too old: it speaks API ${api}, regctl needs ${OLDEST_API}`,
      {
        hint: "upgrade it to Docker Engine 20.10 or newer",
        details: { version, api, needed: OLDEST_API },
      },
    );
  }
  if (compareApi(oldestApi, NEWEST_API) > 0) {
    throw new RegctlError("engine-unsupported", `${engine} is too new: it speaks API ${oldestApi} and newer only`, {
      hint: `upgrade regctl; this one speaks API ${OLDEST_API} to ${NEWEST_API}`,
      details: { version, oldestApi, newest: NEWEST_API },
    });
  }
  return compareApi(api, NEWEST_API) < 0 ? api : NEWEST_API;
}

function compareApi(one: string, other: string): number {
  const [oneMajor = 0, oneMinor = 0] = one.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return oneMajor - otherMajor || oneMinor - otherMinor;
}
