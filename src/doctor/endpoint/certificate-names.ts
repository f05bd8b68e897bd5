import { isIP } from "node:net";
import { describeCertificate, oneLine } from "../../pki/describe.ts";
import { coversHost } from "../../pki/host-match.ts";
import { parseHost } from "../../pki/san.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const MOST_SHOWN = 10;

export const certificateNames: Check<EndpointFacts> = {
  id: "certificate-names",
  title: "the certificate is for this name",
  async examine({ chain, target: { host }, now }) {
    const [leaf] = chain?.sent ?? [];
    if (leaf === undefined || coversHost(leaf, parseHost(host))) return undefined;
    const { sans } = describeCertificate(leaf, now);
    const commonName = /^CN=(.*)$/m.exec(leaf.subject ?? "")?.[1];
    const isAddress = isIP(host) !== 0;
    const fix = [
      `on the registry's host: regctl certs issue ${host}`,
      sans.length === 0
        ? "with openssl: add -extfile with subjectAltName=DNS:NAME (IP:ADDRESS for an address)"
        : `on this machine: or name the registry as its certificate does: ${sans.slice(0, MOST_SHOWN).join(", ")}`,
    ];
    if (sans.length === 0) {
      const cn = commonName === undefined ? oneLine(leaf.subject) : `CN=${commonName}`;
      return broken(
        `the certificate names no host in subjectAltName, only ${cn}: docker and podman say "certificate relies on legacy Common Name field", curl may take it all the same`,
        ...fix,
      );
    }
    const shown = `${sans.slice(0, MOST_SHOWN).join(", ")}${sans.length > MOST_SHOWN ? ", …" : ""}`;
    if (isAddress && sans.includes(host))
      return broken(`the certificate has the address ${host} as a DNS name, which no client matches`, ...fix);
    if (isAddress)
      return broken(
        `${host} is an address and the certificate is for ${shown}: "cannot validate certificate for ${host} because it doesn't contain any IP SANs" of it`,
        ...fix,
      );
    return broken(`the certificate is valid for ${shown}, not for ${host}`, ...fix);
  },
};
