import { choices, duration, entry, flag, headers, listOf, section, text, texts, url, whole } from "./values.ts";

export function notificationsSection() {
  return section("events posted to other services", {
    events: section("content of events", {
      includereferences: flag("list what a pushed manifest refers to (false)"),
    }),
    endpoints: listOf(
      "where events are posted",
      entry({
        name: text("name in logs and metrics"),
        disabled: flag("post nothing (false)"),
        url: url("address to post to"),
        headers: headers("request headers, each a list; they appear in the start-up log"),
        timeout: duration("time for an answer (1s)"),
        threshold: whole("failures before backing off (10)", { min: 0 }),
        backoff: duration("pause after them (1s)"),
        ignoredmediatypes: texts("media types not reported"),
        ignore: section("events not reported", {
          mediatypes: texts("media types"),
          actions: choices(["push", "pull", "mount", "delete"], "actions"),
        }),
      }),
    ),
  });
}
