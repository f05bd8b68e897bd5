/** The `retention` section of regctl.yaml as people write it. */
import { z } from "zod";

const MOST_RULES = 100;
const MOST_GLOBS = 100;

const globs = (what: string) =>
  z.union(
    [z.string(), z.array(z.string()).min(1).max(MOST_GLOBS)],
    `should be ${what}, or a list of at most ${MOST_GLOBS}`,
  );

const AGE = "should be an age such as 30d, 12h or 26w";
const age = () => z.templateLiteral([z.string().regex(/\d{1,5}/), z.enum(["h", "d", "w"])], AGE);

const count = (what: string) => z.int(what).min(0, what).max(1_000_000, what);

const ruleSchema = z.strictObject({
  repositories: globs("a glob of repositories")
    .optional()
    .describe("Globs of repositories: team/* is one level, prod/** all of them. Default: all repositories."),
  tags: globs("a glob of tags").optional().describe("Globs of tags. Default: all tags."),
  semver: z
    .string()
    .optional()
    .describe('Tags that are versions within a range, such as ">=1.0.0 <2.0.0"; prereleases are compared as versions.'),
  keep: z
    .strictObject({
      all: z
        .literal(true, "should be true, or left out")
        .optional()
        .describe("Keep every tag this rule decides about."),
      newest: count("should be a whole number, 0 or more")
        .optional()
        .describe("Keep so many of the newest images of each repository."),
      newerThan: age().optional().describe("Keep what is newer than that: 12h, 30d, 26w."),
      by: z
        .enum(["push", "build"], "should be push or build")
        .optional()
        .describe("Which date counts: when the tag was pushed, or when the image was built. Default: push."),
    })
    .optional()
    .describe("What stays of the tags this rule decides about: what either newest or newerThan keeps."),
  untagged: z
    .strictObject({ olderThan: age().describe("Remove those pushed longer ago than that: 12h, 30d, 26w.") })
    .optional()
    .describe("What to remove of the manifests that no tag reaches. Default: none."),
});

export const retentionSchema = z
  .strictObject({
    protect: z
      .array(z.string())
      .max(MOST_GLOBS, `should be at most ${MOST_GLOBS}`)
      .optional()
      .describe("Never removed: globs of repositories, or of repositories and tags (prod/**:v*)."),
    protectInUse: z
      .boolean()
      .optional()
      .describe("Never remove what containers and Swarm services of this engine use. Default: true."),
    rules: z
      .array(ruleSchema)
      .max(MOST_RULES, `should be at most ${MOST_RULES}`)
      .optional()
      .describe("The first rule that matches a tag decides about it; a tag that none matches is kept."),
  })
  .describe("What `regctl prune` removes.");

export type WrittenRetention = z.infer<typeof retentionSchema>;
