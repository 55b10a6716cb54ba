/**
 * What the user asked for cannot be run: an unknown name, a malformed file, an absurd number, an unwritable path.
 * The message is one line and says what would be allowed. Command lines answer it with exit code 2.
 */
export class BadInputError extends Error {
  override readonly name = "BadInputError";
}

/** The first line of whatever was thrown: causes are told in one line. */
export function causeInOneLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? text;
}
