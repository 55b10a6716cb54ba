/**
 * Arithmetic of a constant-product pool: the exact twin of `contracts/libraries/ConstantProductMath.sol`.
 *
 * Amounts, reserves and supplies are raw token units, fees are in millionths (1e6 = 100 %). Every function gives the same integer
 * as its Solidity namesake and throws the same `Revert`. The domain is amounts and reserves up to 2^112 - 1, supplies up to
 * 2^144 and fees below 1e6; the twins agree on all of it. Beyond it Solidity may run out of 256 bits where a bigint does not.
 *
 * Formulas: x y = k with the fee part f of the input held back, y - out = x y / (x + (1 - f) in). The held-back part stays in the
 * reserves. With the fee 3000 the results are those of Uniswap V2 (fee 3/1000).
 */

import { fullMulDiv, mulDiv, rawDiv, sqrt } from "./fixedPoint.ts";
import { revert } from "./revert.ts";

/** 100 % in the unit of fees. */
export const FEE_DENOMINATOR = 1_000_000n;

/** Liquidity locked for good at the first deposit, in LP token units. */
export const MINIMUM_LIQUIDITY = 1000n;

/** Prices closer than one part of this many are the same. */
const SAME_PRICE_PARTS = 1_000_000_000n;

const SQUARED_FEE_DENOMINATOR = FEE_DENOMINATOR * FEE_DENOMINATOR;

/**
 * Output of a swap of exactly `amountIn`, in token units, rounded down: the pool keeps the fraction.
 *
 * @param amountIn input in token units, fee included
 * @param reserveIn reserve of the input token before the swap
 * @param reserveOut reserve of the output token before the swap
 * @param swapFee fee on the input, 1e6 = 100 %
 * @throws {Revert} ZeroReserve
 * @example
 * amountOutDown(10n ** 18n, 5n * 10n ** 18n, 10n ** 19n, 3000n); // 1662497915624478906n
 */
export function amountOutDown(
  amountIn: bigint,
  reserveIn: bigint,
  reserveOut: bigint,
  swapFee: bigint,
): bigint {
  requireReserves(reserveIn, reserveOut);
  const scaledInAfterFee = amountIn * (FEE_DENOMINATOR - swapFee);
  return (scaledInAfterFee * reserveOut) / (reserveIn * FEE_DENOMINATOR + scaledInAfterFee);
}

/**
 * Input that buys exactly `amountOut`, in token units, rounded up: the pool receives the fraction. One more than the floor also when
 * the division leaves no rest, as Uniswap V2 does.
 *
 * @param amountOut output wanted in token units, below `reserveOut`
 * @param reserveIn reserve of the input token before the swap
 * @param reserveOut reserve of the output token before the swap
 * @param swapFee fee on the input, 1e6 = 100 %
 * @throws {Revert} ZeroAmount, ZeroReserve, OutputExceedsReserve
 * @example
 * amountInUp(10n ** 18n, 5n * 10n ** 18n, 10n ** 19n, 3000n); // 557227237267357629n
 */
export function amountInUp(
  amountOut: bigint,
  reserveIn: bigint,
  reserveOut: bigint,
  swapFee: bigint,
): bigint {
  requireAmount(amountOut);
  if (reserveIn === 0n) {
    revert("ConstantProductMath_ZeroReserve", reserveIn, reserveOut);
  }
  if (amountOut >= reserveOut) {
    revert("ConstantProductMath_OutputExceedsReserve", amountOut, reserveOut);
  }
  const scaledIn = reserveIn * amountOut * FEE_DENOMINATOR;
  return scaledIn / ((reserveOut - amountOut) * (FEE_DENOMINATOR - swapFee)) + 1n;
}

/**
 * Amount of B worth `amountA` at the ratio of the reserves, without fee or impact, rounded down.
 *
 * @throws {Revert} ZeroAmount, ZeroReserve; FullMulDivFailed when the result needs more than 256 bits
 * @example
 * quoteDown(1n, 100n, 200n); // 2n
 */
export function quoteDown(amountA: bigint, reserveA: bigint, reserveB: bigint): bigint {
  requireAmount(amountA);
  requireReserves(reserveA, reserveB);
  return fullMulDiv(amountA, reserveB, reserveA);
}

/**
 * The largest deposit in the ratio of the reserves that exceeds neither desired amount, in token units.
 *
 * @returns `[amount0, amount1]`; worth no liquidity while a reserve is empty
 * @example
 * optimalAmounts(10n, 50n, 100n, 200n); // [10n, 20n]
 */
export function optimalAmounts(
  amount0Desired: bigint,
  amount1Desired: bigint,
  reserve0: bigint,
  reserve1: bigint,
): [amount0: bigint, amount1: bigint] {
  const [cross0, cross1] = [amount0Desired * reserve1, amount1Desired * reserve0];
  if (cross0 < cross1 + reserve0) return [amount0Desired, rawDiv(cross0, reserve0)];
  return [rawDiv(cross1, reserve1), amount1Desired];
}

/**
 * LP token units of the first depositor: sqrt(amount0 amount1) - 1000, rounded down against the depositor.
 *
 * @throws {Revert} InitialLiquidityTooLow when nothing would be left
 * @example
 * initialLiquidityDown(1001n, 1001n); // 1n
 */
export function initialLiquidityDown(amount0: bigint, amount1: bigint): bigint {
  const rootOfProduct = sqrt(amount0 * amount1);
  if (rootOfProduct <= MINIMUM_LIQUIDITY) {
    revert("ConstantProductMath_InitialLiquidityTooLow", rootOfProduct, MINIMUM_LIQUIDITY);
  }
  return rootOfProduct - MINIMUM_LIQUIDITY;
}

/**
 * LP token units of a later depositor: the smaller of the two shares, rounded down against the depositor. What exceeds the ratio of
 * the reserves is a gift to all holders.
 *
 * @param amount0 deposit of token0
 * @param amount1 deposit of token1
 * @param reserve0 reserve of token0 before the deposit
 * @param reserve1 reserve of token1 before the deposit
 * @param totalSupply LP token units before the deposit
 * @example
 * liquidityDown(10n, 25n, 100n, 200n, 141n); // 14n
 */
export function liquidityDown(
  amount0: bigint,
  amount1: bigint,
  reserve0: bigint,
  reserve1: bigint,
  totalSupply: bigint,
): bigint {
  const share0 = rawDiv(amount0 * totalSupply, reserve0);
  const share1 = rawDiv(amount1 * totalSupply, reserve1);
  return share0 < share1 ? share0 : share1;
}

/**
 * Token units that `liquidity` of `totalSupply` LP token units redeem from `holdings`, rounded down against the leaver.
 *
 * @throws {Revert} MulDivFailed when `totalSupply` is 0 or the product needs more than 256 bits
 * @example
 * withdrawalDown(500n, 1000n, 1000n); // 500n
 */
export function withdrawalDown(liquidity: bigint, holdings: bigint, totalSupply: bigint): bigint {
  return mulDiv(liquidity, holdings, totalSupply);
}

/**
 * LP token units that give the protocol one sixth of the growth of sqrt(k), rounded down in favor of the LPs:
 * S (root - rootLast) / (5 root + rootLast).
 *
 * @param reserve0 reserve of token0 now
 * @param reserve1 reserve of token1 now
 * @param kLast product of the reserves after the last change of liquidity; 0 when the switch was off
 * @param totalSupply LP token units now
 * @example
 * protocolFeeLiquidityDown(16n, 16n, 100n, 100n); // 6n
 */
export function protocolFeeLiquidityDown(
  reserve0: bigint,
  reserve1: bigint,
  kLast: bigint,
  totalSupply: bigint,
): bigint {
  if (kLast === 0n) return 0n;
  const root = sqrt(reserve0 * reserve1);
  const rootLast = sqrt(kLast);
  if (root <= rootLast) return 0n;
  return (totalSupply * (root - rootLast)) / (root * 5n + rootLast);
}

/**
 * Whether two pairs of reserves have the same price, to less than one part in 1e9. Never if one price does not exist.
 *
 * @example
 * isSamePrice(10n ** 18n + 1n, 2n * 10n ** 18n, 10n ** 18n, 2n * 10n ** 18n); // true
 */
export function isSamePrice(x0: bigint, x1: bigint, y0: bigint, y1: bigint): boolean {
  const [a, b] = [x0 * y1, x1 * y0];
  return (a > b ? a - b : b - a) < a / SAME_PRICE_PARTS;
}

/**
 * Whether balances after a swap, less the fee on what came in, still span at least the product of the reserves before it.
 * `amountOutDown` is exactly the largest output that passes.
 *
 * @param balance0 token0 units held after the swap, at least `amount0In`
 * @param balance1 token1 units held after the swap, at least `amount1In`
 * @param amount0In token0 units that came in
 * @param amount1In token1 units that came in
 * @param reserve0 reserve of token0 before the swap
 * @param reserve1 reserve of token1 before the swap
 * @param swapFee fee on the input, 1e6 = 100 %
 * @example
 * invariantHolds(101n, 100n, 1n, 0n, 100n, 100n, 3000n); // true
 */
export function invariantHolds(
  balance0: bigint,
  balance1: bigint,
  amount0In: bigint,
  amount1In: bigint,
  reserve0: bigint,
  reserve1: bigint,
  swapFee: bigint,
): boolean {
  const after =
    (balance0 * FEE_DENOMINATOR - amount0In * swapFee) *
    (balance1 * FEE_DENOMINATOR - amount1In * swapFee);
  return after >= reserve0 * reserve1 * SQUARED_FEE_DENOMINATOR;
}

function requireAmount(amount: bigint): void {
  if (amount === 0n) revert("ConstantProductMath_ZeroAmount");
}

function requireReserves(reserveIn: bigint, reserveOut: bigint): void {
  if (reserveIn === 0n || reserveOut === 0n) {
    revert("ConstantProductMath_ZeroReserve", reserveIn, reserveOut);
  }
}
