import type { InitResult } from "../operations/init.ts";
import { renderFacts } from "../terminal/table.ts";

interface Words {
  readonly result: InitResult;
  /** `registry.example.com:5000`, as references begin. */
  readonly host: string;
  /** `regctl --dir FOLDER`, as it can be typed here. */
  readonly program: string;
}

/** As a shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** docker takes names of loopback without asking for a certificate; everything else has to know the authority. */
function clientTrust({ result, program }: Words): string[] {
  const { authorityFile, config } = result;
  if (authorityFile === undefined) return [];
  const isLoopback = LOOPBACK_NAMES.has(config.domain);
  return [
    "",
    ...(isLoopback
      ? [
          `docker on this host needs nothing more for ${config.domain}. For clients elsewhere add a name they can resolve:`,
          `  ${program} certs issue HOST`,
        ]
      : []),
    `Let clients trust it (its authority is ${authorityFile}):`,
    ...(isLoopback ? [] : [`  ${program} trust install              # on this host`]),
    `  ${program} trust kit -o kit.sh        # one script for every other machine: sudo sh kit.sh`,
  ];
}

function pushing({ result, host }: Words): string[] {
  if (result.containers.length === 0) return [];
  return [
    "",
    "Push an image:",
    ...(result.user === undefined ? [] : [`  docker login ${host} -u ${result.user}`]),
    `  docker tag IMAGE ${host}/IMAGE`,
    `  docker push ${host}/IMAGE`,
  ];
}

function user({ user: name, generatedPassword }: InitResult): (readonly [string, string])[] {
  if (name === undefined) return [];
  const password =
    generatedPassword === undefined ? "the one you gave" : `${generatedPassword.reveal()}   (shown this once)`;
  return [
    ["User", name],
    ["Password", password],
  ];
}

/** What a person needs next: where it is, how to log in, push, and how clients come to trust it. */
export function renderClosingBlock(words: Words): string {
  const { result, program } = words;
  return [
    result.containers.length > 0 ? "Your registry is running." : `Everything is written; start it with: ${program} up`,
    "",
    renderFacts([
      ["URL", result.url],
      ...user(result),
      ...(result.authorityFile === undefined ? [] : ([["CA", result.authorityFile]] as const)),
      ["Folder", result.directory],
      ["Image", `${result.image} (${result.imageSource})`],
    ]),
    ...pushing(words),
    ...clientTrust(words),
    "",
    `Next: ${program} status · ${program} adduser NAME · ${program} doctor`,
  ].join("\n");
}
