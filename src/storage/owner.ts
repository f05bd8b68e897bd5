/**
 * Root works in a store with the rights of its owner: whoever may write there (a registry that was taken over, say) can put
 * links in the way of what we move and remove, and must not get more out of us than it could do itself.
 */
import { statSync } from "node:fs";

export interface OwnersRights {
  /** How the store is reached meanwhile: folders above it may be closed to its owner. */
  readonly root: string;
  /** Takes our own rights back for what is outside of the store. */
  regain<T>(work: () => Promise<T>): Promise<T>;
}

export interface OwnSurroundings {
  readonly isRoot: boolean;
  readonly workingDirectory: string;
}

/** `root` is absolute. Rights and working directory are those of the whole process: one store at a time. */
export async function withOwnersRights<T>(
  root: string,
  { isRoot, workingDirectory }: OwnSurroundings,
  work: (rights: OwnersRights) => Promise<T>,
): Promise<T> {
  const { uid, gid } = statSync(root);
  if (!isRoot || uid === 0) return work({ root, regain: (inner) => inner() });
  const groups = process.getgroups?.() ?? [];
  const gid0 = process.getegid?.() ?? 0;
  const drop = () => {
    process.chdir(root);
    process.setgroups?.([gid]);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  };
  const regain = () => {
    process.seteuid?.(0);
    process.setegid?.(gid0);
    process.setgroups?.(groups);
    process.chdir(workingDirectory);
  };
  drop();
  try {
    return await work({
      root: ".",
      regain: async (inner) => {
        regain();
        try {
          return await inner();
        } finally {
          drop();
        }
      },
    });
  } finally {
    regain();
  }
}
