import { describe, expect, it } from "vitest";
import { knownListLosses } from "../../../src/registry/list-losses.ts";

const issues = (...facts: Parameters<typeof knownListLosses>) =>
  knownListLosses(...facts).map(({ list, issue }) => `${list} ${issue.replace(/.*\//, "#")}`);

describe("knownListLosses", () => {
  it.each([
    [{ major: 3, driver: "s3" }, ["repositories #4903", "tags #4891"]],
    [{ major: 3, minor: 1, driver: "s3" }, ["repositories #4903", "tags #4891"]],
    [{ major: 3, minor: 0, driver: "s3" }, ["repositories #4903"]],
    [{ major: 3, minor: 2, driver: "s3" }, []],
    [{ major: 2, driver: "s3" }, []],
    [{ major: 3, driver: "filesystem" }, []],
    [{ major: undefined, driver: "s3" }, []],
    [{ major: 3, driver: undefined }, []],
  ])("%o", (facts, expected) => {
    expect(issues(facts)).toEqual(expected);
  });

  it("says what is missing in a sentence with the issue", () => {
    for (const { warning, issue } of knownListLosses({ major: 3, driver: "s3" })) {
      expect(warning).toContain(`#${issue.replace(/.*\//, "")}`);
      expect(warning).toMatch(/^distribution 3.* S3 /);
    }
  });
});
