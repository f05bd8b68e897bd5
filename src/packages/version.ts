/**
 * The upstream part of a Debian version (deb-version(7)): without the epoch, the repacking mark and the revision, `~`
 * replaced as a tag cannot hold it. `1:2.8.2+ds1-1` -> `2.8.2`, `2.8.0~rc1-1` -> `2.8.0-rc1`.
 */
export function upstreamVersion(debianVersion: string): string {
  const withoutEpoch = debianVersion.replace(/^\d+:/, "");
  return withoutEpoch.replace(/[+-].*$/, "").replaceAll("~", "-");
}
