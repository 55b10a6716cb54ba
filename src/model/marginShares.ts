import { checkedAdd, checkedDiv, toUint128, zeroFloorSub } from "../math/fixedPoint.ts";
import { panic, revert } from "../math/revert.ts";
import { VIRTUAL_SHARES } from "../math/sharesMath.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import * as shareLogic from "./shareLogic.ts";
import type { ShareLock } from "./state.ts";
import * as token from "./token.ts";
import type { World } from "./world.ts";

// The twin of MarginShares.sol and of what it inherits from OpenZeppelin's ERC4626: LP shares, new ones locked for ten minutes.

type MarginPoolCalls = Calls["marginPool"];

const LOCK = 600n;
const MAX_UINT256 = 2n ** 256n - 1n;
const OVERFLOW = 0x11n;

/**
 * Deposits `assets` quote token units.
 *
 * @returns shares minted
 * @throws {Revert} what `shareLogic.enter` throws, the token's errors, ERC20InvalidReceiver
 */
export function deposit(
  world: World,
  caller: Address,
  { assets, receiver }: MarginPoolCalls["deposit"],
): bigint {
  const entry = shareLogic.enter(world, caller, assets, false);
  enter(world, caller, entry, receiver);
  return entry.shares;
}

/**
 * Deposits what `shares` cost.
 *
 * @returns quote token units pulled
 * @throws {Revert} as `deposit`
 */
export function mint(
  world: World,
  caller: Address,
  { shares, receiver }: MarginPoolCalls["mint"],
): bigint {
  const entry = shareLogic.enter(world, caller, shares, true);
  enter(world, caller, entry, receiver);
  return entry.assets;
}

/**
 * Withdraws `assets` quote token units.
 *
 * @returns shares burned
 * @throws {Revert} what `shareLogic.exit` throws, ERC20InsufficientAllowance, MarginPool_SharesLocked, ERC20InvalidReceiver
 */
export function withdraw(
  world: World,
  caller: Address,
  { assets, receiver, owner }: MarginPoolCalls["withdraw"],
): bigint {
  const left = shareLogic.exit(world, caller, owner, assets, false);
  leave(world, caller, receiver, owner, left);
  return left.shares;
}

/**
 * Withdraws what `shares` are worth.
 *
 * @returns quote token units paid
 * @throws {Revert} as `withdraw`
 */
export function redeem(
  world: World,
  caller: Address,
  { shares, receiver, owner }: MarginPoolCalls["redeem"],
): bigint {
  const left = shareLogic.exit(world, caller, owner, shares, true);
  leave(world, caller, receiver, owner, left);
  return left.assets;
}

/** Moves shares of the caller. @throws {Revert} MarginPool_SharesLocked, ERC20InvalidReceiver */
export function transfer(
  world: World,
  caller: Address,
  { to, value }: MarginPoolCalls["transfer"],
): boolean {
  return token.transfer(world, "marginPool", caller, to, value, update);
}

/** Lets `spender` move shares of the caller. @throws {Revert} ERC20InvalidSpender */
export function approve(
  world: World,
  caller: Address,
  { spender, value }: MarginPoolCalls["approve"],
): boolean {
  return token.approve(world, "marginPool", caller, spender, value);
}

/** Moves shares of `from`. @throws {Revert} ERC20InsufficientAllowance, MarginPool_SharesLocked, ERC20InvalidReceiver */
export function transferFrom(
  world: World,
  caller: Address,
  { from, to, value }: MarginPoolCalls["transferFrom"],
): boolean {
  return token.transferFrom(world, "marginPool", caller, from, to, value, update);
}

/**
 * Pulls quote that is already in the ledgers.
 *
 * @throws {Revert} the token's errors; MarginPool_NotCovered where the ledgers would be more than the balance
 */
export function pullQuote(world: World, caller: Address, amount: bigint): void {
  pull(world, "quote", caller, amount, world.hot.accountedQuote);
}

/** The same for base, of which the inventory is the only ledger. */
export function pullBase(world: World, caller: Address, amount: bigint): void {
  pull(world, "base", caller, amount, world.hot.ledgers.inventoryBase);
}

/**
 * Mints shares that are locked for ten minutes. A further mint sets the end of the lock to the share-weighted mean of the remaining
 * times.
 *
 * @throws {Revert} Overflow above 2^128 - 1 locked shares, ERC20InvalidReceiver
 */
export function mintLocked(world: World, receiver: Address, shares: bigint): void {
  const { lockedShares, unlockAt } = shareLock(world, receiver);
  const remaining = lockedShares === 0n ? 0n : unlockAt - world.now;
  const total = checkedAdd(lockedShares, shares);
  const mean = checkedDiv(lockedShares * remaining + shares * LOCK, total);
  world.locks.set(receiver, { lockedShares: toUint128(total), unlockAt: world.now + mean });
  token.mint(world, "marginPool", receiver, shares, update);
}

/** Burns shares of `owner`. @throws {Revert} MarginPool_SharesLocked */
export function burn(world: World, owner: Address, shares: bigint): void {
  token.burn(world, "marginPool", owner, shares, update);
}

/** Shares of `account` that cannot move yet, and until when, unix seconds; the time stays once it has passed. */
export function shareLock(world: World, account: Address): ShareLock {
  const lock = world.locks.get(account);
  if (lock === undefined) return { lockedShares: 0n, unlockAt: 0n };
  return world.now < lock.unlockAt ? lock : { lockedShares: 0n, unlockAt: lock.unlockAt };
}

/** E in quote token units, not below zero; at the last good price while there is none. */
export function totalAssets(world: World): bigint {
  return shareLogic.totalEquity(world);
}

/** Shares for `assets` at `totalAssets`, rounded down. @throws {Revert} Panic 0x11 */
export function convertToShares(world: World, assets: bigint): bigint {
  return mulDivDown(assets, world.shares.totalSupply + VIRTUAL_SHARES, totalAssets(world) + 1n);
}

/** Quote token units for `shares` at `totalAssets`, rounded down. @throws {Revert} Panic 0x11 */
export function convertToAssets(world: World, shares: bigint): bigint {
  return mulDivDown(shares, totalAssets(world) + 1n, world.shares.totalSupply + VIRTUAL_SHARES);
}

/** Shares that a deposit of `assets` would mint. */
export function previewDeposit(world: World, assets: bigint): bigint {
  return shareLogic.previewEnter(world, assets, false).shares;
}

/** Quote token units that minting `shares` would cost. */
export function previewMint(world: World, shares: bigint): bigint {
  return shareLogic.previewEnter(world, shares, true).assets;
}

/** Shares that a withdrawal of `assets` would burn, limits aside. */
export function previewWithdraw(world: World, assets: bigint): bigint {
  return shareLogic.previewExit(world, assets, false).shares;
}

/** Quote token units that redeeming `shares` would pay, limits aside. */
export function previewRedeem(world: World, shares: bigint): bigint {
  return shareLogic.previewExit(world, shares, true).assets;
}

/** Most that may be deposited now, quote token units; the same for everybody. */
export function maxDeposit(world: World): bigint {
  return shareLogic.maximumEnter(world).assets;
}

/** Most shares that may be minted now; the same for everybody. */
export function maxMint(world: World): bigint {
  return shareLogic.maximumEnter(world).shares;
}

/** Most that `owner` may withdraw now, quote token units. */
export function maxWithdraw(world: World, owner: Address): bigint {
  return shareLogic.maximumExit(world, unlockedShares(world, owner)).assets;
}

/** Most shares that `owner` may redeem now. */
export function maxRedeem(world: World, owner: Address): bigint {
  return shareLogic.maximumExit(world, unlockedShares(world, owner)).shares;
}

function enter(
  world: World,
  caller: Address,
  { assets, shares }: shareLogic.Quote,
  receiver: Address,
): void {
  pullQuote(world, caller, assets);
  mintLocked(world, receiver, shares);
  world.emit("marginPool", "Deposit", { sender: caller, owner: receiver, assets, shares });
}

function leave(
  world: World,
  caller: Address,
  receiver: Address,
  owner: Address,
  { assets, shares }: shareLogic.Quote,
): void {
  if (caller !== owner) token.spendAllowance(world, "marginPool", owner, caller, shares);
  burn(world, owner, shares);
  token.transfer(world, "quote", world.config.addresses.marginPool, receiver, assets);
  world.emit("marginPool", "Withdraw", { sender: caller, receiver, owner, assets, shares });
}

function pull(
  world: World,
  name: token.TokenName,
  caller: Address,
  amount: bigint,
  ledgersTotal: bigint,
): void {
  const { addresses } = world.config;
  const pool = addresses.marginPool;
  token.transferFrom(world, name, pool, caller, pool, amount);
  const balance = token.balanceOf(world, name, pool);
  if (balance < ledgersTotal)
    revert("MarginPool_NotCovered", addresses[name], balance, ledgersTotal);
}

function unlockedShares(world: World, account: Address): bigint {
  const balance = token.balanceOf(world, "marginPool", account);
  return zeroFloorSub(balance, shareLock(world, account).lockedShares);
}

function update(
  world: World,
  name: token.Erc20Name,
  from: Address,
  to: Address,
  value: bigint,
): void {
  if (from !== ZERO_ADDRESS) {
    const unlocked = unlockedShares(world, from);
    if (value > unlocked) {
      revert("MarginPool_SharesLocked", from, value, unlocked, shareLock(world, from).unlockAt);
    }
  }
  token.updateBalances(world, name, from, to, value);
}

/** OpenZeppelin's `Math.mulDiv`. */
function mulDivDown(x: bigint, y: bigint, d: bigint): bigint {
  const result = (x * y) / d;
  return result > MAX_UINT256 ? panic(OVERFLOW) : result;
}
