import type { Check } from "../check.ts";
import { broken, quoted, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { clientNames, targetName } from "../target.ts";

/** As docker compares them: without scheme and path. */
const bare = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");

export const storedLogin: Check<EndpointFacts> = {
  id: "stored-login",
  title: "docker's stored login is under the registry's name, port included",
  async examine({ client, target }) {
    const { login } = client;
    if (login === undefined) return undefined;
    if (login.value === undefined)
      return broken(
        `${login.path} is not a JSON object, or may not be read: docker finds no login in it`,
        `on this machine: mend it; python3 -m json.tool ${login.path} says where`,
      );
    const { auths } = login.value;
    const keys = typeof auths === "object" && auths !== null ? Object.keys(auths) : [];
    const name = targetName(target);
    if (keys.some((key) => bare(key) === name)) return undefined;
    const others = keys.filter((key) => clientNames(target).includes(bare(key)));
    if (others.length === 0) return undefined;
    return warning(
      `${login.path} has a login for ${others.map(quoted).join(", ")} and none for ${name}, which is another registry to docker: "no basic auth credentials"`,
      `on this machine: docker login ${name}`,
    );
  },
};
