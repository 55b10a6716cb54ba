import { checkedAdd, checkedSub, max, min, toUint128, zeroFloorSub } from "../math/fixedPoint.ts";
import { Revert, revert } from "../math/revert.ts";
import {
  grossUp,
  maximumEntry,
  maximumExit as maximumExitWad,
  netDown,
  toAssetsDown,
  toAssetsUp,
  toSharesDown,
  toSharesUp,
} from "../math/sharesMath.ts";
import { divCeil, mulWadCeil } from "../math/signedWadMath.ts";
import {
  equityAsk,
  equityBid,
  MAXIMUM_AMOUNT,
  possibleInventory,
  shockWad,
  skew,
  traderProfitUp,
  wantedInventory,
} from "../math/solvencyMath.ts";
import type { Address } from "./calls.ts";
import { type Context, MAXIMUM_QUOTE } from "./marginContext.ts";
import { paid, received } from "./marginLedger.ts";
import {
  close,
  frozen,
  open,
  openAt,
  preview,
  requireNearAverage,
  requireNotPaused,
  requireNotWorse,
  stillAt,
} from "./marginState.ts";
import { RiskState } from "./state.ts";
import {
  distanceFromAverage,
  lastGood,
  type Market,
  preview as previewMarket,
} from "./volatilityOracle.ts";
import type { World } from "./world.ts";

// The twin of ShareLogic.sol: what LPs pay and get, limits, and the effect on the ledgers. Tokens and shares move in marginShares.ts.

const WAD = 10n ** 18n;
const PPM = 1_000_000n;
/** A withdrawal leaves E_bid >= 1.6 R and 2 % of the holdings in quote. */
const WITHDRAWAL_RATIO_WAD = 1_600000000000000000n;
const QUOTE_RESERVE_WAD = 20000000000000000n;
const MINIMUM_BOOTSTRAP_WAD = 1_000n * WAD;
const NOTHING: Quote = { assets: 0n, shares: 0n };

/** Quote token units and shares that change hands. */
export interface Quote {
  readonly assets: bigint;
  readonly shares: bigint;
}

/**
 * First liquidity, in kind, at the index price.
 *
 * @param baseAmount base token units
 * @param quoteAmount quote token units
 * @returns shares to mint
 * @throws {Revert} MarginPool_BootstrapTooSmall, Overflow, and what `open` and `close` throw
 */
export function bootstrap(
  world: World,
  caller: Address,
  baseAmount: bigint,
  quoteAmount: bigint,
): bigint {
  const ctx = open(world);
  const before = ctx.equity;
  const { ledgers } = ctx;
  const { quoteScale } = ctx.config;
  ledgers.inventoryBase += toUint128(baseAmount);
  ledgers.inventoryQuote += toUint128(quoteAmount);
  received(ctx, quoteAmount);
  close(world, ctx, caller);
  const added = max(ctx.equity - before, 0n);
  if (added < MINIMUM_BOOTSTRAP_WAD) {
    revert("MarginPool_BootstrapTooSmall", added / quoteScale, MINIMUM_BOOTSTRAP_WAD / quoteScale);
  }
  const shares = toSharesDown(added / quoteScale, 0n, max(before, 0n) / quoteScale);
  world.emit("marginPool", "Bootstrapped", {
    lp: caller,
    baseAmount,
    quoteAmount,
    shares,
    indexPriceWad: ctx.market.priceWad,
  });
  return shares;
}

/**
 * Books a deposit of `amount` assets, or of what `amount` shares cost.
 *
 * @returns assets to pull and shares to mint
 * @throws {Revert} MarginPool_VolatilityBehind, MarginPool_PriceFarFromAverage, MarginPool_NotBootstrapped, MarginPool_Insolvent,
 * MarginPool_Paused, MarginPool_ZeroAmount, MarginPool_StateWorse, and what `open` and `close` throw
 */
export function enter(world: World, caller: Address, amount: bigint, inShares: boolean): Quote {
  const ctx = openForShares(world);
  requireNotPaused(world, ctx);
  const quote = quoteEntry(ctx, world.shares.totalSupply, amount, inShares);
  const { assets, shares } = quote;
  if (assets === 0n || shares === 0n) revert("MarginPool_ZeroAmount");
  const before = ctx.state;
  const { ledgers } = ctx;
  const net = netDown(assets, feeWad(ctx));
  ledgers.inventoryQuote = checkedAdd(ledgers.inventoryQuote, net);
  ledgers.pendingIncome += assets - net;
  received(ctx, assets);
  close(world, ctx, caller);
  requireNotWorse(ctx, before);
  return quote;
}

/**
 * Books a withdrawal of `amount` assets, or of what `amount` shares are worth.
 *
 * @returns assets to pay out and shares to burn
 * @throws {Revert} ERC4626ExceededMaxWithdraw above what may leave; MarginPool_VolatilityBehind, MarginPool_PriceFarFromAverage,
 * MarginPool_NotBootstrapped, MarginPool_Insolvent, MarginPool_ZeroAmount, MarginPool_StateWorse, and what `open` and `close` throw
 */
export function exit(
  world: World,
  caller: Address,
  owner: Address,
  amount: bigint,
  inShares: boolean,
): Quote {
  const ctx = openForShares(world);
  const { assets, shares, gross } = quoteExit(ctx, world.shares.totalSupply, amount, inShares);
  if (shares === 0n) revert("MarginPool_ZeroAmount");
  const limit = exitLimit(ctx);
  if (gross > limit) {
    revert("ERC4626ExceededMaxWithdraw", owner, assets, netDown(limit, feeWad(ctx)));
  }
  const before = ctx.state;
  const { ledgers } = ctx;
  ledgers.inventoryQuote = checkedSub(ledgers.inventoryQuote, gross);
  ledgers.pendingIncome += gross - assets;
  paid(ctx, assets);
  close(world, ctx, caller);
  requireNotWorse(ctx, before);
  return { assets, shares };
}

/** What `enter` would pull and mint now. */
export function previewEnter(world: World, amount: bigint, inShares: boolean): Quote {
  return quoteEntry(preview(world), world.shares.totalSupply, amount, inShares);
}

/** What `exit` would pay and burn now, limits aside. */
export function previewExit(world: World, amount: bigint, inShares: boolean): Quote {
  return quoteExit(preview(world), world.shares.totalSupply, amount, inShares);
}

/** Most that may enter now; 0 while the price is bad. */
export function maximumEnter(world: World): Quote {
  const ctx = tryContext(world);
  if (ctx === undefined || !mayTradeShares(world, ctx)) return NOTHING;
  if (world.now < ctx.pausedUntil) return NOTHING;
  const supply = world.shares.totalSupply;
  return quoteEntry(ctx, supply, entryLimit(ctx, supply), false);
}

/** Most that an owner of `unlocked` free shares may take now; 0 while the price is bad. */
export function maximumExit(world: World, unlocked: bigint): Quote {
  const ctx = tryContext(world);
  if (ctx === undefined || ctx.equityBid <= 0n || !mayTradeShares(world, ctx)) return NOTHING;
  const supply = world.shares.totalSupply;
  const limit = exitLimit(ctx);
  const bid = bidDown(ctx);
  const gross = min(toAssetsDown(unlocked, supply, bid), limit);
  return {
    assets: netDown(gross, feeWad(ctx)),
    shares: min(unlocked, toSharesDown(limit, supply, bid)),
  };
}

/** max(E, 0) in quote token units, at the price of now or, while that is bad, at the last good one. Never throws. */
export function totalEquity(world: World): bigint {
  const ctx = tryContext(world) ?? stillAt(world, lastGood(world).priceWad);
  return max(ctx.equity, 0n) / ctx.config.quoteScale;
}

function quoteEntry(ctx: Context, supply: bigint, amount: bigint, inShares: boolean): Quote {
  const ask = askUp(ctx);
  return inShares
    ? { assets: grossUp(toAssetsUp(amount, supply, ask), feeWad(ctx)), shares: amount }
    : { assets: amount, shares: toSharesDown(netDown(amount, feeWad(ctx)), supply, ask) };
}

/** `gross` is what leaves LPs' equity, assets and fee. */
function quoteExit(
  ctx: Context,
  supply: bigint,
  amount: bigint,
  inShares: boolean,
): Quote & { readonly gross: bigint } {
  const bid = bidDown(ctx);
  if (inShares) {
    const gross = toAssetsDown(amount, supply, bid);
    return { assets: netDown(gross, feeWad(ctx)), shares: amount, gross };
  }
  const gross = grossUp(amount, feeWad(ctx));
  return { assets: amount, shares: toSharesUp(gross, supply, bid), gross };
}

/** w phi: cost of the exposure that a deposit brings or a withdrawal takes. 1e18. */
function feeWad(ctx: Context): bigint {
  return (ctx.config.weightWad * ctx.hedgeRatePpm) / PPM;
}

function lowerLpPrice(ctx: Context): bigint {
  return (ctx.market.priceWad * (WAD - ctx.config.lpPriceBandWad)) / WAD;
}

function upperLpPrice(ctx: Context): bigint {
  return divCeil(ctx.market.priceWad * (WAD + ctx.config.lpPriceBandWad), WAD);
}

/** E_bid over the LP band, 18 decimals. */
function bidWad(ctx: Context): bigint {
  return equityBid(ctx.book, lowerLpPrice(ctx), upperLpPrice(ctx));
}

/** The same in quote token units, rounded down, not below zero. */
function bidDown(ctx: Context): bigint {
  return max(bidWad(ctx), 0n) / ctx.config.quoteScale;
}

/** E_ask over the LP band, quote token units, rounded up, not below zero. */
function askUp(ctx: Context): bigint {
  const ask = equityAsk(ctx.book, lowerLpPrice(ctx), upperLpPrice(ctx));
  return divCeil(max(ask, 0n), ctx.config.quoteScale);
}

/**
 * Most that may leave, fee included, quote token units: the risk state does not get worse, E_bid stays at 1.6 R, and quote stays for
 * traders' profits and claims.
 */
function exitLimit(ctx: Context): bigint {
  const { book, price } = ctx;
  const covered = bidWad(ctx) - mulWadCeil(ctx.required, WITHDRAWAL_RATIO_WAD);
  const holdings = book.inventoryQuote + mulWadCeil(book.inventoryBase, price);
  const owed = book.unpaidClaims + max(traderProfitUp(book, price), 0n);
  const liquid = book.inventoryQuote - owed - mulWadCeil(holdings, QUOTE_RESERVE_WAD);
  let limit = min(covered, liquid);
  if (ctx.state === RiskState.Normal) limit = min(limit, exitWithinState(ctx));
  return max(limit, 0n) / ctx.config.quoteScale;
}

function exitWithinState(ctx: Context): bigint {
  return maximumExitWad(
    ctx.book.inventoryBase,
    wanted(ctx),
    possibleInventory(ctx.book, ctx.price),
    ctx.equity,
    ctx.price,
    ctx.config.weightWad,
    shockWad(ctx.market.volatilityWad),
  );
}

/** Most that may enter without making the risk state worse, quote token units. */
function entryLimit(ctx: Context, supply: bigint): bigint {
  if (supply === 0n || ctx.equityBid <= 0n) return 0n;
  const room = ledgerRoom(ctx);
  if (ctx.state !== RiskState.Normal) return room;
  const limit = maximumEntry(
    ctx.book.inventoryBase,
    wanted(ctx),
    ctx.equity,
    ctx.price,
    ctx.config.weightWad,
    shockWad(ctx.market.volatilityWad),
  );
  return min(limit / ctx.config.quoteScale, room);
}

/** What the ledgers' width and the arithmetic on them still have room for. */
function ledgerRoom(ctx: Context): bigint {
  const largest = (MAXIMUM_AMOUNT - 1n) / ctx.config.quoteScale;
  const used = max(ctx.ledgers.inventoryQuote, ctx.ledgers.pendingIncome);
  return min(zeroFloorSub(largest, used), MAXIMUM_QUOTE - ctx.accountedQuote);
}

function wanted(ctx: Context): bigint {
  return wantedInventory(skew(ctx.book), ctx.price, ctx.equity, ctx.config.weightWad);
}

function openForShares(world: World): Context {
  const ctx = open(world);
  if (!ctx.market.caughtUp) revert("MarginPool_VolatilityBehind", ctx.market.roundId);
  requireNearAverage(world, ctx);
  if (world.shares.totalSupply === 0n) revert("MarginPool_NotBootstrapped");
  if (ctx.equityBid <= 0n) revert("MarginPool_Insolvent", ctx.equityBid);
  return ctx;
}

/** The pool lives, no round waits to be folded, and the constant-product pool's average price is near the index. */
function mayTradeShares(world: World, ctx: Context): boolean {
  if (ctx.state === RiskState.Settled || !ctx.market.caughtUp) return false;
  const { priceWad, volatilityWad } = ctx.market;
  const { distanceWad, allowedWad } = distanceFromAverage(world, priceWad, volatilityWad);
  return distanceWad <= allowedWad;
}

/** Nothing while the price is bad. A settled pool has a price for good. */
function tryContext(world: World): Context | undefined {
  if (world.cold.settlement.settledAt !== 0n) return frozen(world);
  let market: Market;
  try {
    market = previewMarket(world);
  } catch (thrown) {
    if (thrown instanceof Revert) return undefined;
    throw thrown;
  }
  return openAt(world, market);
}
