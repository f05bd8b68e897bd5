import { lintCheck, REISSUE } from "../chain-path.ts";

export const certificateSerial = lintCheck({
  id: "certificate-serial",
  title: "its serial number is a positive one",
  codes: ["NEGATIVE_SERIAL", "SERIAL_FORM"],
  fix: () => REISSUE,
});
