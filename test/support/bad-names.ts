/** What nobody's repository is called, with what is said of it; no storage is looked at for these. */
export const BAD_REPOSITORIES: readonly (readonly [string, RegExp])[] = [
  ["../..", /has \.\. in it/],
  ["team/../../../etc", /has \.\. in it/],
  ["/etc/passwd", /begins with a slash/],
  ["", /is no repository's name/],
  ["Team/App", /upper-case letters\n {2}hint: .*team\/app/],
  [`${"a".repeat(300)}`, /longer than the 255 characters/],
  ["team/_manifests", /is no repository's name/],
  ["team//app", /is no repository's name/],
  ["team/app\n", /is no repository's name/],
];
