import { ARITHMETIC_PANIC, panic, Revert, revert } from "../math/revert.ts";
import { type Address, type Calls, ZERO_ADDRESS } from "./calls.ts";
import type { JournaledMap } from "./journal.ts";
import type { TokenBook, World } from "./world.ts";

/** The two mock tokens. */
export type TokenName = "base" | "quote";

/** Every ERC-20 of OpenZeppelin's: the mock tokens, and the margin pool for its shares. */
export type Erc20Name = TokenName | "marginPool";

/** Moves `value` units and logs it; ZERO_ADDRESS as `from` mints, as `to` burns. */
export type Update = (
  world: World,
  token: Erc20Name,
  from: Address,
  to: Address,
  value: bigint,
) => void;

const MAX_UINT256 = 2n ** 256n - 1n;

/** Key of an allowance in `TokenState.allowances`. */
export function allowanceKey(owner: Address, spender: Address): string {
  return owner + spender;
}

/** Stores an amount; what is zero is not kept, so that equal states are equal maps. */
export function putAmount(map: JournaledMap<string, bigint>, key: string, amount: bigint): void {
  if (amount === 0n) map.delete(key);
  else map.set(key, amount);
}

function bookOf(world: World, token: Erc20Name): TokenBook {
  return token === "marginPool" ? world.shares : world[token];
}

/** Token units that `account` holds. */
export function balanceOf(world: World, token: Erc20Name, account: Address): bigint {
  return bookOf(world, token).balances.get(account) ?? 0n;
}

/** Token units of `owner` that `spender` may move; 2^256 - 1 stands for any number. */
export function allowance(
  world: World,
  token: Erc20Name,
  owner: Address,
  spender: Address,
): bigint {
  const book = bookOf(world, token);
  return book.allowances.get(book.allowanceKey(owner, spender)) ?? 0n;
}

/**
 * `ERC20._update` as OpenZeppelin wrote it.
 *
 * @throws {Revert} ERC20InsufficientBalance; Panic(0x11) where a mint lifts the supply above 2^256 - 1
 */
export function updateBalances(
  world: World,
  token: Erc20Name,
  from: Address,
  to: Address,
  value: bigint,
): void {
  const book = bookOf(world, token);
  const { balances } = book;
  if (from === ZERO_ADDRESS) {
    if (book.totalSupply + value > MAX_UINT256) panic(ARITHMETIC_PANIC);
    book.totalSupply += value;
  } else {
    const balance = balances.get(from) ?? 0n;
    if (balance < value) revert("ERC20InsufficientBalance", from, balance, value);
    putAmount(balances, from, balance - value);
  }
  if (to === ZERO_ADDRESS) book.totalSupply -= value;
  else putAmount(balances, to, (balances.get(to) ?? 0n) + value);
  world.emit(token, "Transfer", { from, to, value });
}

/**
 * Moves `value` token units of `from`.
 *
 * @param update what the token does instead of `updateBalances`
 * @throws {Revert} ERC20InvalidSender, ERC20InvalidReceiver and what `update` throws
 */
export function transfer(
  world: World,
  token: Erc20Name,
  from: Address,
  to: Address,
  value: bigint,
  update: Update = updateBalances,
): boolean {
  if (from === ZERO_ADDRESS) revert("ERC20InvalidSender", ZERO_ADDRESS);
  if (to === ZERO_ADDRESS) revert("ERC20InvalidReceiver", ZERO_ADDRESS);
  update(world, token, from, to, value);
  return true;
}

/**
 * Lets `spender` move `value` token units of `owner`.
 *
 * @throws {Revert} ERC20InvalidApprover, ERC20InvalidSpender
 */
export function approve(
  world: World,
  token: Erc20Name,
  owner: Address,
  spender: Address,
  value: bigint,
): boolean {
  setAllowance(world, token, owner, spender, value);
  world.emit(token, "Approval", { owner, spender, value });
  return true;
}

/**
 * Moves `value` token units of `from` on behalf of `spender`.
 *
 * @param update what the token does instead of `updateBalances`
 * @throws {Revert} what `spendAllowance` and `transfer` throw
 */
export function transferFrom(
  world: World,
  token: Erc20Name,
  spender: Address,
  from: Address,
  to: Address,
  value: bigint,
  update: Update = updateBalances,
): boolean {
  spendAllowance(world, token, from, spender, value);
  return transfer(world, token, from, to, value, update);
}

/**
 * Takes `value` off an allowance; one of 2^256 - 1 stays. Nothing is logged.
 *
 * @throws {Revert} ERC20InsufficientAllowance, ERC20InvalidApprover, ERC20InvalidSpender
 */
export function spendAllowance(
  world: World,
  token: Erc20Name,
  owner: Address,
  spender: Address,
  value: bigint,
): void {
  const allowed = allowance(world, token, owner, spender);
  if (allowed === MAX_UINT256) return;
  if (allowed < value) revert("ERC20InsufficientAllowance", spender, allowed, value);
  setAllowance(world, token, owner, spender, allowed - value);
}

/**
 * Creates `value` token units for `to`.
 *
 * @param update what the token does instead of `updateBalances`
 * @throws {Revert} ERC20InvalidReceiver and what `update` throws
 */
export function mint(
  world: World,
  token: Erc20Name,
  to: Address,
  value: bigint,
  update: Update = updateBalances,
): void {
  if (to === ZERO_ADDRESS) revert("ERC20InvalidReceiver", ZERO_ADDRESS);
  update(world, token, ZERO_ADDRESS, to, value);
}

/**
 * Destroys `value` token units of `from`.
 *
 * @param update what the token does instead of `updateBalances`
 * @throws {Revert} ERC20InvalidSender and what `update` throws
 */
export function burn(
  world: World,
  token: Erc20Name,
  from: Address,
  value: bigint,
  update: Update = updateBalances,
): void {
  if (from === ZERO_ADDRESS) revert("ERC20InvalidSender", ZERO_ADDRESS);
  update(world, token, from, ZERO_ADDRESS, value);
}

/** `transfer` as solady's SafeTransferLib makes it: whatever the token reverts with becomes TransferFailed. */
export function safeTransfer(
  world: World,
  token: TokenName,
  from: Address,
  to: Address,
  value: bigint,
): void {
  try {
    transfer(world, token, from, to, value);
  } catch (thrown) {
    if (thrown instanceof Revert) revert("TransferFailed");
    throw thrown;
  }
}

/** `transferFrom` as solady's SafeTransferLib makes it: whatever the token reverts with becomes TransferFromFailed. */
export function safeTransferFrom(
  world: World,
  token: TokenName,
  spender: Address,
  from: Address,
  to: Address,
  value: bigint,
): void {
  try {
    transferFrom(world, token, spender, from, to, value);
  } catch (thrown) {
    if (thrown instanceof Revert) revert("TransferFromFailed");
    throw thrown;
  }
}

/** The calls of one mock token: `(world, caller, args)`. */
export function tokenEntryPoints(token: TokenName) {
  return {
    transfer: (world: World, caller: Address, { to, value }: Calls["base"]["transfer"]) =>
      transfer(world, token, caller, to, value),
    approve: (world: World, caller: Address, { spender, value }: Calls["base"]["approve"]) =>
      approve(world, token, caller, spender, value),
    transferFrom: (
      world: World,
      caller: Address,
      { from, to, value }: Calls["base"]["transferFrom"],
    ) => transferFrom(world, token, caller, from, to, value),
    mint: (world: World, _caller: Address, { to, amount }: Calls["base"]["mint"]) =>
      mint(world, token, to, amount),
  };
}

function setAllowance(
  world: World,
  token: Erc20Name,
  owner: Address,
  spender: Address,
  value: bigint,
): void {
  if (owner === ZERO_ADDRESS) revert("ERC20InvalidApprover", ZERO_ADDRESS);
  if (spender === ZERO_ADDRESS) revert("ERC20InvalidSpender", ZERO_ADDRESS);
  const book = bookOf(world, token);
  putAmount(book.allowances, book.allowanceKey(owner, spender), value);
}
