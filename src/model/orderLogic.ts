import { type ContractError, revert } from "../math/revert.ts";
import { oppositeSigns } from "../math/signedWadMath.ts";
import { MAXIMUM_AMOUNT } from "../math/solvencyMath.ts";
import type { Address, Calls } from "./calls.ts";
import type { Account } from "./marginAccount.ts";
import * as accounts from "./marginAccount.ts";
import { addCollateral, type Context, loadPosition } from "./marginContext.ts";
import * as ledger from "./marginLedger.ts";
import { load as loadParameters } from "./marginParameters.ts";
import { close, closeRefreshed, open, openAt, preview, refreshCollateral } from "./marginState.ts";
import { compute, type Fill, noFill } from "./orderFill.ts";
import { follow } from "./riskStates.ts";
import type { Ledgers, Order, ProtocolConfig } from "./state.ts";
import type { World } from "./world.ts";

// The twin of OrderLogic.sol: request, execute, cancel. How an order fills is orderFill's.

const WAD = 10n ** 18n;
/** Seconds between a request and the earliest round that fills it. */
export const DELAY = 4n;
/** Longest life of an order, seconds. */
export const MAXIMUM_LIFETIME = 600n;
const MAXIMUM_UINT88 = 2n ** 88n - 1n;
const MAXIMUM_UINT128 = 2n ** 128n - 1n;
const MAXIMUM_INT128 = 2n ** 127n - 1n;

/** Queues an order of the caller. `IMarginPool.requestOrder`. */
export function requestOrder(
  world: World,
  caller: Address,
  { sizeDelta, acceptablePriceWad, expiresAt }: Calls["marginPool"]["requestOrder"],
): void {
  if (sizeDelta === 0n) revert("MarginPool_ZeroAmount");
  const pending = world.orders.get(caller);
  if (pending !== undefined) revert("MarginPool_OrderPending", caller, pending.expiresAt);
  const earliest = world.now + DELAY;
  const latest = world.now + MAXIMUM_LIFETIME;
  if (expiresAt < earliest || expiresAt > latest) {
    revert("MarginPool_ExpiryOutOfBounds", expiresAt, earliest, latest);
  }
  const { config } = world;
  const ctx = open(world);
  const a = accounts.load(world, ctx, caller);
  if (sizeDelta > MAXIMUM_INT128 || sizeDelta < -MAXIMUM_INT128 - 1n) revert("Overflow");
  if (magnitude(sizeDelta) * config.baseScale >= MAXIMUM_AMOUNT) {
    revert("MarginPool_AmountOutOfBounds", magnitude(sizeDelta), MAXIMUM_AMOUNT / config.baseScale);
  }
  const sizeAfter = a.size + sizeDelta;
  const reduceOnly = oppositeSigns(sizeDelta, a.size) && magnitude(sizeDelta) <= magnitude(a.size);

  const fee = executionFee(config);
  if (a.collateral < fee) {
    revert("MarginPool_InsufficientFreeMargin", caller, fee, a.collateral);
  }
  a.collateral -= fee;
  let needed = reduceOnly
    ? 0n
    : accounts.initialMargin(ctx, loadParameters(world), sizeAfter).margin;
  const maintenance = accounts.maintenanceMargin(ctx, a.size);
  if (maintenance > needed) needed = maintenance;
  const equity = accounts.equityOf(ctx, a);
  if (equity < needed) revert("MarginPool_InsufficientMargin", caller, equity, needed);
  const reservedMargin = reduceOnly ? 0n : smallest(needed, a.collateral, MAXIMUM_UINT88);
  const moved = setCollateral(world, ctx.ledgers, caller, a.collateral);
  world.orders.set(caller, {
    sizeDelta,
    acceptablePriceWad: acceptablePriceWad < MAXIMUM_UINT128 ? acceptablePriceWad : MAXIMUM_UINT128,
    requestedAt: world.now,
    expiresAt,
    roundId: ctx.market.roundId,
    reservedMargin,
    reduceOnly,
  });
  if (moved) refreshCollateral(ctx);
  // Also where nothing moved: who has just left Deleveraging begins to recover at the second look.
  follow(world, ctx);
  closeRefreshed(world, ctx, caller);
  world.emit("marginPool", "OrderRequested", {
    account: caller,
    sizeDelta,
    acceptablePriceWad,
    expiresAt,
    roundId: ctx.market.roundId,
    reservedMargin,
    reduceOnly,
  });
}

/** Fills or removes an order. `IMarginPool.executeOrder`. */
export function executeOrder(
  world: World,
  caller: Address,
  { account }: Calls["marginPool"]["executeOrder"],
): void {
  const o = orderOf(world, account);
  const { config } = world;
  const ctx = open(world);
  if (world.now > o.expiresAt) {
    remove(world, caller, account);
    close(world, ctx, caller);
    world.emit("marginPool", "OrderExpired", {
      account,
      executor: caller,
      sizeDelta: o.sizeDelta,
      expiresAt: o.expiresAt,
    });
    return;
  }
  requireExecutable(ctx, account, o);
  const a = accounts.load(world, ctx, account);
  const { fill, failure, moved } = compute(world, ctx, loadParameters(world), account, a, o);
  if (failure !== undefined) {
    remove(world, caller, account);
    const untouched = moved ? openAt(world, ctx.market) : ctx;
    follow(world, untouched);
    closeRefreshed(world, untouched, caller);
    world.emit("marginPool", "OrderFailed", {
      account,
      executor: caller,
      sizeDelta: o.sizeDelta,
      reason: failure,
    });
    return;
  }
  remove(world, caller, account);
  let remaining = o.reduceOnly && a.size === 0n ? 0n : o.sizeDelta - fill.sizeDelta;
  // The rest waits for another round and pays for another execution; without margin for that it lapses.
  const waits = remaining !== 0n && affordsFee(ctx, a);
  if (waits) {
    const before = accounts.copy(a);
    a.collateral -= executionFee(config);
    ledger.moveAccount(ctx.ledgers, before, a);
    world.orders.set(account, {
      sizeDelta: remaining,
      acceptablePriceWad: o.acceptablePriceWad,
      requestedAt: world.now,
      expiresAt: o.expiresAt,
      roundId: ctx.market.roundId,
      reservedMargin: o.reservedMargin,
      reduceOnly: o.reduceOnly,
    });
  } else {
    remaining = 0n;
  }
  accounts.store(world, ctx, account, a);
  if (waits) close(world, ctx, caller);
  else closeRefreshed(world, ctx, caller);
  world.emit("marginPool", "OrderExecuted", {
    account,
    executor: caller,
    filled: { ...fill },
    remainingSizeDelta: remaining,
    size: a.size,
    entryNotional: a.entryNotional,
    collateral: a.collateral,
    indexPriceWad: ctx.market.priceWad,
    roundId: ctx.market.roundId,
  });
}

/** Withdraws the caller's order before the delay has passed or after it expired. Needs no price. `IMarginPool.cancelOrder`. */
export function cancelOrder(world: World, caller: Address): void {
  const o = orderOf(world, caller);
  const executableAt = o.requestedAt + DELAY;
  const executable = world.now >= executableAt && world.now <= o.expiresAt;
  if (executable && world.cold.settlement.settledAt === 0n) {
    revert("MarginPool_OrderNotCancelable", caller, executableAt, o.expiresAt);
  }
  world.orders.delete(caller);
  const collateral = loadPosition(world, caller).collateral + executionFee(world.config);
  const { size, backingDelta } = accounts.setCollateral(world, caller, collateral);
  if (backingDelta !== 0n) addCollateral(world, size > 0n, backingDelta);
  world.emit("marginPool", "OrderCanceled", { account: caller, sizeDelta: o.sizeDelta });
}

/** What executing an order would do now. `IMarginPool.previewOrder`; changes nothing. */
export function previewOrder(
  world: World,
  account: Address,
): { readonly filled: Fill; readonly failure: ContractError | undefined } {
  const o = orderOf(world, account);
  if (world.now > o.expiresAt) {
    const failure = { name: "MarginPool_OrderPastExpiry", args: [account, o.expiresAt] };
    return { filled: noFill(), failure };
  }
  const ctx = preview(world);
  requireExecutable(ctx, account, o);
  const a = accounts.load(world, ctx, account);
  const { fill, failure } = compute(world, ctx, loadParameters(world), account, a, o);
  return { filled: failure === undefined ? fill : noFill(), failure };
}

/** 0.5 quote, token units. */
export function executionFee(config: ProtocolConfig): bigint {
  return WAD / config.quoteScale / 2n;
}

function orderOf(world: World, account: Address): Order {
  return world.orders.get(account) ?? revert("MarginPool_NoOrder", account);
}

function requireExecutable(ctx: Context, account: Address, o: Order): void {
  const executableAt = o.requestedAt + DELAY;
  if (ctx.market.roundId <= o.roundId || ctx.market.updatedAt < executableAt) {
    revert("MarginPool_OrderTooEarly", account, ctx.market.roundId, o.roundId, executableAt);
  }
}

/** Takes the order out of the queue and credits the executor its fee. */
function remove(world: World, caller: Address, account: Address): void {
  world.orders.delete(account);
  world.credits.set(caller, (world.credits.get(caller) ?? 0n) + executionFee(world.config));
}

/** Whether the account can pay another execution fee and stay at maintenance. */
function affordsFee(ctx: Context, a: Account): boolean {
  const fee = executionFee(ctx.config);
  const left = accounts.equityOf(ctx, a) - fee;
  return a.collateral >= fee && left >= accounts.maintenanceMargin(ctx, a.size);
}

/** The execution fee left the collateral. Says whether that moved a ledger. */
function setCollateral(
  world: World,
  ledgers: Ledgers,
  account: Address,
  collateral: bigint,
): boolean {
  const { size, backingDelta } = accounts.setCollateral(world, account, collateral);
  if (backingDelta === 0n) return false;
  ledger.moveBacking(ledgers, size, backingDelta);
  return true;
}

function smallest(a: bigint, b: bigint, c: bigint): bigint {
  const least = a < b ? a : b;
  return least < c ? least : c;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
