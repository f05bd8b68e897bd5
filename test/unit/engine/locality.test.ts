import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isThisHost } from "../../../src/engine/locality.ts";

describe("isThisHost", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "localhost", hostname()])(
    "takes %s for this host",
    async (host) => {
      expect(await isThisHost(host)).toBe(true);
    },
  );

  it.each(["192.0.2.1", "2001:db8::1", "8.8.8.8"])("takes %s for another", async (host) => {
    expect(await isThisHost(host)).toBe(false);
  });
});
