import type { Check } from "../check.ts";
import { warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { pemBlocks } from "../pem-blocks.ts";
import { targetName } from "../target.ts";
import { authorityFiles, isPem, ownFolders } from "./trust-folders.ts";

export const trustInstalled: Check<EndpointFacts> = {
  id: "trust-installed",
  title: "this machine's docker was given the CA",
  async examine(facts) {
    const { chain, client, isOwn, target } = facts;
    // The registry's host need not be a client of it; without --ca this is what the verdict on the CA says.
    if (isOwn || !client.hasDocker || chain === undefined || chain.distrust !== undefined || !chain.isGivenByHand)
      return undefined;
    const given = chain.given.flatMap((certificate) => pemBlocks(certificate.toString()));
    const known = [
      ...ownFolders(facts, ["docker"]).flatMap(({ files }) =>
        files.filter(({ name, pem }) => name.endsWith(".crt") && isPem(pem)).map(({ pem }) => pem ?? ""),
      ),
      client.systemAuthorities,
    ].flatMap(pemBlocks);
    if (given.some((block) => known.includes(block))) return undefined;
    const name = targetName(target);
    const others = ownFolders(facts, ["docker"]).filter((folder) => authorityFiles(folder).length > 0);
    const which =
      others.length > 0
        ? `what is in ${others.map(({ path }) => path).join(", ")} is another CA`
        : "it is in neither certs.d nor the system's store";
    return warning(
      `docker on this machine does not know the CA of ${name}: ${which}`,
      `on this machine: install -D -m 644 ca.crt /etc/docker/certs.d/${name}/ca.crt; no restart is needed`,
    );
  },
};
