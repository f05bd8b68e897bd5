import type { DistributionMajor } from "./major.ts";
import { choice, choices, entry, flag, listOf, openMap, section, text, texts } from "./values.ts";

const HOOK_LEVELS = ["panic", "fatal", "error", "warning", "warn", "info", "debug", "trace"] as const;

export function logSection(major: DistributionMajor) {
  const common = {
    level: choice(["error", "warn", "info", "debug"], "least severe level written (info)"),
    formatter: choice(["text", "json", "logstash"], "form of the application log; the access log stays text (text)"),
    fields: openMap("static fields added to log lines"),
    accesslog: section("access log on stdout", { disabled: flag("no access log (false)") }),
    hooks: listOf(
      "mail sent when a level is logged",
      entry({
        disabled: flag("leave this hook out (false)"),
        type: choice(["mail"], "kind of hook"),
        levels: choices(HOOK_LEVELS, "levels that fire the hook"),
        options: section("mail to send", {
          smtp: section("mail server", {
            addr: text("host:port"),
            username: text("login name"),
            password: text("login password"),
            insecure: flag("do not verify the server's certificate (false)"),
          }),
          from: text("sender address"),
          to: texts("recipient addresses"),
        }),
      }),
    ),
  };
  if (major === 2) return section("logging", common);
  return section("logging", { ...common, reportcaller: flag("add the calling function to log lines (false)") });
}
