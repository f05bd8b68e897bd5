/** The command lines of regctl that a schedule draws. */
import type { Choices } from "./choices.ts";
import { type Facts, knownRevisions, knownTags } from "./facts.ts";
import type { TrashListing } from "./outcome.ts";

export interface DrawnCommand {
  readonly argv: readonly string[];
  readonly isGc: boolean;
  readonly isUntagged: boolean;
  /** Entries it brings back, or empties for good. */
  readonly undoes: readonly string[];
  readonly purges: readonly string[];
  /** Removes for good at once. */
  readonly isForGood: boolean;
}

/** A command that is of no interest to what clients know. */
export const NO_COMMAND: DrawnCommand = {
  argv: [],
  isGc: false,
  isUntagged: false,
  undoes: [],
  purges: [],
  isForGood: false,
};

export function drawGc(choices: Choices, settleMs: number): DrawnCommand {
  const isUntagged = choices.chance(0.5);
  const grace = choices.weighed({ "0": 14, "1h": 3, "50ms": 3 });
  const keep = choices.weighed({ "0": 3, "1h": 1 });
  const argv = ["gc", "--grace", grace, "--keep", keep, "--settle", `${settleMs}ms`, "--uncached"];
  return { ...NO_COMMAND, argv: isUntagged ? [...argv, "--untagged"] : argv, isGc: true, isUntagged };
}

const KINDS = { gc: 9, "rm-repo": 2, "rm-tag": 3, "rm-image": 3, undo: 4, purge: 1, prune: 3 } as const;

/** Draws a command; what it names is what is known at that moment. */
export function drawCommand(
  choices: Choices,
  facts: Facts,
  listing: readonly TrashListing[],
  settleMs: number,
): DrawnCommand {
  const revisions = knownRevisions(facts);
  const tags = knownTags(facts);
  const removal = (verb: string, name: string, isForGood = choices.chance(0.1)): DrawnCommand => ({
    ...NO_COMMAND,
    argv: [
      verb,
      name,
      ...(isForGood ? ["--purge", "--confirm", name] : []),
      ...(choices.chance(0.5) ? ["--no-sizes"] : []),
    ],
    isForGood,
  });
  switch (choices.weighed(KINDS)) {
    case "rm-repo":
      if (revisions.length > 0) return removal("rm-repo", choices.among(revisions).repository);
      break;
    case "rm-tag":
      if (tags.length > 0) {
        const { repository, tag } = choices.among(tags);
        return removal("rm-tag", `${repository}:${tag}`);
      }
      break;
    case "rm-image":
      if (revisions.length > 0) {
        const { repository, digest } = choices.among(revisions);
        // What else goes with it, and would have to be confirmed first, is not known here.
        return removal("rm-image", `${repository}@${digest}`, false);
      }
      break;
    case "undo":
      if (listing.length > 0) {
        const { id } = choices.among(listing);
        return { ...NO_COMMAND, argv: ["undo", id], undoes: [id] };
      }
      break;
    case "purge":
      if (listing.length > 0) {
        const { id } = choices.among(listing);
        return { ...NO_COMMAND, argv: ["trash", "purge", id, "--confirm", id], purges: [id] };
      }
      break;
    case "prune": {
      const rule = choices.among([
        ["--keep", "1"],
        ["--keep", "2"],
        ["--untagged", "0h"],
        ["--keep", "1", "--untagged", "0h"],
        ["--newer-than", "1d", "--untagged", "0h"],
      ]);
      const argv = ["prune", "--apply", "--no-protect-in-use", ...rule, "--settle", `${settleMs}ms`];
      return { ...NO_COMMAND, argv };
    }
    default:
  }
  return drawGc(choices, settleMs);
}

/** A line for one storage folder, with an answer that can be parsed. */
export function onStore(argv: readonly string[], store: string): string[] {
  return [...argv, "--data", store, "--yes", "--json"];
}
