/**
 * What the user asked for cannot be run: an unknown name, a malformed file, an absurd number, an unwritable path.
 * The message is one line and says what would be allowed. Command lines answer it with exit code 2.
 */
export class BadInputError extends Error {
  override readonly name = "BadInputError";
}

const LONGEST_VALUE = 40;

/** A value as messages show it: escaped, in quotes and of bounded length. */
export function quoted(value: string): string {
  return printable(JSON.stringify(shorten(value)));
}

/** The start of a value too long for a message. */
export function shorten(value: string): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}...` : value;
}

/** The text on one line, with everything escaped that would move the cursor or color the terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** The first line of whatever was thrown: causes are told in one line. */
export function causeInOneLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? text;
}
