import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { withLockUnless } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { abortRollover, beginRollover, finishRollover, type RolloverResult } from "../operations/rollover.ts";

export interface RolloverFlags {
  readonly dryRun?: boolean;
  readonly finish?: boolean;
  readonly abort?: boolean;
  readonly compromised?: boolean;
}

const QUESTIONS = {
  finish: "Drop the old CA? Clients that trust it alone are refused from then on",
  abort: "Go back to the old CA? Clients that trust the new one alone are refused from then on",
  compromised:
    "Replace the CA at once? EVERY client is refused until it trusts the new one, and has to stop trusting the old one",
} as const;

type Action = keyof typeof QUESTIONS | "begin";

function chosen(flags: RolloverFlags): Action {
  const given = (["finish", "abort", "compromised"] as const).filter((name) => flags[name] === true);
  if (given.length <= 1) return given[0] ?? "begin";
  throw new RegctlError("usage", `--${given.join(" and --")} exclude each other`, { hint: "give one of them" });
}

async function agree(context: Context, action: Action): Promise<void> {
  if (action === "begin" || context.options.yes) return;
  if (await context.prompt.confirm({ message: QUESTIONS[action], flag: "--yes", default: false })) return;
  throw new RegctlError("declined", "nothing was changed");
}

const GIVE = "give it to every client: `regctl certs ca > ca.crt`";
const UNDO = "the old CA's key is kept in .regctl/ until then, for --abort alone: with it gone nobody could go back";

function told({ outcome, because, rollover, changes }: RolloverResult): string {
  const kind = rollover?.kind;
  const day = rollover?.since.slice(0, 10);
  switch (outcome) {
    case "begun":
      return kind === "overlap"
        ? `the new CA is made, and nothing else changed (not cross-signed: ${because})\n1. give BOTH CAs to every client: \`regctl certs ca > ca.crt\` holds the two\n2. then: \`regctl certs rollover --finish\``
        : `the new CA serves, signed by the old one as well: clients that trust either of them work\n1. ${GIVE}\n2. when all have it, by ${rollover?.previousEnds.slice(0, 10)}: \`regctl certs rollover --finish\`\n${UNDO}`;
    case "under-way":
      return `a rollover is under way since ${day}; finish it with \`regctl certs rollover --finish\`, or take it back with --abort`;
    case "finished":
      return "the old CA is dropped, and its key with it: clients trust the new one alone; remove the old one from them";
    case "aborted":
      return "the old CA serves again, and the new one is gone: remove it from clients that have it";
    case "replaced":
      return `a new CA serves (${because}); clients are refused until they trust it\n1. ${GIVE}\n2. remove the old CA from every client: whoever has its key can pretend to be this registry there`;
    case "none":
      return changes.length === 0
        ? "no rollover is under way"
        : "no rollover is under way; what runs was made to agree";
  }
}

/** With a dry run `told` would speak of what was not done. */
function foretold({ outcome, because, changes }: RolloverResult): string {
  const plan = changes.length === 0 ? "no changes" : renderChanges(changes);
  return outcome === "begun" && because !== undefined ? `not cross-signed: ${because}\n${plan}` : plan;
}

export async function certsRollover(context: Context, flags: RolloverFlags): Promise<void> {
  const action = chosen(flags);
  const directory = await locateDeployment(context, context.options.dir);
  const dryRun = flags.dryRun ?? false;
  if (!dryRun) await agree(context, action);
  await withLockUnless(
    dryRun,
    context,
    directory,
    `certs rollover${action === "begin" ? "" : ` --${action}`}`,
    async () => {
      const result = await carriedOut(context, directory, action, dryRun);
      if (!dryRun) context.output.note(renderChanges(result.changes));
      context.output.result(
        "certs-rollover",
        { dryRun, ...result, because: result.because ?? null, rollover: result.rollover ?? null },
        dryRun ? foretold(result) : told(result),
        result.outcome,
      );
    },
  );
}

function carriedOut(context: Context, directory: string, action: Action, dryRun: boolean): Promise<RolloverResult> {
  if (action === "finish") return finishRollover(context, directory, { dryRun });
  if (action === "abort") return abortRollover(context, directory, { dryRun });
  return beginRollover(context, directory, { dryRun, compromised: action === "compromised" });
}
