// The pool's calls and views. Outside the model: flash swaps' callbacks, permits and swaps across two pools. Nothing else can run while
// a call does, so the pool's lock is left out, and so is the check that a token delivers what was asked: the mock tokens do.
import {
  amountInUp,
  amountOutDown,
  initialLiquidityDown,
  invariantHolds,
  isSamePrice,
  liquidityDown,
  MINIMUM_LIQUIDITY,
  optimalAmounts,
  protocolFeeLiquidityDown,
  withdrawalDown,
} from "../math/constantProductMath.ts";
import { begun, LOG_PRICE_SCALE, type PoolHistory } from "../math/poolOracleMath.ts";
import { revert } from "../math/revert.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import * as liquidityToken from "./liquidityToken.ts";
import { elapsedSince, historyNow, touchTime } from "./poolState.ts";
import type { PoolRecord } from "./state.ts";
import { balanceOf, safeTransfer, safeTransferFrom, type TokenName } from "./token.ts";
import type { World } from "./world.ts";

type PoolCalls = Calls["pool"];

const MAX_RESERVE = 2n ** 112n - 1n;

/** What a swap starts from: token units. */
interface Trade {
  readonly zeroForOne: boolean;
  readonly tokenIn: TokenName;
  readonly tokenOut: TokenName;
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
}

// -------------------------------------------------------------------------------------------------------------------- native swaps

/**
 * Sells exactly `amountIn` of a token of the pool, fee included.
 *
 * @returns output in token units, rounded down
 * @throws {Revert} Expired, UnknownToken, ReserveOverflow, ZeroOutput, OutputBelowMinimum, each named ConstantProductPool_...;
 * ConstantProductMath_ZeroReserve, TransferFromFailed, TransferFailed
 */
export function swapExactInput(
  world: World,
  caller: Address,
  { tokenIn, amountIn, minAmountOut, to, deadline }: PoolCalls["swapExactInput"],
): bigint {
  requireNotExpired(world, deadline);
  const trade = tradeOf(world, tokenIn);
  const history = historyNow(world);
  const amountOut = soldFor(trade, amountIn, history.swapFee, minAmountOut);
  pull(world, caller, trade.tokenIn, amountIn);
  pay(world, caller, trade, amountIn, amountOut, history, to);
  return amountOut;
}

/**
 * Buys exactly `amountOut` with a token of the pool.
 *
 * @returns input in token units, fee included, rounded up
 * @throws {Revert} Expired, UnknownToken, ReserveOverflow, InputAboveMaximum, each named ConstantProductPool_...;
 * ConstantProductMath_ZeroAmount, ..._ZeroReserve, ..._OutputExceedsReserve, TransferFromFailed, TransferFailed
 */
export function swapExactOutput(
  world: World,
  caller: Address,
  { tokenIn, amountOut, maxAmountIn, to, deadline }: PoolCalls["swapExactOutput"],
): bigint {
  requireNotExpired(world, deadline);
  const trade = tradeOf(world, tokenIn);
  const history = historyNow(world);
  const amountIn = boughtFor(trade, amountOut, history.swapFee);
  if (amountIn > maxAmountIn) {
    revert("ConstantProductPool_InputAboveMaximum", amountIn, maxAmountIn);
  }
  pull(world, caller, trade.tokenIn, amountIn);
  pay(world, caller, trade, amountIn, amountOut, history, to);
  return amountIn;
}

/**
 * Sells what was sent to the pool beforehand.
 *
 * @returns output in token units, rounded down
 * @throws {Revert} UnknownToken, ReserveOverflow, ZeroOutput, OutputBelowMinimum, each named ConstantProductPool_...;
 * ConstantProductMath_ZeroReserve, TransferFailed
 */
export function swapPrefunded(
  world: World,
  caller: Address,
  { tokenIn, minAmountOut, to }: PoolCalls["swapPrefunded"],
): bigint {
  const trade = tradeOf(world, tokenIn);
  const amountIn = balance(world, trade.tokenIn) - trade.reserveIn;
  const history = historyNow(world);
  const amountOut = soldFor(trade, amountIn, history.swapFee, minAmountOut);
  pay(world, caller, trade, amountIn, amountOut, history, to);
  return amountOut;
}

// ---------------------------------------------------------------------------------------------------------------- native liquidity

/**
 * Deposits at most the desired amounts, in the ratio of the reserves unless it is the first deposit.
 *
 * @returns what was taken, token units rounded down, and the LP token units given, rounded down
 * @throws {Revert} Expired, AmountBelowMinimum, ReserveOverflow, ZeroLiquidity, each named ConstantProductPool_...;
 * ConstantProductMath_InitialLiquidityTooLow, TransferFromFailed
 */
export function addLiquidity(
  world: World,
  caller: Address,
  args: PoolCalls["addLiquidity"],
): { amount0: bigint; amount1: bigint; liquidity: bigint } {
  requireNotExpired(world, args.deadline);
  const { reserve0, reserve1 } = world.pool;
  let [amount0, amount1] = [
    least(args.amount0Desired, MAX_RESERVE),
    least(args.amount1Desired, MAX_RESERVE),
  ];
  if (world.liquidityToken.totalSupply !== 0n) {
    [amount0, amount1] = optimalAmounts(amount0, amount1, reserve0, reserve1);
  }
  requireAtLeast(world, amount0, amount1, args);
  requireFit(reserve0 + amount0, reserve1 + amount1);
  pull(world, caller, token0(world), amount0);
  pull(world, caller, token1(world), amount1);
  const liquidity = mintLiquidity(world, caller, args.to, amount0, amount1);
  return { amount0, amount1, liquidity };
}

/**
 * Burns LP token units of the caller for their share of the reserves.
 *
 * @returns token units, rounded down
 * @throws {Revert} Expired, ZeroOutput, AmountBelowMinimum, each named ConstantProductPool_...; MulDivFailed, InsufficientBalance,
 * TransferFailed
 */
export function removeLiquidity(
  world: World,
  caller: Address,
  args: PoolCalls["removeLiquidity"],
): { amount0: bigint; amount1: bigint } {
  requireNotExpired(world, args.deadline);
  const { reserve0, reserve1 } = world.pool;
  const { amount0, amount1 } = burnLiquidity(
    world,
    caller,
    args.liquidity,
    reserve0,
    reserve1,
    args.to,
  );
  requireAtLeast(world, amount0, amount1, args);
  storeLiquidity(world, reserve0 - amount0, reserve1 - amount1);
  world.emit("pool", "Burn", { sender: caller, amount0, amount1, to: args.to });
  return { amount0, amount1 };
}

// ------------------------------------------------------------------------------------------------------------------- native views

/**
 * What `swapExactInput` would give now, token units rounded down.
 *
 * @throws {Revert} ConstantProductPool_UnknownToken, ConstantProductPool_ReserveOverflow, ConstantProductMath_ZeroReserve
 */
export function getAmountOut(world: World, tokenIn: Address, amountIn: bigint): bigint {
  return quoteOut(tradeOf(world, tokenIn), amountIn, swapFee(world));
}

/**
 * What `swapExactOutput` would take now, token units rounded up.
 *
 * @throws {Revert} ConstantProductPool_UnknownToken, ConstantProductPool_ReserveOverflow, ConstantProductMath_ZeroAmount,
 * ..._ZeroReserve, ..._OutputExceedsReserve
 */
export function getAmountIn(world: World, tokenIn: Address, amountOut: bigint): bigint {
  return boughtFor(tradeOf(world, tokenIn), amountOut, swapFee(world));
}

/** Fee of a swap now, 1e6 = 100 %. */
export function swapFee(world: World): bigint {
  const { minSwapFee, maxSwapFee } = world.config;
  return minSwapFee === maxSwapFee ? minSwapFee : historyNow(world).swapFee;
}

/** Sum of log price x seconds since the first deposit, log price, and variance rate per second, all 1e18; token1 per token0. */
export function observe(world: World): {
  cumulativeLogPriceWad: bigint;
  logPriceWad: bigint;
  varianceRateWad: bigint;
  timestamp: bigint;
} {
  const { cumulativeLogPrice, logPrice, varianceRateWad } = historyNow(world);
  return {
    cumulativeLogPriceWad: cumulativeLogPrice * LOG_PRICE_SCALE,
    logPriceWad: logPrice * LOG_PRICE_SCALE,
    varianceRateWad,
    timestamp: world.now,
  };
}

/** Both reserves, token units, and the time of the last touch, unix seconds modulo 2^32. */
export function getReserves(world: World): {
  reserve0: bigint;
  reserve1: bigint;
  blockTimestampLast: bigint;
} {
  const { reserve0, reserve1, touchedAt } = world.pool;
  const last = world.now - elapsedSince(world, touchedAt);
  return { reserve0, reserve1, blockTimestampLast: BigInt.asUintN(32, last) };
}

// ----------------------------------------------------------------------------------------------------------- Uniswap V2 functions

/**
 * Makes a deposit of what was sent to the pool beforehand.
 *
 * @returns LP token units, rounded down
 * @throws {Revert} ConstantProductPool_ReserveOverflow, ConstantProductPool_ZeroLiquidity,
 * ConstantProductMath_InitialLiquidityTooLow
 */
export function mint(world: World, caller: Address, { to }: PoolCalls["mint"]): bigint {
  const { reserve0, reserve1 } = world.pool;
  const amount0 = balance(world, token0(world)) - reserve0;
  const amount1 = balance(world, token1(world)) - reserve1;
  requireFit(amount0, amount1);
  requireFit(reserve0 + amount0, reserve1 + amount1);
  return mintLiquidity(world, caller, to, amount0, amount1);
}

/**
 * Burns the LP token units that were sent to the pool beforehand for their share of everything it holds.
 *
 * @returns token units, rounded down
 * @throws {Revert} ConstantProductPool_ZeroOutput, ConstantProductPool_ReserveOverflow, MulDivFailed, TransferFailed
 */
export function burn(
  world: World,
  caller: Address,
  { to }: PoolCalls["burn"],
): { amount0: bigint; amount1: bigint } {
  const { pool } = world.config.addresses;
  const { amount0, amount1 } = burnLiquidity(
    world,
    pool,
    liquidityToken.balanceOf(world, pool),
    balance(world, token0(world)),
    balance(world, token1(world)),
    to,
  );
  const balance0 = balance(world, token0(world));
  const balance1 = balance(world, token1(world));
  requireFit(balance0, balance1);
  storeLiquidity(world, balance0, balance1);
  world.emit("pool", "Burn", { sender: caller, amount0, amount1, to });
  return { amount0, amount1 };
}

/**
 * Pays out what is asked for, provided that enough was sent to the pool beforehand.
 *
 * @throws {Revert} ZeroOutput, InvalidRecipient, InsufficientReserve, ReserveOverflow, ZeroAmount, InvariantBroken, each named
 * ConstantProductPool_...; TransferFailed
 */
export function swap(
  world: World,
  caller: Address,
  { amount0Out, amount1Out, to }: PoolCalls["swap"],
): void {
  const { base, quote, pool } = world.config.addresses;
  if (amount0Out === 0n && amount1Out === 0n) revert("ConstantProductPool_ZeroOutput", 0n, 0n);
  if (to === base || to === quote) revert("ConstantProductPool_InvalidRecipient", to);
  const { reserve0, reserve1 } = world.pool;
  requireBelow(amount0Out, reserve0);
  requireBelow(amount1Out, reserve1);
  const history = historyNow(world);
  if (amount0Out !== 0n) safeTransfer(world, token0(world), pool, to, amount0Out);
  if (amount1Out !== 0n) safeTransfer(world, token1(world), pool, to, amount1Out);
  const balance0 = balance(world, token0(world));
  const balance1 = balance(world, token1(world));
  store(world, balance0, balance1, history);
  const amount0In = aboveZero(balance0 + amount0Out - reserve0);
  const amount1In = aboveZero(balance1 + amount1Out - reserve1);
  if (amount0In === 0n && amount1In === 0n) revert("ConstantProductPool_ZeroAmount");
  if (
    !invariantHolds(balance0, balance1, amount0In, amount1In, reserve0, reserve1, history.swapFee)
  ) {
    revert(
      "ConstantProductPool_InvariantBroken",
      balance0,
      balance1,
      amount0In,
      amount1In,
      reserve0,
      reserve1,
    );
  }
  emitSwap(world, caller, amount0In, amount1In, amount0Out, amount1Out, to);
}

/**
 * Sends what the reserves do not claim to `to`.
 *
 * @throws {Revert} TransferFailed
 */
export function skim(world: World, _caller: Address, { to }: PoolCalls["skim"]): void {
  const { pool } = world.config.addresses;
  const { reserve0, reserve1 } = world.pool;
  const [first, second] = [token0(world), token1(world)];
  safeTransfer(world, first, pool, to, balance(world, first) - reserve0);
  safeTransfer(world, second, pool, to, balance(world, second) - reserve1);
}

/**
 * Makes reserves of everything the pool holds.
 *
 * @throws {Revert} ConstantProductPool_ReserveOverflow
 */
export function sync(world: World): void {
  store(world, balance(world, token0(world)), balance(world, token1(world)), historyNow(world));
}

// ----------------------------------------------------------------------------------------------------------------------- the parts

function token0(world: World): TokenName {
  return world.config.baseIsToken0 ? "base" : "quote";
}

function token1(world: World): TokenName {
  return world.config.baseIsToken0 ? "quote" : "base";
}

/** Token units that the pool holds; never less than its reserve. */
function balance(world: World, token: TokenName): bigint {
  return balanceOf(world, token, world.config.addresses.pool);
}

function tradeOf(world: World, tokenIn: Address): Trade {
  const { baseIsToken0, addresses } = world.config;
  const { reserve0, reserve1 } = world.pool;
  const isBase = tokenIn === addresses.base;
  if (!isBase && tokenIn !== addresses.quote) revert("ConstantProductPool_UnknownToken", tokenIn);
  const zeroForOne = isBase === baseIsToken0;
  return {
    zeroForOne,
    tokenIn: isBase ? "base" : "quote",
    tokenOut: isBase ? "quote" : "base",
    reserveIn: zeroForOne ? reserve0 : reserve1,
    reserveOut: zeroForOne ? reserve1 : reserve0,
  };
}

function quoteOut({ reserveIn, reserveOut }: Trade, amountIn: bigint, fee: bigint): bigint {
  requireFit(amountIn, reserveIn + amountIn);
  return amountOutDown(amountIn, reserveIn, reserveOut, fee);
}

function soldFor(trade: Trade, amountIn: bigint, fee: bigint, minAmountOut: bigint): bigint {
  const amountOut = quoteOut(trade, amountIn, fee);
  if (amountOut === 0n) revert("ConstantProductPool_ZeroOutput", 0n, 0n);
  if (amountOut < minAmountOut) {
    revert("ConstantProductPool_OutputBelowMinimum", amountOut, minAmountOut);
  }
  return amountOut;
}

function boughtFor({ reserveIn, reserveOut }: Trade, amountOut: bigint, fee: bigint): bigint {
  const amountIn = amountInUp(amountOut, reserveIn, reserveOut, fee);
  requireFit(amountIn, reserveIn + amountIn);
  return amountIn;
}

function pull(world: World, caller: Address, token: TokenName, amount: bigint): void {
  const { pool } = world.config.addresses;
  safeTransferFrom(world, token, pool, caller, pool, amount);
}

/** Sends the output of a swap and books exactly the amounts quoted; what strangers sent stays out of the reserves. */
function pay(
  world: World,
  caller: Address,
  { zeroForOne, tokenOut, reserveIn, reserveOut }: Trade,
  amountIn: bigint,
  amountOut: bigint,
  history: PoolHistory,
  to: Address,
): void {
  safeTransfer(world, tokenOut, world.config.addresses.pool, to, amountOut);
  const [newIn, newOut] = [reserveIn + amountIn, reserveOut - amountOut];
  if (zeroForOne) {
    write(world, newIn, newOut, history);
    emitSwap(world, caller, amountIn, 0n, 0n, amountOut, to);
  } else {
    write(world, newOut, newIn, history);
    emitSwap(world, caller, 0n, amountIn, amountOut, 0n, to);
  }
}

/** Gives LP token units for a deposit that the pool holds already. The protocol's share is minted first. */
function mintLiquidity(
  world: World,
  caller: Address,
  to: Address,
  amount0: bigint,
  amount1: bigint,
): bigint {
  const { reserve0, reserve1 } = world.pool;
  mintProtocolFee(world);
  const supply = world.liquidityToken.totalSupply;
  let liquidity: bigint;
  if (supply === 0n) {
    liquidity = initialLiquidityDown(amount0, amount1);
    liquidityToken.mint(world, ZERO_ADDRESS, MINIMUM_LIQUIDITY);
    // Prices before the first deposit were nobody's: the history begins now.
    world.pool = {
      ...world.pool,
      touchedAt: touchTime(world),
      history: begun(world.config.minSwapFee),
    };
  } else {
    liquidity = liquidityDown(amount0, amount1, reserve0, reserve1, supply);
    if (liquidity === 0n) revert("ConstantProductPool_ZeroLiquidity", amount0, amount1);
  }
  liquidityToken.mint(world, to, liquidity);
  storeLiquidity(world, reserve0 + amount0, reserve1 + amount1);
  world.emit("pool", "Mint", { sender: caller, amount0, amount1 });
  return liquidity;
}

/** Pays for LP token units of `from`; `holdings` is what they are a share of. */
function burnLiquidity(
  world: World,
  from: Address,
  liquidity: bigint,
  holdings0: bigint,
  holdings1: bigint,
  to: Address,
): { amount0: bigint; amount1: bigint } {
  mintProtocolFee(world);
  const supply = world.liquidityToken.totalSupply;
  const amount0 = withdrawalDown(liquidity, holdings0, supply);
  const amount1 = withdrawalDown(liquidity, holdings1, supply);
  if (amount0 === 0n || amount1 === 0n) revert("ConstantProductPool_ZeroOutput", amount0, amount1);
  liquidityToken.burn(world, from, liquidity);
  const { pool } = world.config.addresses;
  safeTransfer(world, token0(world), pool, to, amount0);
  safeTransfer(world, token1(world), pool, to, amount1);
  return { amount0, amount1 };
}

/** Mints the protocol's sixth of the growth of sqrt(k) since the last change of liquidity, if the switch is and was on. */
function mintProtocolFee(world: World): void {
  const { feeTo } = world.factory;
  const { reserve0, reserve1, isKLastInUse, kLast } = world.pool;
  if (feeTo === ZERO_ADDRESS || !isKLastInUse) return;
  const { totalSupply } = world.liquidityToken;
  const liquidity = protocolFeeLiquidityDown(reserve0, reserve1, kLast, totalSupply);
  if (liquidity !== 0n) liquidityToken.mint(world, feeTo, liquidity);
}

/** Ends a change of liquidity. One that leaves the price where it is does not touch the history. */
function storeLiquidity(world: World, reserve0: bigint, reserve1: bigint): void {
  const before = world.pool;
  const isKLastInUse = world.factory.feeTo !== ZERO_ADDRESS;
  const isTouch = !isSamePrice(reserve0, reserve1, before.reserve0, before.reserve1);
  const after: PoolRecord = {
    reserve0,
    reserve1,
    touchedAt: isTouch ? touchTime(world) : before.touchedAt,
    isKLastInUse,
    kLast: isKLastInUse ? reserve0 * reserve1 : 0n,
    history: isTouch ? historyNow(world) : before.history,
  };
  world.pool = after;
  world.emit("pool", "Sync", { reserve0, reserve1 });
}

function store(world: World, reserve0: bigint, reserve1: bigint, history: PoolHistory): void {
  requireFit(reserve0, reserve1);
  write(world, reserve0, reserve1, history);
}

/** New reserves and the history of a touch now. */
function write(world: World, reserve0: bigint, reserve1: bigint, history: PoolHistory): void {
  const { isKLastInUse, kLast } = world.pool;
  world.pool = {
    reserve0,
    reserve1,
    touchedAt: touchTime(world),
    isKLastInUse,
    kLast,
    history,
  };
  world.emit("pool", "Sync", { reserve0, reserve1 });
}

function emitSwap(
  world: World,
  sender: Address,
  amount0In: bigint,
  amount1In: bigint,
  amount0Out: bigint,
  amount1Out: bigint,
  to: Address,
): void {
  world.emit("pool", "Swap", { sender, amount0In, amount1In, amount0Out, amount1Out, to });
}

function requireNotExpired({ now }: World, deadline: bigint): void {
  if (now > deadline) revert("ConstantProductPool_Expired", deadline, now);
}

/** The sum of a reserve and an amount wraps at 2^256, as in the contract. */
function requireFit(amount0: bigint, amount1: bigint): void {
  if (amount0 <= MAX_RESERVE && amount1 <= MAX_RESERVE) return;
  const wrapped = BigInt.asUintN(256, amount1);
  revert("ConstantProductPool_ReserveOverflow", amount0 > wrapped ? amount0 : wrapped, MAX_RESERVE);
}

function requireAtLeast(
  world: World,
  amount0: bigint,
  amount1: bigint,
  { amount0Min, amount1Min }: { readonly amount0Min: bigint; readonly amount1Min: bigint },
): void {
  const { addresses } = world.config;
  if (amount0 < amount0Min) {
    const token = addresses[token0(world)];
    revert("ConstantProductPool_AmountBelowMinimum", token, amount0, amount0Min);
  }
  if (amount1 < amount1Min) {
    const token = addresses[token1(world)];
    revert("ConstantProductPool_AmountBelowMinimum", token, amount1, amount1Min);
  }
}

function requireBelow(amountOut: bigint, reserveOut: bigint): void {
  if (amountOut >= reserveOut) {
    revert("ConstantProductPool_InsufficientReserve", amountOut, reserveOut);
  }
}

function aboveZero(amount: bigint): bigint {
  return amount > 0n ? amount : 0n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
