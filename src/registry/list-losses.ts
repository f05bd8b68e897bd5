/** What the API cannot list, although it is stored. */

export interface ListLoss {
  readonly list: "repositories" | "tags";
  /** A sentence to warn with. */
  readonly warning: string;
  readonly issue: string;
}

export interface ListFacts {
  /** Major version of distribution; undefined = not known, as the API does not tell. */
  readonly major: number | undefined;
  /** Its minor version, when known. */
  readonly minor?: number | undefined;
  /** The storage driver of its configuration: `s3`, `filesystem`. */
  readonly driver: string | undefined;
}

const ISSUES = "https://github.com/distribution/distribution/issues";
/** The driver's own name and the two others it registers (registry/storage/driver/s3-aws). */
const S3 = new Set(["s3", "s3aws", "s3-aws"]);

/**
 * The lists that leave something out on such a registry; none on file systems and before 3.0. Fixed upstream after 3.1.1 and
 * in no release yet, so every 3.x counts unless its minor version is a later one.
 */
export function knownListLosses({ major, minor, driver }: ListFacts): ListLoss[] {
  if (driver === undefined || !S3.has(driver) || major === undefined || major !== 3 || (minor ?? 0) > 1) return [];
  const repositories: ListLoss = {
    list: "repositories",
    warning:
      "distribution 3.0 and 3.1 leave repositories out of the catalog on S3 when another's name begins with theirs " +
      "(math beside math-extra), unless all fit on one page; set catalog.maxentries above their number (issue #4903)",
    issue: `${ISSUES}/4903`,
  };
  const tags: ListLoss = {
    list: "tags",
    warning:
      "distribution 3.1 leaves tags out of the list on S3 when another tag is their beginning " +
      "(0.1.2 hides 0.1.20; issue #4891)",
    issue: `${ISSUES}/4891`,
  };
  return minor === 0 ? [repositories] : [repositories, tags];
}
