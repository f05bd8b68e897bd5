/** What a rollover changes, in the words of a plan. */
import { join } from "node:path";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import type { Change } from "../deployment/plan.ts";
import { exists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";
import type { Replacement } from "./replace-files.ts";
import { propose } from "./up.ts";

/** What each file is there for, as a plan tells it. */
const REASONS: Readonly<Record<string, string>> = {
  [FILES.authorityCertificate]: "the CA clients are given from now on",
  [FILES.certificate]: "goes with that CA",
  [FILES.previousAuthority]: "the CA clients know already",
  [FILES.crossCertificate]: "the new CA, signed by the old one",
  [FILES.nextAuthority]: "the CA that takes over, for clients to trust beside the old one",
};

/** The certificates among the files; keys go without saying. */
export async function certificateChanges(directory: string, { files, removals }: Replacement): Promise<Change[]> {
  const there = async (path: string): Promise<boolean> => exists(join(directory, path));
  const written = files.filter(({ path }) => path in REASONS);
  const gone = removals.filter((path) => path in REASONS);
  const [before, present] = await Promise.all([
    Promise.all(written.map(({ path }) => there(path))),
    Promise.all(gone.map(there)),
  ]);
  return [
    ...written.map(
      ({ path }, index): Change => ({
        action: before[index] ? "change" : "create",
        kind: "certificate",
        name: path,
        because: REASONS[path] ?? "",
      }),
    ),
    ...gone
      .filter((_, index) => present[index])
      .map((path): Change => ({ action: "remove", kind: "certificate", name: path, because: "no longer needed" })),
  ];
}

/** What `replaceFiles` would change besides the files, told without writing them. */
export async function foreseenChanges(
  ports: OperationPorts,
  deployment: Deployment,
  { files }: Replacement,
): Promise<Change[]> {
  const { changes } = await propose(ports, await ports.engine(), deployment);
  const name = containerName(deployment.config.name, REGISTRY_SERVICE);
  if (!files.some(({ path }) => path === FILES.certificate) || changes.some((change) => change.name === name))
    return [...changes];
  return [...changes, { action: "change", kind: "container", name, because: "certificate changed" }];
}
