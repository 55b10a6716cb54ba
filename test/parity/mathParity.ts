/**
 * Compares a twin in `src/math` with its library on the chain: the same arguments, and the same result or the same error.
 */
import { expect } from "chai";
import { type FunctionFragment, Interface, type ParamType } from "ethers";
import fc from "fast-check";
import { network } from "hardhat";
import { Revert } from "../../src/math/revert.ts";

const DEEP = process.env.BALLAST_DEEP === "1";
const QUICK_CALLS = 200;
const DEEP_FACTOR = 30;
/** Decoding takes time with the square of it. */
const CALLS_PER_BATCH = 50;
const SEED = 0xba11a57;

/** Everything that the libraries revert with; Solady's errors are in no ABI. */
const errors = new Interface([
  "error FullMulDivFailed()",
  "error MulDivFailed()",
  "error MulWadFailed()",
  "error DivWadFailed()",
  "error DivFailed()",
  "error LnWadUndefined()",
  "error ExpOverflow()",
  "error Overflow()",
  "error Panic(uint256)",
  "error PoolConsult_InvalidWindow(uint256, uint256)",
]);

export interface Comparison {
  /** Arguments of the twin. */
  readonly args: fc.Arbitrary<readonly unknown[]>;
  /** Names of the errors that the arguments must cause, and no others. */
  readonly errors?: readonly string[];
  /** How many times the usual number of calls. */
  readonly times?: number;
  /** The contract's arguments, where they look different. */
  readonly sent?: (args: readonly unknown[]) => readonly unknown[];
  /** The contract's result as the twin gives it, where it looks different. */
  readonly received?: (result: unknown) => unknown;
}

/**
 * One test per function of the twin, and one that none is left out.
 *
 * @param harness name of the contract whose functions call the library's namesakes
 * @param twin the twin's module
 * @param comparisons what to call each function with
 */
export async function describeParity(
  harness: string,
  twin: Readonly<Record<string, unknown>>,
  comparisons: Readonly<Record<string, Comparison>>,
): Promise<void> {
  const { ethers } = await network.create();
  const contract = await ethers.deployContract(harness);
  const batch = await ethers.deployContract("CallBatch");

  describe(`${harness} and its twin in TypeScript`, () => {
    it("are compared in every function of the twin", () => {
      const functions = Object.keys(twin).filter((name) => typeof twin[name] === "function");
      expect(functions).to.have.members(Object.keys(comparisons));
    });

    for (const [name, comparison] of Object.entries(comparisons)) {
      it(`agree on ${name}`, async () => {
        const { times = 1, sent = (args) => args, received = (result) => result } = comparison;
        const numRuns = QUICK_CALLS * times * (DEEP ? DEEP_FACTOR : 1);
        const samples = fc.sample(comparison.args, { seed: SEED, numRuns });
        const fragment = contract.interface.getFunction(name)!;
        const run = twin[name] as (...args: readonly unknown[]) => unknown;
        const seen = new Set<string>();
        for (let first = 0; first < samples.length; first += CALLS_PER_BATCH) {
          const slice = samples.slice(first, first + CALLS_PER_BATCH);
          const answers = await batch.ask(
            contract,
            slice.map((args) => contract.interface.encodeFunctionData(fragment, sent(args))),
          );
          slice.forEach((args, i) => {
            const [ok, data] = answers[i]!;
            const onChain = ok
              ? textOf(received(decoded(contract.interface, fragment, data)))
              : errorOf(data);
            const inTwin = outcome(() => run(...args), fragment, comparison.received !== undefined);
            if (!ok) seen.add(onChain.slice(0, onChain.indexOf("(")));
            if (onChain !== inTwin) {
              const call = `${name}(${args.map(textOf).join(", ")})`;
              throw new Error(`${call}: the contract gives ${onChain}, the twin ${inTwin}`);
            }
          });
        }
        expect([...seen].sort(), "errors").to.deep.equal([...(comparison.errors ?? [])].sort());
      });
    }
  });
}

/** A call's result: one value, or a list of several; structs become objects. */
function decoded(contract: Interface, fragment: FunctionFragment, data: string): unknown {
  const values = [...contract.decodeFunctionResult(fragment, data)].map((value, i) =>
    shaped(value, fragment.outputs[i]!),
  );
  return values.length === 1 ? values[0] : values;
}

function shaped(value: unknown, type: ParamType): unknown {
  if (type.components === null) return value;
  const fields = [...(value as unknown[])];
  return Object.fromEntries(type.components.map(({ name }, i) => [name, fields[i]]));
}

function errorOf(data: string): string {
  const error = errors.parseError(data);
  return error === null ? `unknown error ${data}` : `${error.name}(${[...error.args].join(", ")})`;
}

function outcome(run: () => unknown, fragment: FunctionFragment, anyShape: boolean): string {
  try {
    const result = run();
    const many = !anyShape && fragment.outputs.length > 1;
    return Array.isArray(result) === many ? textOf(result) : `a list of the wrong length`;
  } catch (error) {
    if (error instanceof Revert) return error.message;
    return `an unexpected ${String(error)}`;
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${textOf(field)}`);
  return `{${fields.join(", ")}}`;
}

/** Numbers from 0 to `end - 1` at every scale, the smallest and the largest among them. */
export function uint(end: bigint): fc.Arbitrary<bigint> {
  const bits = end.toString(2).length - 1;
  const digits = end.toString().length - 1;
  return fc.oneof(
    { weight: 1, arbitrary: fc.bigInt(0n, end > 4n ? 4n : end - 1n) },
    { weight: 1, arbitrary: fc.bigInt(end > 4n ? end - 4n : 0n, end - 1n) },
    {
      weight: 6,
      arbitrary: fc
        .integer({ min: 1, max: bits })
        .chain((b) => fc.bigInt(0n, 2n ** BigInt(b) - 1n)),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: digits }).map((zeros) => 10n ** BigInt(zeros) % end),
    },
    { weight: 1, arbitrary: fc.bigInt(0n, end - 1n) },
  );
}

/** The same without 0. */
export function positive(end: bigint): fc.Arbitrary<bigint> {
  return uint(end).map((x) => (x === 0n ? 1n : x));
}

/** Numbers from `1 - end` to `end - 1`. */
export function int(end: bigint): fc.Arbitrary<bigint> {
  return fc.tuple(uint(end), fc.boolean()).map(([x, negative]) => (negative ? -x : x));
}

export const WAD = 10n ** 18n;
/** Any `uint256`. */
export const word = uint(2n ** 256n);
/** An amount with 18 decimals, as `SolvencyMath` allows it. */
export const amount = uint(2n ** 127n);
/** A price with 18 decimals, as `SolvencyMath` allows it, or 0. */
export const price = uint(2n ** 120n);
/** A volatility: mostly as the oracle gives it. */
export const sigma = fc.oneof(fc.bigInt((4n * WAD) / 10n, 3n * WAD), uint(2n ** 128n));
/** Ratios from 0 to 100 %. */
export const share = fc.oneof(fc.bigInt(0n, WAD), fc.bigInt(0n, WAD / 10n));
/** Seconds: mostly as between two blocks. */
export const seconds = fc.oneof(fc.bigInt(0n, 4_000n), uint(2n ** 32n));
