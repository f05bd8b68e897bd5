import { lintCheck, REISSUE } from "../chain-path.ts";

export const certificateStrength = lintCheck({
  id: "certificate-strength",
  title: "its keys and signatures are strong enough",
  codes: ["WEAK_SIGNATURE", "WEAK_KEY", "KEY_TYPE"],
  fix: () => REISSUE,
});
