/**
 * Examples in docstrings, run. After `@example` each line reads `expression; // value`, where the value is an expression too, or
 * `expression; // throws message`. All exports of the file are in scope.
 */
import { inspect } from "node:util";

export interface DocExample {
  /** Number of the line in the file, from 1. */
  readonly line: number;
  readonly expression: string;
  readonly expected: string;
}

const EXAMPLE_LINE = /^\s*\*\s*(?:@example\s+)?(\S.*?);?\s+\/\/\s+(.+?)\s*(?:\*\/)?$/;

/** All examples of a TypeScript file, in their order. */
export function examplesIn(source: string): DocExample[] {
  const examples: DocExample[] = [];
  let inExample = false;
  source.split("\n").forEach((text, index) => {
    if (/^\s*\*\s*@/.test(text)) inExample = /^\s*\*\s*@example\b/.test(text);
    else if (/\*\//.test(text)) inExample = false;
    const match = inExample ? EXAMPLE_LINE.exec(text) : null;
    if (match !== null) {
      examples.push({ line: index + 1, expression: match[1]!, expected: match[2]! });
    }
  });
  return examples;
}

/**
 * Evaluates an example.
 *
 * @param scope names that the example may use
 * @returns what is wrong with it, or nothing
 */
export function faultOf(
  { expression, expected }: DocExample,
  scope: Readonly<Record<string, unknown>>,
): string | undefined {
  const outcome = (text: string): string => {
    try {
      return inspect(
        new Function(...Object.keys(scope), `"use strict"; return (${text});`)(
          ...Object.values(scope),
        ),
      );
    } catch (error) {
      return `throws ${(error as Error).message}`;
    }
  };
  const actual = outcome(expression);
  const wanted = expected.startsWith("throws ") ? expected : outcome(expected);
  return actual === wanted ? undefined : `${expression} is ${actual}, not ${wanted}`;
}
