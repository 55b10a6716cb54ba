import type { Token } from "./tokens.ts";

/** Where a token stands, as far as it decides which faults may be planted there. */
export interface Place {
  /** The function, modifier or constructor around it; undefined outside of bodies. */
  readonly within: string | undefined;
  /** A statement of a body begins here. */
  readonly startsStatement: boolean;
  /** Part of the value of a constant or state variable of the contract. */
  readonly isInitialValue: boolean;
  /** A modifier that a function is declared with begins here. */
  readonly startsModifier: boolean;
}

type ScopeKind = "unit" | "body" | "assembly" | "other";

interface Scope {
  readonly kind: ScopeKind;
  readonly name: string | undefined;
}

const CALLABLES = ["function", "modifier", "constructor", "receive", "fallback"];
const UNITS = ["contract", "library", "interface"];
/** Words of a function's header that are no modifiers. */
const HEADER_WORDS = new Set(
  "external public internal private pure view payable virtual override returns".split(" "),
);
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** The place of every token, in order. Assembly blocks belong to no body: nothing is planted there. */
export function placesOf(tokens: readonly Token[]): Place[] {
  const scopes: Scope[] = [];
  const heads = statementHeads(tokens);
  /** First token since the last `;`, `{` or `}`. */
  let head = 0;
  let depth = 0;
  let value = false;
  return tokens.map(({ text }, index) => {
    const scope = scopes.at(-1);
    const inUnit = scope?.kind === "unit";
    const place: Place = {
      within: scope?.kind === "body" ? scope.name : undefined,
      startsStatement: scope?.kind === "body" && depth === 0 && heads.has(index),
      isInitialValue: inUnit && value,
      startsModifier: inUnit && depth === 0 && isModifier(tokens, head, index),
    };
    if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") depth--;
    else if (text === "=" && depth === 0) value = true;
    else if (text === ";" && depth === 0) [head, value] = [index + 1, false];
    else if (text === "{") {
      scopes.push(scopeOf(tokens, head, index, scope));
      [head, value] = [index + 1, false];
    } else if (text === "}") {
      scopes.pop();
      [head, value] = [index + 1, false];
    }
    return place;
  });
}

function scopeOf(
  tokens: readonly Token[],
  head: number,
  brace: number,
  outer: Scope | undefined,
): Scope {
  const words = tokens.slice(head, brace).map(({ text }) => text);
  if (outer?.kind === "assembly" || words[0] === "assembly")
    return { kind: "assembly", name: undefined };
  if (outer?.kind === "body") return outer;
  const callable = CALLABLES.find((word) => words[0] === word);
  if (callable !== undefined) {
    const named = callable === "function" || callable === "modifier";
    return { kind: "body", name: named ? words[1] : callable };
  }
  return { kind: words.some((word) => UNITS.includes(word)) ? "unit" : "other", name: undefined };
}

/** Tokens that may begin a statement: after one that ended, after a brace, after `else` and after a condition. */
function statementHeads(tokens: readonly Token[]): ReadonlySet<number> {
  const heads = new Set<number>();
  tokens.forEach(({ text }, index) => {
    if ([";", "{", "}", "else"].includes(text)) heads.add(index + 1);
    const hasCondition = ["if", "for", "while"].includes(text) && tokens[index + 1]?.text === "(";
    if (hasCondition) heads.add(closing(tokens, index + 1) + 1);
  });
  return heads;
}

/** A word of a function's header, outside of its lists, that is no keyword. Constructors' bases are not meant. */
function isModifier(tokens: readonly Token[], head: number, index: number): boolean {
  if (tokens[head]?.text !== "function" || index < head + 3) return false;
  const token = tokens[index];
  return token?.kind === "word" && !HEADER_WORDS.has(token.text);
}

/**
 * Index of the bracket that closes the one at `open`.
 *
 * @throws Error when there is none
 */
export function closing(tokens: readonly Token[], open: number): number {
  const expected: string[] = [];
  for (let index = open; index < tokens.length; index++) {
    const text = tokens[index]?.text ?? "";
    const close = CLOSING[text];
    if (close !== undefined) expected.push(close);
    else if (text === expected.at(-1)) {
      expected.pop();
      if (expected.length === 0) return index;
    }
  }
  throw new Error("a bracket is not closed");
}
