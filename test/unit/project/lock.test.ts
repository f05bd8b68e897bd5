import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { acquireLock, type LockOptions } from "../../../src/project/lock.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

function options(change: Partial<LockOptions> = {}): LockOptions {
  return {
    command: "up",
    waitMs: 200,
    signal: new AbortController().signal,
    now: () => new Date("2026-11-20T12:00:00Z"),
    onWait: () => undefined,
    ...change,
  };
}

describe("acquireLock", () => {
  it("keeps a second one out and says who holds it", async () => {
    await using root = temporaryDirectory();
    const lock = await acquireLock(root.path, options());
    const waited: string[] = [];
    await expect(
      acquireLock(root.path, options({ command: "gc", onWait: (holder) => waited.push(holder) })),
    ).rejects.toMatchObject({
      code: "locked",
      message: expect.stringContaining(`regctl up (pid ${process.pid}, since 2026-11-20T12:00:00.000Z)`),
    });
    expect(waited).toHaveLength(1);
    await lock.release();
    await (await acquireLock(root.path, options())).release();
  });

  it("waits for the holder and goes on", async () => {
    await using root = temporaryDirectory();
    const order: string[] = [];
    const first = await acquireLock(root.path, options());
    const second = acquireLock(
      root.path,
      options({ waitMs: 10_000, onWait: () => void first.release().then(() => order.push("released")) }),
    );
    await (await second).release();
    expect(order).toEqual(["released"]);
  });

  it("lets nobody in twice when ten come at once", async () => {
    await using root = temporaryDirectory();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const lock = await acquireLock(root.path, options({ waitMs: 20_000 }));
        inside += 1;
        most = Math.max(most, inside);
        await new Promise(setImmediate);
        inside -= 1;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
  });

  it("is free at once when its holder is killed", async () => {
    await using root = temporaryDirectory();
    await (await acquireLock(root.path, options())).release();
    const holder = spawn("flock", ["-x", join(root.path, ".regctl/lock"), "sh", "-c", "echo held; exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    });
    await once(holder.stdout, "data");
    await expect(acquireLock(root.path, options({ waitMs: 50 }))).rejects.toMatchObject({ code: "locked" });
    process.kill(-holder.pid!, "SIGKILL");
    await once(holder, "close");
    await (await acquireLock(root.path, options())).release();
  });

  it("does not take a lock file that was removed for a lock", async () => {
    await using root = temporaryDirectory();
    const first = await acquireLock(root.path, options());
    const second = acquireLock(
      root.path,
      options({ waitMs: 10_000, onWait: () => void rm(join(root.path, ".regctl/lock")).then(() => first.release()) }),
    );
    const lock = await second;
    await expect(acquireLock(root.path, options({ waitMs: 50 }))).rejects.toMatchObject({ code: "locked" });
    await lock.release();
  });

  it("stops waiting when it is interrupted", async () => {
    await using root = temporaryDirectory();
    const lock = await acquireLock(root.path, options());
    const controller = new AbortController();
    const reason = new Error("stop");
    await expect(
      acquireLock(
        root.path,
        options({ waitMs: 60_000, signal: controller.signal, onWait: () => controller.abort(reason) }),
      ),
    ).rejects.toBe(reason);
    await lock.release();
  });
});
