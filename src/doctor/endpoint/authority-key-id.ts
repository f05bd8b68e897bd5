import { lintCheck, REISSUE } from "../chain-path.ts";

export const authorityKeyId = lintCheck({
  id: "authority-key-id",
  title: "the certificate names the CA that signed it",
  codes: ["AKI_MISMATCH", "ISSUER_NAME", "NOT_ISSUED"],
  fix: () => [
    "docker takes it, which is why it went unnoticed; some tools (node-forge's keyIdentifier: true) write the certificate's own identifier there",
    ...REISSUE,
  ],
});
