import { lintCheck, REISSUE } from "../chain-path.ts";

export const certificateUsage = lintCheck({
  id: "certificate-usage",
  title: "it is for a TLS server and nothing else",
  codes: ["EKU_NOT_SERVERAUTH", "EKU_MISSING", "KEY_USAGE", "KEY_USAGE_LEGACY", "KEY_USAGE_NOT_CA", "LEAF_IS_CA"],
  fix: () => REISSUE,
});
