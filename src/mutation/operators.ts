import { closing, type Place } from "./structure.ts";
import type { Token } from "./tokens.ts";

/** A replacement of a piece of source text. */
export interface Edit {
  /** What kind of fault it plants. */
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** What an operator sees: a token, its surroundings, and names of functions that exist. */
export interface Site {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly index: number;
  readonly token: Token;
  readonly place: Place;
  readonly functions: ReadonlySet<string>;
}

/** Finds the faults of one kind that can be planted at a site. */
type Operator = (site: Site) => Edit[];

const BINARY: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "**": "*",
  "<<": ">>",
  ">>": "<<",
  "&": "|",
  "|": "&",
};
const UNAMBIGUOUS: Readonly<Record<string, string>> = {
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
  "&&": "||",
  "||": "&&",
};
const WORDS: Readonly<Record<string, string>> = {
  min: "max",
  max: "min",
  true: "false",
  false: "true",
  Floor: "Ceil",
  Ceil: "Floor",
};
/** Endings of names that say which way a result is rounded; no ending is down. */
const ROUNDING: readonly (readonly [from: RegExp, to: string])[] = [
  [/Up$/, "Down"],
  [/Down$/, "Up"],
  [/Floor$/, "Ceil"],
  [/Ceil$/, "Floor"],
  [/Up$/, ""],
  [/(?<!Up|Down|Floor|Ceil)$/, "Up"],
];
/** Words after which a sign is no binary operator. */
const BEFORE_UNARY = new Set(["return", "else", "emit", "delete"]);
/** Statements that cannot be left out by themselves, and those that are no fault when they are. */
const KEPT_STATEMENTS = new Set(
  "if else for while do try catch unchecked assembly _ { } ;".split(" "),
);
const STATEMENT_WORDS = new Set(["emit", "revert", "return", "delete"]);

/** Every fault that can be planted at a site. */
export function editsAt(site: Site): Edit[] {
  if (site.place.startsModifier) return withoutModifier(site);
  if (site.place.within === undefined && !site.place.isInitialValue) return [];
  return OPERATORS.flatMap((operator) => operator(site));
}

const OPERATORS: readonly Operator[] = [
  swappedSign,
  withoutUnarySign,
  swappedWord,
  otherRounding,
  neighbor,
  negatedCondition,
  negatedChoice,
  withoutStatement,
];

function replaced({ token }: Site, operator: string, replacement: string): Edit {
  return { operator, start: token.start, end: token.end, replacement };
}

function swappedSign(site: Site): Edit[] {
  const { text, kind } = site.token;
  if (kind !== "sign") return [];
  const other = UNAMBIGUOUS[text] ?? (isBinary(site) ? BINARY[text] : undefined);
  return other === undefined ? [] : [replaced(site, "operator", other)];
}

function isBinary({ tokens, index }: Site): boolean {
  const before = tokens[index - 1];
  if (before === undefined) return false;
  if (before.kind === "word") return !BEFORE_UNARY.has(before.text);
  return before.kind === "number" || before.text === ")" || before.text === "]";
}

function withoutUnarySign(site: Site): Edit[] {
  const { text } = site.token;
  const unary = text === "!" || (text === "-" && !isBinary(site));
  return unary ? [replaced(site, "sign", "")] : [];
}

function swappedWord(site: Site): Edit[] {
  const { kind, text } = site.token;
  const other = kind === "word" && Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  return other === undefined ? [] : [replaced(site, "word", other)];
}

function otherRounding(site: Site): Edit[] {
  const { tokens, index, token, functions } = site;
  if (token.kind !== "word" || tokens[index + 1]?.text !== "(") return [];
  return ROUNDING.filter(([from]) => from.test(token.text))
    .map(([from, to]) => token.text.replace(from, to))
    .filter((name) => functions.has(name) && functions.has(token.text))
    .map((name) => replaced(site, "rounding", name));
}

/** The last digit of the mantissa moves by one: 30 becomes 31, 0.04e18 becomes 0.05e18. */
function neighbor(site: Site): Edit[] {
  const { kind, text } = site.token;
  if (kind !== "number" || text.length > 32) return [];
  const mantissa = text.startsWith("0x") ? text : text.replace(/[eE].*$/, "");
  const last = mantissa.at(-1) ?? "";
  const digit = Number.parseInt(last, 16);
  if (Number.isNaN(digit)) return [];
  const largest = text.startsWith("0x") ? 15 : 9;
  const next = (digit === largest ? digit - 1 : digit + 1).toString(16);
  const replacement = mantissa.slice(0, -1) + next + text.slice(mantissa.length);
  return [replaced(site, "constant", replacement)];
}

/** Conditions of `if` and `require`; a loop with the opposite condition is no small fault. */
function negatedCondition(site: Site): Edit[] {
  const { tokens, index, token } = site;
  if (token.text !== "if" && token.text !== "require") return [];
  const open = tokens[index + 1];
  if (open?.text !== "(") return [];
  const end = conditionEnd(tokens, index + 1);
  const condition = tokens.slice(index + 2, end);
  const [first, last] = [condition[0], condition.at(-1)];
  if (first === undefined || last === undefined || isOneEquality(condition)) return [];
  const text = site.source.slice(first.start, last.end);
  return [{ operator: "negation", start: first.start, end: last.end, replacement: `!(${text})` }];
}

/** The opposite of `a == b` is planted by the operator for signs. */
function isOneEquality(condition: readonly Token[]): boolean {
  const has = (...signs: string[]) => condition.some(({ text }) => signs.includes(text));
  return has("==", "!=") && !has("&&", "||", "?");
}

/** Index of the bracket or comma after the first argument. */
function conditionEnd(tokens: readonly Token[], open: number): number {
  const close = closing(tokens, open);
  for (let index = open + 1; index < close; index++) {
    const { text } = tokens[index] ?? { text: "" };
    if (text === ",") return index;
    if (text === "(" || text === "[" || text === "{") index = closing(tokens, index);
  }
  return close;
}

/** `flag ? a : b` with the opposite flag. */
function negatedChoice(site: Site): Edit[] {
  const { tokens, index, token } = site;
  if (token.kind !== "word" || tokens[index + 1]?.text !== "?") return [];
  const before = tokens[index - 1]?.text ?? "";
  return ["=", "(", ",", "return"].includes(before)
    ? [replaced(site, "negation", `!${token.text}`)]
    : [];
}

/** Assignments, calls, `emit`, `revert`, `return` and the like; declarations cannot go. */
function withoutStatement(site: Site): Edit[] {
  const { tokens, index, token, place } = site;
  if (!place.startsStatement || KEPT_STATEMENTS.has(token.text)) return [];
  if (!STATEMENT_WORDS.has(token.text) && isDeclaration(tokens, index)) return [];
  for (let end = index; end < tokens.length; end++) {
    const last = tokens[end];
    if (last === undefined || last.text === "}") return [];
    if (last.text === ";")
      return [{ operator: "statement", start: token.start, end: last.end, replacement: "{}" }];
    if (last.text === "(" || last.text === "[" || last.text === "{") end = closing(tokens, end);
  }
  return [];
}

/** A type and a name, or a tuple that has such a pair. */
function isDeclaration(tokens: readonly Token[], start: number): boolean {
  const isWord = (index: number) => tokens[index]?.kind === "word";
  if (tokens[start]?.text === "(") {
    const close = closing(tokens, start);
    for (let index = start; index < close; index++)
      if (isWord(index) && isWord(index + 1)) return true;
    return false;
  }
  if (!isWord(start)) return false;
  let index = start;
  for (;;) {
    if (tokens[index + 1]?.text === "[") index = closing(tokens, index + 1);
    else if (tokens[index + 1]?.text === ".") index += 2;
    else return isWord(index + 1);
  }
}

/** A function without one of its modifiers. */
function withoutModifier({ tokens, index, token }: Site): Edit[] {
  const hasArguments = tokens[index + 1]?.text === "(";
  const last = hasArguments ? tokens[closing(tokens, index + 1)] : token;
  return last === undefined
    ? []
    : [{ operator: "modifier", start: token.start, end: last.end, replacement: "" }];
}
