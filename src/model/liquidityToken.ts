// The pool's LP token: solady's ERC20, which also knows transfers to nobody. Permits are outside the model.
import { revert } from "../math/revert.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import { allowanceKey, putAmount } from "./token.ts";
import type { World } from "./world.ts";

const MAX_UINT256 = 2n ** 256n - 1n;

/** LP token units that `account` holds. */
export function balanceOf(world: World, account: Address): bigint {
  return world.liquidityToken.balances.get(account) ?? 0n;
}

/** LP token units of `owner` that `spender` may move; 2^256 - 1 stands for any number. */
export function allowance(world: World, owner: Address, spender: Address): bigint {
  return world.liquidityToken.allowances.get(allowanceKey(owner, spender)) ?? 0n;
}

/**
 * Moves LP token units of the caller.
 *
 * @throws {Revert} InsufficientBalance
 */
export function transfer(
  world: World,
  caller: Address,
  { to, value }: Calls["pool"]["transfer"],
): boolean {
  move(world, caller, to, value);
  return true;
}

/** Lets `spender` move `value` LP token units of the caller. */
export function approve(
  world: World,
  caller: Address,
  { spender, value }: Calls["pool"]["approve"],
): boolean {
  putAmount(world.liquidityToken.allowances, allowanceKey(caller, spender), value);
  world.emit("pool", "Approval", { owner: caller, spender, amount: value });
  return true;
}

/**
 * Moves LP token units of `from` on behalf of the caller; an allowance of 2^256 - 1 stays.
 *
 * @throws {Revert} InsufficientAllowance, InsufficientBalance
 */
export function transferFrom(
  world: World,
  caller: Address,
  { from, to, value }: Calls["pool"]["transferFrom"],
): boolean {
  const allowed = allowance(world, from, caller);
  if (allowed !== MAX_UINT256) {
    if (value > allowed) revert("InsufficientAllowance");
    putAmount(world.liquidityToken.allowances, allowanceKey(from, caller), allowed - value);
  }
  move(world, from, to, value);
  return true;
}

/** Creates `amount` LP token units for `to`. The supply stays below 2^112, as the reserves do. */
export function mint(world: World, to: Address, amount: bigint): void {
  world.liquidityToken.totalSupply += amount;
  credit(world, to, amount);
  world.emit("pool", "Transfer", { from: ZERO_ADDRESS, to, amount });
}

/**
 * Destroys `amount` LP token units of `from`.
 *
 * @throws {Revert} InsufficientBalance
 */
export function burn(world: World, from: Address, amount: bigint): void {
  debit(world, from, amount);
  world.liquidityToken.totalSupply -= amount;
  world.emit("pool", "Transfer", { from, to: ZERO_ADDRESS, amount });
}

function move(world: World, from: Address, to: Address, amount: bigint): void {
  debit(world, from, amount);
  credit(world, to, amount);
  world.emit("pool", "Transfer", { from, to, amount });
}

function debit(world: World, from: Address, amount: bigint): void {
  const balance = balanceOf(world, from);
  if (amount > balance) revert("InsufficientBalance");
  putAmount(world.liquidityToken.balances, from, balance - amount);
}

function credit(world: World, to: Address, amount: bigint): void {
  putAmount(world.liquidityToken.balances, to, balanceOf(world, to) + amount);
}
