/** Values as words of the languages kits are written in: whatever they hold, nothing of them is run. */

/** A POSIX shell's word (XCU 2.2.2: within single quotes every character stands for itself). */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** PowerShell's verbatim string; it takes the typographic quotes for quotes as well (about_Quoting_Rules). */
export function powershellString(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}

/** For a comment, or a line of text: no line break, nothing a terminal obeys. */
export function commentText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
