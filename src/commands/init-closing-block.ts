import type { InitResult } from "../operations/init.ts";
import { renderFacts } from "../terminal/table.ts";

function clientTrust(result: InitResult, host: string): string[] {
  const { authorityFile } = result;
  if (authorityFile === undefined) return [];
  return [
    "",
    "Let a client trust it (docker; on each client, no restart):",
    `  sudo mkdir -p /etc/docker/certs.d/${host}`,
    `  sudo cp ca.crt /etc/docker/certs.d/${host}/ca.crt      # ca.crt is ${authorityFile}`,
  ];
}

/** What a person needs next: where it is, how to log in, push, and how clients come to trust it. */
export function renderClosingBlock(result: InitResult, host: string): string {
  const { user, generatedPassword } = result;
  const password =
    generatedPassword === undefined ? "the one you gave" : `${generatedPassword.reveal()}   (shown this once)`;
  const isRunning = result.containers.length > 0;
  const at = `regctl --dir ${result.directory}`;
  return [
    isRunning ? "Your registry is running." : `Everything is written; start it with: ${at} up`,
    "",
    renderFacts([
      ["URL", result.url],
      ...(user === undefined
        ? []
        : ([
            ["User", user],
            ["Password", password],
          ] as const)),
      ...(result.authorityFile === undefined ? [] : ([["CA", result.authorityFile]] as const)),
      ["Folder", result.directory],
      ["Image", `${result.image} (${result.imageSource})`],
    ]),
    "",
    "Push an image:",
    ...(user === undefined ? [] : [`  docker login ${host} -u ${user}`]),
    `  docker tag IMAGE ${host}/IMAGE`,
    `  docker push ${host}/IMAGE`,
    ...clientTrust(result, host),
    "",
    `Next: ${at} status · ${at} adduser NAME · ${at} certs`,
  ].join("\n");
}
