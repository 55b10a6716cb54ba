/**
 * What Solidity does when it cannot go on: `Revert` carries the name and the arguments of the error that the contracts revert with,
 * so that a twin's failures can be compared with the chain's.
 */

/** A value as the ABI knows it: amounts are `bigint`, enums and decimals may be `number`, addresses and bytes are hexadecimal strings, structs are objects. */
export type AbiValue =
  | bigint
  | number
  | string
  | boolean
  | readonly AbiValue[]
  | { readonly [name: string]: AbiValue };

/** A custom error or a panic: its name and its arguments in the order of the ABI. */
export interface ContractError {
  readonly name: string;
  readonly args: readonly AbiValue[];
}

/** Panic of checked arithmetic that leaves its type. */
export const ARITHMETIC_PANIC = 0x11n;

/** Panic of a division by zero. */
export const DIVISION_PANIC = 0x12n;

/**
 * Thrown where the Solidity code reverts. The message reads like a call: `MarginPool_TooSmall(1, 2)`. It has no stack trace: most reverts
 * are expected, and the trace would take longer than all the rest.
 */
export class Revert extends Error {
  // Not a property: test runners that print those as JSON fail at a bigint.
  readonly #error: ContractError;

  constructor(error: ContractError) {
    super(`${error.name}(${error.args.map(textOf).join(", ")})`);
    this.#error = error;
  }

  /** What Solidity reverts with. */
  get error(): ContractError {
    return this.#error;
  }
}

/**
 * Fails as `revert Name(args)` does.
 *
 * @throws {Revert} always
 * @example
 * revert("DivFailed"); // throws DivFailed()
 * revert("PoolConsult_InvalidWindow", 2n, 1n); // throws PoolConsult_InvalidWindow(2, 1)
 */
export function revert(name: string, ...args: readonly AbiValue[]): never {
  throw withoutStack({ name, args });
}

/**
 * Fails as Solidity's own checks do.
 *
 * @param code `ARITHMETIC_PANIC` or `DIVISION_PANIC`
 * @throws {Revert} Panic
 * @example
 * panic(ARITHMETIC_PANIC); // throws Panic(17)
 */
export function panic(code: bigint): never {
  throw withoutStack({ name: "Panic", args: [code] });
}

/** A revert is an answer, not a fault: where it was thrown is not worth what a stack trace costs. */
function withoutStack(error: ContractError): Revert {
  const { stackTraceLimit } = traces;
  traces.stackTraceLimit = 0;
  try {
    return new Revert(error);
  } finally {
    traces.stackTraceLimit = stackTraceLimit;
  }
}

/** The engine's setting, which the language knows nothing of. */
const traces: ErrorConstructor & { stackTraceLimit?: number | undefined } = Error;

function textOf(value: AbiValue): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${textOf(field)}`);
  return `{${fields.join(", ")}}`;
}
