/** Runs of the verbs about a storage, as tests of them need them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type BareStore, treeOf } from "./bare-store.ts";
import { type RunOptions, type RunResult, run } from "./run.ts";

export interface Answer<Data> {
  readonly kind: string;
  readonly data: Data;
}

/** Runs it on a bare store. */
export const on = (store: BareStore, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
  run([...argv, "--data", store.root], options);

/** The answer of a run that has to succeed, as JSON; nothing else may be said. */
export async function answerOf<Data>(argv: readonly string[], options: RunOptions = {}): Promise<Answer<Data>> {
  const { exitCode, stdout, stderr } = await run([...argv, "--json"], options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { apiVersion, ...answer } = JSON.parse(stdout) as Answer<Data> & { readonly apiVersion: string };
  expect(apiVersion).toBe("regctl/v1");
  return answer;
}

/** Fails when the run changes anything in the store, its trash included. */
export async function unchanged<T>(store: BareStore, work: () => Promise<T>): Promise<T> {
  const lock = /^regctl-trash(\/lock)?$/;
  const before = treeOf(store.root, lock);
  const result = await work();
  expect(treeOf(store.root, lock)).toEqual(before);
  return result;
}

/** Ids in the trash. */
export function trashed(store: BareStore): string[] {
  const names = readdirSync(store.root).includes("regctl-trash") ? readdirSync(join(store.root, "regctl-trash")) : [];
  return names.filter((name) => name !== "lock").sort();
}

/** Another regctl that works on the store meanwhile. */
export async function lockStore(store: BareStore): Promise<AsyncDisposable> {
  mkdirSync(join(store.root, "regctl-trash"), { recursive: true });
  const file = join(store.root, "regctl-trash/lock");
  const holder = spawn("flock", ["-x", file, "sh", "-c", 'echo "regctl other" >"$1"; echo held; read x', "sh", file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(holder, "exit");
      holder.stdin.end();
      await ended;
    },
  };
}

/** A user without any right at the keyboard; root's own when the tests are not run by root. */
export async function asStranger<T>(work: (identity: { userId: number; groupId: number }) => Promise<T>): Promise<T> {
  process.seteuid?.(65534);
  try {
    return await work({ userId: 65534, groupId: 65534 });
  } finally {
    process.seteuid?.(0);
  }
}
