/** What a token is. Strings, comments and blanks are no tokens that a mutant could change. */
export type TokenKind = "word" | "number" | "string" | "sign";

/** A piece of Solidity and where it stands. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Index of its first character in the source. */
  readonly start: number;
  readonly end: number;
}

/** Blanks and comments, then a token of each kind. Signs: the longest first. */
const SKIPPED = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ["string", /(?:unicode|hex)?(?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*')/y],
  ["number", /0x[\da-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE]-?\d+)?/y],
  ["word", /[A-Za-z_$][\w$]*/y],
  [
    "sign",
    />>>=|>>>|<<=|>>=|\*\*|\+\+|--|&&|\|\||[-+*/%&|^=!<>]=|=>|->|<<|>>|[-+*/%&|^=!<>~?:;,.(){}[\]]/y,
  ],
];

/**
 * Cuts Solidity source into tokens.
 *
 * @throws Error at a character that begins no token
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let start = matchAt(SKIPPED, source, 0).length;
  while (start < source.length) {
    const token = tokenAt(source, start);
    tokens.push(token);
    start = token.end + matchAt(SKIPPED, source, token.end).length;
  }
  return tokens;
}

function tokenAt(source: string, start: number): Token {
  for (const [kind, pattern] of KINDS) {
    const text = matchAt(pattern, source, start);
    if (text !== "") return { kind, text, start, end: start + text.length };
  }
  throw new Error(
    `line ${lineOf(source, start)}: ${JSON.stringify(source[start])} begins no token`,
  );
}

function matchAt(pattern: RegExp, source: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0] ?? "";
}

/** Line of a character, counted from 1. */
export function lineOf(source: string, index: number): number {
  return source.slice(0, index).split("\n").length;
}
