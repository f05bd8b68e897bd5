/** Every folder below `repositories`: which are repositories, and what else is there. */
import { isRepositoryName } from "../registry/reference.ts";
import { REPOSITORIES, REPOSITORY_PARTS, repositoryFolder } from "../storage/layout.ts";
import { entriesOf, type RepositoryFolder } from "../storage/repositories.ts";
import { type Finding, shownName, strayFinding } from "./fsck-finding.ts";

export interface Tree {
  readonly repositories: readonly RepositoryFolder[];
  readonly findings: readonly Finding[];
}

const PARTS: ReadonlySet<string> = new Set(REPOSITORY_PARTS);

export function walkTree(root: string): Tree {
  const repositories: RepositoryFolder[] = [];
  const findings: Finding[] = [];
  const waiting: string[] = [""];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const folder = name === "" ? REPOSITORIES : repositoryFolder(name);
    const parts: string[] = [];
    for (const entry of entriesOf(`${root}/${folder}`)) {
      const isPart = name !== "" && PARTS.has(entry.name);
      if (!entry.isDirectory() || (entry.name.startsWith("_") && !isPart)) {
        findings.push(strayFinding(entry, `${folder}/${entry.name}`));
      } else if (isPart) parts.push(entry.name);
      else waiting.push(name === "" ? entry.name : `${name}/${entry.name}`);
    }
    if (parts.length === 0) continue;
    repositories.push({ name, parts });
    if (isRepositoryName(name)) continue;
    findings.push({
      kind: "unreachable-name",
      repository: name,
      path: folder,
      message: `no client can name the repository ${shownName(name)}`,
    });
  }
  return { repositories, findings };
}
