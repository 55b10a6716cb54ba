import { checkedAdd, checkedSub, toUint96 } from "../math/fixedPoint.ts";
import { revert } from "../math/revert.ts";
import type { Address, Calls } from "./calls.ts";
import { swapExactInput, swapExactOutput } from "./constantProductPool.ts";
import { setCollateral } from "./marginAccount.ts";
import {
  addAccounted,
  addCollateral,
  addInsurance,
  loadPosition,
  storeBand,
} from "./marginContext.ts";
import { burn, mintLocked, pullBase, pullQuote } from "./marginShares.ts";
import type { Snapshot } from "./marginState.ts";
import * as riskLogic from "./riskLogic.ts";
import * as settlementLogic from "./settlementLogic.ts";
import * as shareLogic from "./shareLogic.ts";
import { balanceOf, transfer as transferToken } from "./token.ts";
import type { World } from "./world.ts";

// The twin of MarginPool.sol: entry points and token transfers. An action is one call, so that neither the reentrancy guard nor
// MarginPool_MarginAddedInTransaction, which both look at what happened earlier in the transaction, can ever refuse one.

type MarginPoolCalls = Calls["marginPool"];

export {
  acceptOwnership,
  pauseNewRisk,
  renounceOwnership,
  setGuardian,
  setParameters,
  transferOwnership,
  unpauseNewRisk,
} from "./marginGovernance.ts";
export {
  approve,
  deposit,
  mint,
  redeem,
  transfer,
  transferFrom,
  withdraw,
} from "./marginShares.ts";
export { cancelOrder, executeOrder, requestOrder } from "./orderLogic.ts";
export { liquidate, sync } from "./riskLogic.ts";
export { autoDeleverage, finalizeSettlement, settle, settleAccount } from "./settlementLogic.ts";

/**
 * First liquidity, in kind.
 *
 * @returns shares minted
 * @throws {Revert} MarginPool_AlreadyBootstrapped, what `shareLogic.bootstrap` throws, and the tokens' errors
 */
export function bootstrap(
  world: World,
  caller: Address,
  { baseAmount, quoteAmount }: MarginPoolCalls["bootstrap"],
): bigint {
  const { totalSupply } = world.shares;
  if (totalSupply !== 0n) revert("MarginPool_AlreadyBootstrapped", totalSupply);
  const shares = shareLogic.bootstrap(world, caller, baseAmount, quoteAmount);
  if (baseAmount !== 0n) pullBase(world, caller, baseAmount);
  if (quoteAmount !== 0n) pullQuote(world, caller, quoteAmount);
  mintLocked(world, caller, shares);
  return shares;
}

/**
 * Adds quote token units to the caller's margin. Needs no price.
 *
 * @throws {Revert} MarginPool_ZeroAmount, Panic 0x11, Overflow, MarginPool_LedgerOutOfBounds, and the token's errors
 */
export function depositMargin(
  world: World,
  caller: Address,
  { amount }: MarginPoolCalls["depositMargin"],
): void {
  if (amount === 0n) revert("MarginPool_ZeroAmount");
  const collateral = checkedAdd(loadPosition(world, caller).collateral, amount);
  const { size, backingDelta } = setCollateral(world, caller, collateral);
  if (backingDelta !== 0n) addCollateral(world, size > 0n, backingDelta);
  addAccounted(world, toUint96(amount));
  pullQuote(world, caller, amount);
  world.emit("marginPool", "MarginDeposited", { account: caller, amount, collateral });
}

/** Takes quote token units out of the caller's margin. @throws {Revert} MarginPool_ZeroAmount, what `riskLogic.withdrawMargin` throws */
export function withdrawMargin(
  world: World,
  caller: Address,
  { amount }: MarginPoolCalls["withdrawMargin"],
): void {
  if (amount === 0n) revert("MarginPool_ZeroAmount");
  riskLogic.withdrawMargin(world, caller, amount);
  transferToken(world, "quote", world.config.addresses.marginPool, caller, amount);
}

/**
 * Pays the caller's credit, and its claim as far as there is something to pay it with.
 *
 * @returns quote token units paid
 * @throws {Revert} MarginPool_NothingToClaim
 */
export function claim(world: World, caller: Address): bigint {
  const { baseAmount, quoteAmount } = settlementLogic.claim(world, caller);
  payOut(world, "quote", caller, quoteAmount);
  payOut(world, "base", caller, baseAmount);
  return quoteAmount;
}

/**
 * Gives quote that belongs to nobody to the insurance fund.
 *
 * @returns quote token units
 * @throws {Revert} MarginPool_LedgerOutOfBounds
 */
export function skim(world: World, caller: Address): bigint {
  const balance = balanceOf(world, "quote", world.config.addresses.marginPool);
  const amount = checkedSub(balance, world.hot.accountedQuote);
  const delta = BigInt.asIntN(256, amount);
  addAccounted(world, delta);
  const insuranceFund = addInsurance(world, delta);
  world.emit("marginPool", "InsuranceSkimmed", { caller, amount, insuranceFund });
  return amount;
}

/**
 * Burns shares of the caller for their part of a finalized settlement.
 *
 * @returns token units paid, rounded down
 * @throws {Revert} what `settlementLogic.redeemInKind` throws, MarginPool_SharesLocked, ERC20InvalidReceiver
 */
export function redeemInKind(
  world: World,
  caller: Address,
  { shares, receiver }: MarginPoolCalls["redeemInKind"],
): settlementLogic.Amounts {
  const amounts = settlementLogic.redeemInKind(world, shares);
  const { baseAmount, quoteAmount } = amounts;
  burn(world, caller, shares);
  payOut(world, "base", receiver, baseAmount);
  payOut(world, "quote", receiver, quoteAmount);
  world.emit("marginPool", "RedeemedInKind", {
    owner: caller,
    receiver,
    shares,
    baseAmount,
    quoteAmount,
  });
  return amounts;
}

/**
 * Trades inventory with the constant-product pool. Honest tokens move exactly what the pool says, so that
 * MarginPool_PoolAmountMismatch cannot occur.
 *
 * @returns quote token units that moved, and the pool afterwards
 * @throws {Revert} MarginPool_OnlyRebalancer, the constant-product pool's errors, and what `riskLogic.moveInventory` throws
 */
export function tradeWithPool(
  world: World,
  caller: Address,
  { sellBase, amountBase, quoteLimit }: MarginPoolCalls["tradeWithPool"],
): { readonly quoteAmount: bigint; readonly snapshotAfter: Snapshot } {
  requireRebalancer(world, caller);
  const { base, quote, marginPool: to } = world.config.addresses;
  const deadline = world.now;
  if (sellBase) {
    const quoteAmount = swapExactInput(world, to, {
      tokenIn: base,
      amountIn: amountBase,
      minAmountOut: quoteLimit,
      to,
      deadline,
    });
    const snapshotAfter = riskLogic.moveInventory(world, caller, -amountBase, quoteAmount);
    return { quoteAmount, snapshotAfter };
  }
  const quoteAmount = swapExactOutput(world, to, {
    tokenIn: quote,
    amountOut: amountBase,
    maxAmountIn: quoteLimit,
    to,
    deadline,
  });
  const snapshotAfter = riskLogic.moveInventory(world, caller, amountBase, -quoteAmount);
  return { quoteAmount, snapshotAfter };
}

/** Stores a newly measured band, base x 1e18 and 1e6 = 100 %. @throws {Revert} MarginPool_OnlyRebalancer */
export function cacheBand(world: World, caller: Address, args: MarginPoolCalls["cacheBand"]): void {
  requireRebalancer(world, caller);
  const { outerBandWad, depthBaseWad } = args;
  storeAndLogBand(world, outerBandWad, depthBaseWad, args.unwindCostPpm, world.hot.hedgeRatePpm);
}

/** Stores the band with phi, base x 1e18 and 1e6 = 100 %. */
export function storeAndLogBand(
  world: World,
  outerBandWad: bigint,
  depthBaseWad: bigint,
  unwindCost: bigint,
  hedgeRate: bigint,
): void {
  const { baseScale } = world.config;
  storeBand(world, outerBandWad, depthBaseWad, unwindCost, hedgeRate);
  world.emit("marginPool", "BandCached", {
    outerBand: outerBandWad / baseScale,
    depthBase: depthBaseWad / baseScale,
    unwindCostPpm: unwindCost,
    hedgeRatePpm: hedgeRate,
  });
}

function payOut(world: World, token: "base" | "quote", to: Address, amount: bigint): void {
  if (amount !== 0n) transferToken(world, token, world.config.addresses.marginPool, to, amount);
}

function requireRebalancer(world: World, caller: Address): void {
  const { rebalancer } = world.config.addresses;
  if (caller !== rebalancer) revert("MarginPool_OnlyRebalancer", caller, rebalancer);
}
