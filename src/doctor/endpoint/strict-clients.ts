import { lintCheck } from "../chain-path.ts";

export const strictClients = lintCheck({
  id: "strict-clients",
  title: "the strictest clients (Python 3.13) take it",
  codes: [
    "AKI_MISSING",
    "KEY_ID_CRITICAL",
    "SAN_NOT_CRITICAL",
    "CA_KEY_USAGE_MISSING",
    "CA_SKI_MISSING",
    "CA_CONSTRAINTS_NOT_CRITICAL",
  ],
  fix: () => [
    "issue both again with the extensions: CA: basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash; certificate: authorityKeyIdentifier=keyid",
    "a CA that regctl makes has them; a new CA has to be given to every client",
  ],
});
