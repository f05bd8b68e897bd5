import { lintCheck, REISSUE } from "../chain-path.ts";

export const certificateLifetime = lintCheck({
  id: "certificate-lifetime",
  title: "it is not valid for longer than clients allow",
  codes: ["LIFETIME_TOO_LONG"],
  fix: () => ['programs on macOS say "certificate is not standards compliant"', ...REISSUE],
});
