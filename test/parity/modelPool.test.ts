import { expect } from "chai";
import { ModelTwins } from "../support/modelTwins.ts";
import type { TwinSettings } from "../support/twin/deployment.ts";
import { fillUp, poolCalls, poolViews } from "./poolCalls.ts";

const deep = process.env.BALLAST_DEEP === "1";
const SEEDS = deep ? 15 : 1;
const ROUNDS = deep ? 400 : 250;
const EMPTY = { poolQuoteDepth: 0n, lpEquity: 0n };
const volatileFee = { maximumPpm: 30_000n, multiplierWad: 40_000000000000000000n };

const SETTINGS: TwinSettings[] = [
  {
    name: "18 and 6 decimals at a fixed fee",
    overrides: { initialPrice: 1_946_127354910000000000n },
    baseIsToken0: true,
    hasSequencer: false,
  },
  {
    name: "6 and 18 decimals, a volatile fee, an empty pool",
    overrides: { ...EMPTY, baseDecimals: 6, quoteDecimals: 18, swapFeePpm: 500n },
    baseIsToken0: false,
    hasSequencer: false,
    volatileFee,
  },
  {
    name: "8 and 6 decimals in a shallow pool, a volatile fee",
    overrides: { ...EMPTY, baseDecimals: 8, poolQuoteDepth: 3n * 10n ** 17n },
    baseIsToken0: true,
    hasSequencer: false,
    volatileFee,
  },
];

/** A block, seconds, hours, days; years now and then, past the time in 2038 that needs more than 31 bits. */
function pause(twins: ModelTwins): bigint {
  if (twins.chance(45)) return 0n;
  const longest = twins.oneOf(15, 300, 7_200, 400_000);
  if (twins.chance(1)) return 150_000_000n + BigInt(twins.random.integer(1_000_000));
  return BigInt(1 + twins.random.integer(longest));
}

describe("the model of the pool", () => {
  const counts = new Map<string, number>();

  const cases = SETTINGS.flatMap((settings) =>
    Array.from({ length: SEEDS }, (_, seed) => [settings, seed] as const),
  );
  for (const [settings, seed] of cases) {
    it(`does what the contracts do: ${settings.name}, seed ${seed}`, async () => {
      const twins = await ModelTwins.deploy(settings, seed, counts);
      for (let round = 0; round < ROUNDS; round++) {
        const calls = round > 0.8 * ROUNDS && twins.chance(8) ? fillUp(twins) : poolCalls(twins);
        for (const call of calls) await twins.run(call, pause(twins));
        if (round % 5 === 0) await twins.look(poolViews(twins));
      }
      await twins.close();
    });
  }

  it("has seen every call succeed and fail", () => {
    const missing = EXPECTED.filter((what) => !counts.has(what));
    expect(missing, "never seen").to.deep.equal([]);
  });
});

const of = (call: string, ...endings: readonly string[]): string[] =>
  endings.map((ending) => `${call} ${ending}`);
const pool = (call: string, ...errors: readonly string[]): string[] => [
  `pool.${call} ok`,
  ...of(`pool.${call}`, ...errors.map((error) => `ConstantProductPool_${error}`)),
];

/** What is too rare for a quick run. */
const RARE = [
  ...of("pool.swapExactInput", "TransferFailed", "ConstantProductMath_ZeroReserve"),
  ...of("pool.swapExactOutput", "TransferFailed", "ConstantProductMath_ZeroReserve"),
  ...of("pool.swapPrefunded", "TransferFailed", "ConstantProductMath_ZeroReserve"),
  ...of("pool.addLiquidity", "ConstantProductMath_InitialLiquidityTooLow"),
  ...of("pool.mint", "ConstantProductMath_InitialLiquidityTooLow"),
  ...of("pool.removeLiquidity", "TransferFailed", "MulDivFailed"),
  ...of("pool.burn", "TransferFailed", "MulDivFailed", "ConstantProductPool_ReserveOverflow"),
  ...of("pool.swap", "TransferFailed", "ConstantProductPool_InsufficientReserve"),
  ...of("pool.skim", "TransferFailed"),
  ...of("base.mint", "Panic", "ERC20InvalidReceiver"),
  ...of("base.transfer", "ERC20InvalidReceiver"),
  ...of("base.approve", "ERC20InvalidSpender"),
  ...of("base.transferFrom", "ok", "ERC20InsufficientAllowance", "ERC20InvalidApprover"),
];

/** What every run must meet. */
const EXPECTED = [
  ...(deep ? RARE : []),
  ...pool("swapExactInput", "Expired", "UnknownToken", "ReserveOverflow", "ZeroOutput"),
  ...pool("swapExactInput", "OutputBelowMinimum"),
  ...of("pool.swapExactInput", "TransferFromFailed"),
  ...pool("swapExactOutput", "Expired", "UnknownToken", "ReserveOverflow", "InputAboveMaximum"),
  ...of("pool.swapExactOutput", "ConstantProductMath_ZeroAmount", "TransferFromFailed"),
  ...of("pool.swapExactOutput", "ConstantProductMath_OutputExceedsReserve"),
  ...pool("swapPrefunded", "UnknownToken", "ReserveOverflow", "ZeroOutput", "OutputBelowMinimum"),
  ...pool("addLiquidity", "Expired", "AmountBelowMinimum", "ReserveOverflow", "ZeroLiquidity"),
  ...of("pool.addLiquidity", "TransferFromFailed"),
  ...pool("removeLiquidity", "Expired", "AmountBelowMinimum", "ZeroOutput"),
  ...of("pool.removeLiquidity", "InsufficientBalance"),
  ...pool("swap", "ZeroOutput", "InvalidRecipient", "ReserveOverflow", "ZeroAmount"),
  ...pool("swap", "InvariantBroken"),
  ...pool("mint", "ReserveOverflow", "ZeroLiquidity"),
  ...pool("burn", "ZeroOutput"),
  ...pool("sync", "ReserveOverflow"),
  ...of("pool.skim", "ok"),
  ...of("pool.transfer", "ok", "InsufficientBalance"),
  ...of("pool.transferFrom", "ok", "InsufficientAllowance"),
  ...of("base.transfer", "ok", "ERC20InsufficientBalance"),
  ...of("factory.setFeeTo", "ok", "PoolFactory_NotFeeToSetter"),
  ...of("factory.setFeeToSetter", "ok", "PoolFactory_NotFeeToSetter"),
];
