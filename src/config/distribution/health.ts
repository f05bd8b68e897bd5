import { duration, entry, flag, headers, listOf, section, text, url, whole } from "./values.ts";

/** A failing check answers 503 to every request on the main port. */
export function healthSection() {
  return section("checks that take the registry out of service when they fail", {
    storagedriver: section("stat of the storage's root", {
      enabled: flag("check (false)"),
      interval: duration("time between checks (10s)"),
      threshold: threshold(),
    }),
    file: listOf(
      "unhealthy while the file exists",
      entry({
        file: text("path"),
        interval: duration("time between checks (10s)"),
        threshold: whole("not evaluated for files", { min: 0 }),
      }),
    ),
    http: listOf(
      "unhealthy while the URL does not answer",
      entry({
        uri: url("URL asked with HEAD"),
        headers: headers("request headers, each a list"),
        statuscode: whole("expected status (200)", { min: 100, max: 599 }),
        timeout: duration("time for an answer"),
        interval: duration("time between checks (10s)"),
        threshold: threshold(),
      }),
    ),
    tcp: listOf(
      "unhealthy while the port does not accept",
      entry({
        addr: text("host:port"),
        timeout: duration("time to connect"),
        interval: duration("time between checks (10s)"),
        threshold: threshold(),
      }),
    ),
  });
}

function threshold() {
  return whole("failures before it counts (0: the first)", { min: 0 });
}
