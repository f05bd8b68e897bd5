/** A name out of a store or from a server, made fit for a terminal: what is no plain name is quoted, its odd characters escaped. */
export function shownName(text: string): string {
  if (/^[\w./:@+-]+$/.test(text)) return text;
  return shownText(JSON.stringify(text));
}

/** Free text on one line: control characters, also those that turn the direction of writing, are escaped. */
export function shownText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
