import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { authorityFiles, isPem, isPublic, ownFolders } from "./trust-folders.ts";

export const trustFolderFiles: Check<EndpointFacts> = {
  id: "trust-folder-files",
  title: "the CA in this machine's certs.d can be read by clients",
  async examine(facts) {
    if (isPublic(facts)) return undefined;
    for (const folder of ownFolders(facts, ["docker", "podman"])) {
      const { path, files, isUnreadable } = folder;
      if (isUnreadable === true)
        return broken(
          `${path} may not be read by you, so podman as you does not see its CA`,
          `on this machine: chmod 755 ${path}`,
        );
      if (authorityFiles(folder).length > 0) continue;
      const ignored = files.find(({ name, pem }) => name.endsWith(".pem") && isPem(pem));
      if (ignored !== undefined)
        return broken(
          `${path}/${ignored.name} is passed over in silence: only files that end in .crt are CAs there`,
          `on this machine: mv ${path}/${ignored.name} ${path}/ca.crt`,
        );
      const binary = files.find(({ name, pem }) => name.endsWith(".crt") && !isPem(pem));
      if (binary !== undefined)
        return broken(
          `${path}/${binary.name} is passed over in silence: it is not PEM`,
          `on this machine: openssl x509 -inform DER -in ${path}/${binary.name} -out /tmp/ca.crt && mv /tmp/ca.crt ${path}/${binary.name}`,
        );
    }
    return undefined;
  },
};
