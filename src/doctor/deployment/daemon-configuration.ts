import { messageOf } from "../../errors.ts";
import { shownText } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** The first that takes a file without anything in it. */
const TAKES_EMPTY = 23;

const SHORT: Readonly<Record<string, string>> = {
  D: "debug",
  G: "group",
  H: "host",
  b: "bridge",
  g: "graph",
  l: "log-level",
  p: "pidfile",
  s: "storage-driver",
};

/** Long names of options, without their values: `-H fd://` is `host`. */
function optionNames(options: readonly string[]): string[] {
  return options.flatMap((word) => {
    const [, long, short] = /^-(?:-([^=]+)|(\w))/.exec(word) ?? [];
    const name = long ?? (short === undefined ? undefined : SHORT[short]);
    return name === undefined ? [] : [name];
  });
}

/** Settings that are given both ways, which the engine refuses (moby's daemon/config: findConfigurationConflicts). */
export function givenTwice(settings: object, options: readonly string[]): string[] {
  const names = new Set(optionNames(options));
  return Object.keys(settings).filter(
    // An option that may be repeated is a list in the file: `--insecure-registry`, "insecure-registries".
    (key) => names.has(key) || names.has(key.replace(/s$/, "")) || names.has(key.replace(/ies$/, "y")),
  );
}

/** Why it is refused; undefined = it is not. */
function problem(text: string, options: readonly string[], major: number): string | undefined {
  if (text.trim() === "") return major < TAKES_EMPTY ? "it is empty, and has to be {} at least" : undefined;
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch (error) {
    return messageOf(error).slice(0, 120);
  }
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return "it is no JSON object";
  const twice = givenTwice(settings, options);
  return twice.length === 0 ? undefined : `${twice.join(", ")} is there and on dockerd's command line as well`;
}

/** The running engine read it long ago; the next start fails, and with it every container. */
export const daemonConfiguration: Check<DeploymentFacts> = {
  id: "daemon-configuration",
  title: "the engine's daemon.json lets it start again",
  async examine(facts) {
    const { path, text, refusal } = await facts.daemonConfiguration();
    if (text === undefined) return undefined;
    // Most wanted when the engine does not run.
    const options = (await facts.engineOptions().catch(() => undefined)) ?? [];
    const version = await facts.engine().then(
      (engine) => engine.version,
      () => "",
    );
    const why = problem(text, options, Number.parseInt(version, 10)) ?? refusal;
    if (why === undefined) return undefined;
    return {
      verdict: "broken",
      cause: `${path} is not valid (${shownText(why)}): the engine does not start with it the next time`,
      fix: `correct it, then check it: dockerd --validate --config-file ${path} (before version 23: python3 -m json.tool ${path}); systemctl cat docker shows the command line`,
    };
  },
};
