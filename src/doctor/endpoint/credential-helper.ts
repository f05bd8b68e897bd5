import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const credentialHelper: Check<EndpointFacts> = {
  id: "credential-helper",
  title: "docker's credential helper is installed",
  async examine({ client: { missingHelpers, login } }) {
    if (missingHelpers.length === 0 || login === undefined) return undefined;
    const programs = missingHelpers.map((name) => `docker-credential-${name}`);
    return broken(
      `${login.path} says that logins are kept by ${programs.join(", ")}, which is not in PATH: docker login and every pull fail`,
      `on this machine: install ${programs.join(", ")}, or remove credsStore and credHelpers from ${login.path} and log in again`,
    );
  },
};
