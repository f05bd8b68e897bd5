import type { Check } from "../check.ts";
import { broken, quoted } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

export const loginChallenge: Check<EndpointFacts> = {
  id: "login-challenge",
  title: "it says how to log in, and where",
  async examine({ login, target }) {
    if (login?.scheme === "missing")
      return broken(
        `${target.host} answers 401 and says not how to log in: WWW-Authenticate is missing, so no client ever sends a password`,
        "in the proxy: pass the header on (nginx: no proxy_hide_header, no error_page 401 of its own), and leave the login to the registry",
      );
    if (login?.scheme === "other")
      return broken(
        `${target.host} asks for a kind of login that is neither Basic nor Bearer, which no registry client speaks`,
        "in the proxy: take its own login (Digest, Negotiate) off /v2/",
      );
    if (login?.realmProblem === undefined) return undefined;
    return broken(
      `clients are sent for a token to ${quoted(login.realm ?? "")}, where they get none: ${login.realmProblem}`,
      "in the registry's configuration: auth.token.realm has to be an https:// URL that every client reaches, not the token service's address inside",
    );
  },
};
