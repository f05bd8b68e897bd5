/**
 * Root works in a storage with the rights of whom it belongs to: whoever writes there, a registry that was taken over say, gets
 * nothing out of root that it could not do itself. Needs root.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareStore, bareStoreIn, blobPath, pathsBelow, sha256, treeOf } from "../support/bare-store.ts";
import { asNobody } from "../support/e2e-nobody.ts";
import { generateStore, setAge } from "../support/generated-store.mjs";
import { recordOutput } from "../support/recorded-outputs.ts";
import { REPOSITORY } from "../support/regctl.ts";
import { mustRun, type ProgramResult, runProgram } from "../support/run-program.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const OWNER = 65532;
const V2 = "docker/registry/v2";
const GC = ["gc", "--stopped", "--grace", "0", "--untagged"];

/** The program where only root can read it, as a package is installed: without sources. */
let program: TemporaryDirectory;
beforeAll(async () => {
  program = temporaryDirectory("regctl-test-program-");
  const lock = JSON.parse(readFileSync(join(REPOSITORY, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const used = Object.keys(lock.packages).filter((path) => path !== "" && lock.packages[path]?.dev !== true);
  const parts = ["bin", "dist", "package.json", ...used.filter((path) => existsSync(join(REPOSITORY, path)))];
  await mustRun("cp", ["-a", "--parents", ...parts, program.path], { cwd: REPOSITORY });
  expect(lstatSync(program.path).mode & 0o777).toBe(0o700);
});
afterAll(() => program[Symbol.asyncDispose]());

async function regctl(store: BareStore, args: readonly string[]): Promise<ProgramResult> {
  const argv = [...args, "--data", store.root];
  const result = await runProgram(process.execPath, [join(program.path, "bin/regctl"), ...argv], { cwd: program.path });
  recordOutput({ args: argv, exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr });
  return result;
}

interface Place extends AsyncDisposable {
  readonly store: BareStore;
  /** Root's own, laid out so that every way into it would find something to move or remove. */
  readonly victim: string;
  /** Hands everything in the storage to its owner. */
  own(): Promise<void>;
}

/** A storage of somebody else's in a folder only root may enter, beside things of root's. */
async function place(): Promise<Place> {
  const folder = temporaryDirectory();
  const [root, victim] = [join(folder.path, "store"), join(folder.path, "victim")];
  mkdirSync(root);
  mkdirSync(victim);
  const store = bareStoreIn(root);
  store.image("team/app", { tag: "1", layers: ["kept"] });
  store.image("team/app", { layers: ["untagged"] });
  store.blob("garbage");
  const other = bareStoreIn(victim);
  for (const name of ["team/app", "theirs"]) other.image(name, { tag: "1", layers: ["secret"] });
  other.blob("garbage");
  mkdirSync(join(victim, "_manifests"));
  writeFileSync(join(victim, "file"), "root's");
  store.age(7200);
  other.age(7200);
  const own = async () => void (await mustRun("chown", ["-hR", `${OWNER}:${OWNER}`, root]));
  await own();
  return { store, victim, own, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** Paths of the storage that are not its owner's. */
function foreign(root: string): string[] {
  return pathsBelow(root).filter((path) => {
    const { uid, gid } = lstatSync(join(root, path));
    return uid !== OWNER || gid !== OWNER;
  });
}

describe("root in the storage of another user", () => {
  it("does what it is told, and all it makes belongs to that user", async () => {
    await using one = await place();
    const { store } = one;
    const collected = await regctl(store, [...GC, "--keep", "1d"]);
    expect(collected, collected.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("kept in the trash"),
    });
    expect(existsSync(join(store.root, V2, blobPath(sha256("garbage"))))).toBe(false);
    const before = treeOf(store.root);
    const removed = await regctl(store, ["rm-repo", "team/app", "--yes", "-q"]);
    expect(removed, removed.stderr).toMatchObject({ exitCode: 0 });
    expect(foreign(store.root)).toEqual([]);
    expect(existsSync(join(store.root, V2, "repositories/team/app/_manifests"))).toBe(false);
    expect(await regctl(store, ["undo", removed.stdout.trim()])).toMatchObject({ exitCode: 0 });
    expect(treeOf(store.root)).toEqual(before);
    expect(foreign(store.root)).toEqual([]);
  });

  it("has its threads read the program where the user may not, and work with the user's rights", async () => {
    await using one = await place();
    const task = join(program.path, "task.mjs");
    const script = join(program.path, "script.mjs");
    writeFileSync(
      task,
      `import { threadId } from "node:worker_threads";
       export const taskUrl = import.meta.url;
       export function* work(_, next) {
         let items = 0;
         for (let item = next(); item >= 0; item = next()) {
           for (const until = performance.now() + 2; performance.now() < until; );
           items++;
           yield;
         }
         return { threadId, items, uid: process.geteuid(), gid: process.getegid() };
       }`,
      { mode: 0o600 },
    );
    writeFileSync(
      script,
      `import { withOwnersRights } from "./dist/storage/owner.js";
       import { createTeam } from "./dist/storage/team.js";
       import * as task from "./task.mjs";
       const own = { isRoot: true, workingDirectory: process.cwd() };
       const outputs = await withOwnersRights(process.argv[2], own, async ({ regain }) => {
         const signal = new AbortController().signal;
         const team = createTeam(task, { signal, maximumThreads: 3, withOwnRights: regain });
         const answers = await team.run("work", task.work, undefined, { count: 1000 });
         await team.close();
         return answers;
       });
       console.log(JSON.stringify(outputs));`,
    );
    const { stdout } = await mustRun(process.execPath, [script, one.store.root], { cwd: program.path });
    const outputs = JSON.parse(stdout) as { threadId: number; items: number; uid: number; gid: number }[];
    // With one core there is nobody to share with.
    const { availableParallelism } = await import("node:os");
    expect(outputs.length).toBe(Math.min(3, availableParallelism()));
    expect(new Set(outputs.map(({ threadId }) => threadId)).size).toBe(outputs.length);
    expect(outputs.reduce((sum, { items }) => sum + items, 0)).toBe(1000);
    for (const { uid, gid } of outputs) expect([uid, gid]).toEqual([OWNER, OWNER]);
  });

  it("collects a storage that takes more than one thread", async () => {
    await using folder = temporaryDirectory();
    const root = join(folder.path, "store");
    mkdirSync(root);
    await generateStore(root, { repositories: 50, tags: 10, seed: 1 });
    setAge(root, 7200);
    await mustRun("chown", ["-hR", `${OWNER}:${OWNER}`, root]);
    const store = { root } as BareStore;
    const dry = await regctl(store, ["gc", "--dry-run", "--untagged", "--grace", "0", "--json"]);
    const planned = (JSON.parse(dry.stdout) as { data: { blobs: { deletable: number } } }).data.blobs.deletable;
    expect(planned).toBeGreaterThan(100);
    const real = await regctl(store, [...GC, "--json"]);
    expect(real, real.stderr).toMatchObject({ exitCode: 0 });
    const { blobs } = (JSON.parse(real.stdout) as { data: { blobs: { deleted: number } } }).data;
    expect(blobs.deleted).toBe(planned);
    expect(foreign(root)).toEqual([]);
  });
});

/** Everything that moves, makes or removes something. */
const CHANGES: readonly (readonly string[])[] = [
  GC,
  ["rm-tag", "team/app:1", "--yes"],
  ["rm-image", "team/app:1", "--yes"],
  ["rm-repo", "**", "--yes"],
  ["prune", "--keep", "0", "--untagged", "1h", "--no-protect-in-use", "--settle", "0", "--apply", "--yes"],
  ["trash", "purge", "--yes", "--confirm", "all"],
];

describe("a link planted in the storage leads nowhere", () => {
  const entry = (state: string) =>
    JSON.stringify({
      version: 1,
      id: "20260101-aaaaaa",
      kind: "rm-repo",
      state,
      created: "2026-01-01T00:00:00Z",
      expires: "2026-01-02T00:00:00Z",
      removed: [{ repository: "team/app" }],
    });

  function replace(path: string, target: string): void {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }

  const prefix = dirname(blobPath(sha256("garbage")));

  it.each<[string, (store: string, victim: string) => void]>([
    ["in place of the trash", (store, victim) => replace(join(store, "regctl-trash"), victim)],
    ["in place of the lock", (store, victim) => replace(join(store, "regctl-trash/lock"), join(victim, "file"))],
    ["in place of a folder of blobs", (store, victim) => replace(join(store, V2, prefix), join(victim, V2, prefix))],
    [
      "in place of all blobs",
      (store, victim) => replace(join(store, V2, "blobs/sha256"), join(victim, V2, "blobs/sha256")),
    ],
    [
      "in place of a repository",
      (store, victim) => replace(join(store, V2, "repositories/team/app"), join(victim, V2, "repositories/team/app")),
    ],
    [
      "in place of a repository's manifests",
      (store, victim) =>
        replace(
          join(store, V2, "repositories/team/app/_manifests"),
          join(victim, V2, "repositories/team/app/_manifests"),
        ),
    ],
    ["in place of everything", (store, victim) => replace(join(store, "docker"), join(victim, "docker"))],
    ...["purging", "restoring", "open", "kept"].map((state): [string, (store: string, victim: string) => void] => [
      `in place of an entry of the trash that is ${state}`,
      (store, victim) => {
        writeFileSync(join(victim, "entry.json"), entry(state));
        replace(join(store, "regctl-trash/20260101-aaaaaa"), victim);
      },
    ]),
    ...["purging", "restoring", "kept"].map((state): [string, (store: string, victim: string) => void] => [
      `in an entry of the trash that is ${state}`,
      (store, victim) => {
        replace(join(store, "regctl-trash/20260101-aaaaaa/docker"), join(victim, "docker"));
        writeFileSync(join(store, "regctl-trash/20260101-aaaaaa/entry.json"), entry(state));
      },
    ]),
  ])("%s", async (_, plant) => {
    await using one = await place();
    plant(one.store.root, one.victim);
    await one.own();
    // What is readable to all is readable through a link as well; what matters is that nothing is changed.
    chmodSync(dirname(one.victim), 0o711);
    const before = treeOf(one.victim, /^$/);
    const results: number[] = [];
    for (const argv of CHANGES) results.push((await regctl(one.store, argv)).exitCode);
    expect(treeOf(one.victim, /^$/)).toEqual(before);
    expect(foreign(one.store.root)).toEqual([]);
    // Refused or passed over, but no bug.
    expect(results).not.toContain(70);
  });

  it("swapped in while root works", async () => {
    await using one = await place();
    const { store, victim } = one;
    chmodSync(dirname(victim), 0o711);
    const before = treeOf(victim, /^$/);
    const swaps = [prefix, "repositories/team/app"].map((path) => [join(store.root, V2, path), join(victim, V2, path)]);
    const swapping = spawn(
      "setpriv",
      [
        `--reuid=${OWNER}`,
        `--regid=${OWNER}`,
        "--clear-groups",
        process.execPath,
        "-e",
        SWAPPER,
        JSON.stringify(swaps),
      ],
      { stdio: ["pipe", "pipe", "inherit"], env: {} },
    );
    try {
      await once(swapping.stdout, "data");
      for (let round = 0; round < 4; round++) {
        for (const argv of [GC, ["rm-repo", "team/app", "--yes"], ["rm-repo", "**", "--yes"]])
          await regctl(store, argv);
        expect(swapping.exitCode).toBeNull();
      }
    } finally {
      swapping.kill("SIGKILL");
      await once(swapping, "exit");
    }
    expect(treeOf(victim, /^$/)).toEqual(before);
  });

  /** Puts a link in a folder's place and the folder back, again and again. */
  const SWAPPER = `
    const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
    const swaps = JSON.parse(process.argv[1]);
    const attempt = (work) => { try { work(); } catch {} };
    let isLink = false;
    const turn = () => {
      for (const [path, target] of swaps) {
        if (isLink) {
          attempt(() => unlinkSync(path));
          attempt(() => renameSync(path + ".away", path));
        } else {
          attempt(() => renameSync(path, path + ".away"));
          attempt(() => symlinkSync(target, path));
        }
      }
      isLink = !isLink;
      setTimeout(turn, Math.random() * 6);
    };
    console.log("swapping");
    turn();`;
});

describe("a user who is neither root nor the owner", () => {
  it("may look where the owner lets others look, changes nothing, and is told what would help", async () => {
    await using one = await place();
    await using nobody = await asNobody();
    const moved = join("/tmp", `regctl-test-rights-${process.pid}`);
    renameSync(one.store.root, moved);
    try {
      const before = treeOf(moved, /^$/);
      expect(await nobody.regctl(["gc", "--dry-run", "--data", moved])).toMatchObject({ exitCode: 0 });
      for (const argv of CHANGES) {
        const { exitCode, stdout, stderr } = await nobody.regctl([...argv, "--data", moved]);
        expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
        expect(stderr).toMatch(
          new RegExp(`${moved} belongs to uid ${OWNER}, and may not be changed\n {2}hint: .*sudo`),
        );
      }
      expect(treeOf(moved, /^$/)).toEqual(before);
      chmodSync(moved, 0o700);
      chownSync(moved, OWNER, OWNER);
      const closed = await nobody.regctl(["gc", "--dry-run", "--data", moved]);
      expect(closed).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("sudo") });
    } finally {
      rmSync(moved, { recursive: true, force: true });
    }
  });
});
