import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import { broken, unknown } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";

export const loginWorks: Check<EndpointFacts> = {
  id: "login-works",
  title: "the login is accepted",
  async examine({ login, target }) {
    if (login === undefined || login.scheme === "none" || login.outcome === "accepted") return undefined;
    const name = targetName(target);
    const user = shownName(login.user ?? "");
    if (login.withheld !== undefined) return unknown(login.withheld, "mend that first, or give its CA: --ca ca.crt");
    switch (login.outcome) {
      case undefined:
        return login.user === undefined
          ? unknown(
              `${name} wants a login and none was given or stored for this very name: "no basic auth credentials"`,
              `docker login ${name}; or for this look: --user NAME --password-file FILE`,
            )
          : undefined;
      case "refused":
        return broken(
          `${name} refuses ${user} with 401: the password is wrong, the user is unknown, or its htpasswd line is not bcrypt, the only kind the registry reads`,
          `on the registry's host: \`regctl users\`, then \`regctl passwd ${user}\`; by hand: htpasswd -B htpasswd ${user} (lines have to begin with $2)`,
          `on this machine: docker logout ${name}; docker login ${name}`,
        );
      case "token-refused":
        return broken(
          `no token is issued to ${user}: the password is wrong, or the token service does not know the user`,
          "see why in the log of the token service",
          `on this machine: docker logout ${name}; docker login ${name}`,
        );
      case "loop":
        return broken(
          `a token is issued to ${user} and ${name} answers 401 to it: clients ask again without end`,
          "in the registry's configuration: auth.token.issuer and service have to be what the token says, and rootcertbundle has to hold the certificate of the key that signs them; the two clocks have to agree",
        );
      default:
        return broken(
          `${name} answers ${login.status ?? "nothing"} to the login of ${user}`,
          "on the registry's host: `regctl logs`",
        );
    }
  },
};
