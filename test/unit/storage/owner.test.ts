import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withOwnersRights } from "../../../src/storage/owner.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const UID = 65532;
const GID = 65531;

const rights = () => ({
  uid: process.geteuid?.(),
  gid: process.getegid?.(),
  groups: process.getgroups?.(),
  folder: process.cwd(),
});

/** A store of somebody else's in a folder that only root may enter. */
function foreignStore() {
  const folder = temporaryDirectory();
  const root = join(folder.path, "store");
  mkdirSync(root);
  chownSync(root, UID, GID);
  chmodSync(folder.path, 0o700);
  return { root, path: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe.runIf(process.getuid?.() === 0)("root in the store of somebody else", () => {
  const own = () => ({ isRoot: true, workingDirectory: process.cwd() });

  it("has the owner's rights alone, also where the owner could not get to, and its own again afterwards", async () => {
    await using store = foreignStore();
    writeFileSync(join(store.path, "secret"), "s", { mode: 0o600 });
    symlinkSync(join(store.path, "secret"), join(store.root, "link"));
    const before = rights();
    const result = await withOwnersRights(store.root, own(), async ({ root }) => {
      expect(rights()).toMatchObject({ uid: UID, gid: GID, groups: [GID] });
      expect(() => readFileSync(`${root}/link`)).toThrow(expect.objectContaining({ code: "EACCES" }));
      writeFileSync(`${root}/made`, "");
      return 7;
    });
    expect(result).toBe(7);
    expect(rights()).toEqual(before);
    expect(statSync(join(store.root, "made"))).toMatchObject({ uid: UID, gid: GID });
  });

  it("takes its own back for what is outside, and only for that, also when it fails", async () => {
    await using store = foreignStore();
    const before = rights();
    const inside: unknown[] = [];
    const failure = new Error("outside");
    const work = withOwnersRights(store.root, own(), async ({ regain }) => {
      const dropped = rights();
      expect(await regain(async () => rights())).toEqual(before);
      await expect(regain(() => Promise.reject(failure))).rejects.toBe(failure);
      inside.push(dropped, rights());
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(inside[0]).toEqual(inside[1]);
    expect(rights()).toEqual(before);
  });

  it("looks at whose the folder is, not at whose the link is that leads to it", async () => {
    await using store = foreignStore();
    symlinkSync(store.root, join(store.path, "data"));
    const before = rights();
    await withOwnersRights(join(store.path, "data"), own(), async ({ root }) => {
      expect(rights().uid).toBe(UID);
      writeFileSync(`${root}/made`, "");
    });
    expect(statSync(join(store.root, "made")).uid).toBe(UID);
    expect(rights()).toEqual(before);
  });
});

describe("without a need", () => {
  it("nothing changes: not for a store of root's, not for one who is not root", async () => {
    await using folder = temporaryDirectory();
    const before = rights();
    for (const isRoot of [true, false]) {
      const surroundings = { isRoot: isRoot && process.getuid?.() === 0, workingDirectory: "/" };
      await withOwnersRights(folder.path, surroundings, async ({ root, regain }) => {
        expect(root).toBe(folder.path);
        expect(rights()).toEqual(before);
        expect(await regain(async () => rights())).toEqual(before);
      });
    }
  });
});
