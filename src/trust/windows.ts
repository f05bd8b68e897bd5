/** The kit for Windows: Docker Desktop through the root store, and the Windows engine's own certs.d. */
import { commentText, powershellString } from "./quote.ts";
import type { TrustSubject } from "./subject.ts";

/** The file of templates/trust a Windows kit ends with. */
export const WINDOWS_PART = "windows.ps1";

const list = (texts: readonly string[]): string => `@(${texts.map(powershellString).join(", ")})`;

/** `part` is the text of WINDOWS_PART; its `param` block has to come first, so values stand below it. */
export function renderWindowsKit(subject: TrustSubject, part: string): string {
  const host = subject.hosts[0] as string;
  const probe = `${host.includes(":") ? `[${host}]` : host}:${subject.port}`;
  const about = [
    `Makes this machine's clients trust the registry ${probe} (deployment ${subject.name}).`,
    ...subject.authorities.map(
      ({ subject: who, notAfter, sha256 }) => `Authority: ${who}, until ${notAfter}, SHA-256 ${sha256}`,
    ),
    "powershell -ExecutionPolicy Bypass -File kit.ps1 [-DryRun] [-Undo] [-Check] [-Restart] [-CurrentUser]",
    "Exit codes: 0 done, 1 something failed, 2 not an administrator, 3 not trusted. There is no secret in this file.",
  ];
  const values: readonly (readonly [string, string])[] = [
    ["KitId", powershellString(subject.id)],
    ["KitProbe", powershellString(probe)],
    ["KitProbeName", powershellString(subject.registries[0] ?? "")],
    ["KitFingerprint", powershellString(subject.authorities[0]?.short ?? "")],
    ["KitRegistries", list(subject.registries)],
    ["KitAuthorities", list(subject.authorities.map(({ pem }) => pem))],
  ];
  const end = part.indexOf("\n)\n") + 3;
  return [
    ...about.map((line) => `# ${commentText(line)}`),
    part.slice(0, end),
    ...values.map(([name, value]) => `$${name} = ${value}`),
    "",
    part.slice(end),
  ].join("\n");
}
