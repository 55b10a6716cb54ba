import type { Action, Address } from "../../../src/model/calls.ts";
import { moveAgainst } from "./feeds.ts";
import { EDGES, MAX_UINT256, type Scene, type Script } from "./scene.ts";

const EXECUTION_DELAY = 4;
const LIFETIME = 600n;

/** Margin in. */
export function* addMargin(scene: Scene): Script {
  scene.pause();
  yield scene.margin(scene.trader(), "depositMargin", {
    amount: scene.amount(scene.quote(150_000)),
  });
}

/** Margin out: a part, all, or one too many. */
export function* takeMargin(scene: Scene): Script {
  scene.pause();
  const who = scene.trader();
  const collateral = scene.position(who)?.collateral ?? 0n;
  yield scene.margin(who, "withdrawMargin", { amount: scene.amount(collateral) });
}

/** A queued order at any price, filled on the next round. Size in base units, signed. */
export function* trade(
  scene: Scene,
  who: Address,
  sizeDelta: bigint,
  acceptablePriceWad = sizeDelta > 0n ? MAX_UINT256 : 0n,
): Script {
  yield scene.margin(who, "requestOrder", {
    sizeDelta,
    acceptablePriceWad,
    expiresAt: scene.at + LIFETIME - 5n,
  });
  if (scene.last?.outcome.ok === false) return;
  scene.wait(EXECUTION_DELAY + scene.integer(9));
  yield scene.publish(scene.price);
  yield* execute(scene, who);
}

/** Executes an order; where it failed at a limit that says so, tries once more exactly there. */
export function* execute(scene: Scene, who: Address): Script {
  yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  const outcome = scene.last?.outcome;
  if (outcome?.ok === false && outcome.error.name === "MarginPool_VolatilityBehind") {
    yield scene.call(scene.keeper(), "volatilityOracle", "poke", {});
    yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  }
}

/** Opens, turns or grows a position with a leverage between nothing and too much. */
export function* open(scene: Scene): Script {
  scene.pause();
  const who = scene.trader();
  const collateral = scene.position(who)?.collateral ?? 0n;
  if (collateral < scene.quote(100)) {
    const amount = scene.quote(1_000 + scene.integer(200_000));
    yield scene.margin(who, "depositMargin", { amount });
  }
  const margin = scene.position(who)?.collateral ?? 0n;
  const leverage = BigInt(scene.pick([5, 20, 40, 60, 90, 250]) + scene.integer(10));
  const size = scene.baseFor((margin * leverage) / 10n) + BigInt(scene.integer(1_000));
  const signed = scene.chance(0.5) ? size : -size;
  const price = scene.moved(scene.integer(8_001) - 4_000);
  yield* trade(scene, who, signed, scene.chance(0.25) ? price : undefined);
  yield* atLimit(scene, who, signed);
}

/** The same order once more, with the size that a failed one was told to be the largest. */
function* atLimit(scene: Scene, who: Address, size: bigint): Script {
  const outcome = scene.last?.outcome;
  const failed =
    outcome?.ok === true ? outcome.events.find((e) => e.name === "OrderFailed") : undefined;
  if (failed === undefined) return;
  const { name, args } = failed.args.reason as { name: string; args: readonly bigint[] };
  const [first = 0n, second = 0n, third = 0n] = args;
  if (name === "MarginPool_SkewNotAffordable") {
    yield* trade(scene, who, size + (size > 0n ? third : second) - first);
  } else if (name === "MarginPool_OpenInterestLimit") {
    const over = first - second;
    yield* trade(scene, who, size > 0n ? size - over : size + over);
  } else if (name === "MarginPool_PriceNotAcceptable") {
    yield* trade(scene, who, size, first);
  } else if (name === "MarginPool_InsufficientMargin" && third - second > 0n) {
    yield scene.margin(who, "depositMargin", { amount: third - second });
    yield* trade(scene, who, size);
  }
}

/** Closes a position, or a part of it, or more than it. */
export function* close(scene: Scene): Script {
  const accounts = scene.open();
  if (accounts.length === 0) return yield* open(scene);
  scene.pause();
  const who = scene.pick(accounts);
  const { size } = scene.position(who)!;
  const part = scene.pick([1_000, 1_000, 300 + scene.integer(700), 1_001 + scene.integer(900), 1]);
  yield* trade(scene, who, -(size * BigInt(part)) / 1_000n);
}

/** Requests that are refused, or nearly. */
export function* oddRequest(scene: Scene): Script {
  scene.pause();
  const who = scene.someone("traders", "strangers");
  const half = 2n ** 255n;
  const edge = scene.pick(EDGES.filter((value) => value < half));
  const sizeDelta = scene.pick([
    0n,
    1n,
    -1n,
    edge,
    -edge,
    -half,
    scene.baseFor(scene.quote(5_000)),
  ]);
  const life = scene.pick([0n, 3n, 4n, 600n, 601n, 300n]);
  yield scene.margin(who, "requestOrder", {
    sizeDelta,
    acceptablePriceWad: scene.pick([0n, scene.price, 2n ** 128n, MAX_UINT256]),
    expiresAt: scene.at + life,
  });
}

/** Executes somebody's order, whether its time has come or not. */
export function* executeAny(scene: Scene): Script {
  scene.pause();
  const waiting = scene.waiting();
  const who = waiting.length === 0 || scene.chance(0.05) ? scene.trader() : scene.pick(waiting);
  if (scene.chance(0.7)) {
    scene.wait(scene.integer(7));
    yield scene.publish(scene.moved(scene.integer(4_001) - 2_000));
  }
  yield* execute(scene, who);
}

/** Cancels at once, too late to, or after expiry; or lets a keeper find the order expired. */
export function* cancel(scene: Scene): Script {
  const waiting = scene.waiting();
  if (waiting.length === 0) {
    yield scene.margin(scene.trader(), "cancelOrder", {});
    return;
  }
  const who = scene.pick(waiting);
  const { requestedAt, expiresAt } = scene.state.orders.get(who)!;
  const moment = scene.pick([
    scene.at,
    requestedAt + 3n,
    requestedAt + 4n,
    expiresAt,
    expiresAt + 1n,
  ]);
  if (moment > scene.at) scene.at = moment;
  if (scene.chance(0.4) && scene.at > expiresAt) {
    yield scene.publish(scene.price);
    yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  } else yield scene.margin(who, "cancelOrder", {});
}

/** Moves the price against an account to somewhere around its maintenance margin, then liquidates it. */
export function* squeeze(scene: Scene): Script {
  const accounts = scene.open();
  if (accounts.length === 0) return yield* open(scene);
  const who = scene.pick(accounts);
  const { size, collateral, entryNotional } = scene.position(who)!;
  if (size === 0n) return;
  const value = scene.worth(size < 0n ? -size : size);
  const profit = size > 0n ? value - entryNotional : entryNotional - value;
  // what is left in the end: from bankrupt to just above the maintenance margin of a few percent
  const left = (value * BigInt(scene.integer(90) - 25)) / 1_000n;
  const move = moveAgainst(scene, size, collateral + profit - left);
  const most = (scene.price * 2n) / 5n;
  const next = scene.price - (move > most ? most : move < -most ? -most : move);
  scene.wait(5 + scene.integer(700));
  yield scene.publish(next > 0n ? next : scene.price);
  if (scene.chance(0.4)) yield scene.call(scene.keeper(), "volatilityOracle", "poke", {});
  yield scene.margin(scene.keeper(), "liquidate", { account: who });
  if (scene.chance(0.3)) yield scene.margin(scene.trader(), "liquidate", { account: who });
}

/** Tries to liquidate anybody. */
export function* liquidateAny(scene: Scene): Script {
  scene.pause();
  const accounts = scene.open();
  const account =
    accounts.length > 0 && scene.chance(0.9) ? scene.pick(accounts) : scene.anywhere();
  yield scene.margin(scene.keeper(), "liquidate", { account });
}

/** Opens and is liquidated in one block: not allowed. */
export function* sameBlock(scene: Scene): Script {
  const who = scene.trader();
  yield scene.margin(who, "depositMargin", { amount: scene.quote(5_000) });
  yield* trade(scene, who, scene.baseFor(scene.quote(20_000)));
  yield scene.margin(scene.keeper(), "liquidate", { account: who });
}

/** Executes on the round of the request, on one that came too soon after it, then on one late enough. */
export function* tooEarly(scene: Scene): Script {
  const who = scene.trader();
  yield scene.margin(who, "depositMargin", { amount: scene.quote(4_000) });
  yield scene.publish(scene.price);
  yield scene.margin(who, "requestOrder", {
    sizeDelta: scene.baseFor(scene.quote(7_000)),
    acceptablePriceWad: MAX_UINT256,
    expiresAt: scene.at + 500n,
  });
  yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  scene.wait(3);
  yield scene.publish(scene.price);
  yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  scene.wait(1);
  yield scene.publish(scene.price);
  yield* execute(scene, who);
}

/** Wants to close, but is liquidated before the order is executed. */
export function* overtaken(scene: Scene): Script {
  const accounts = scene.open();
  if (accounts.length === 0) return yield* open(scene);
  const who = scene.pick(accounts);
  const { size, collateral, entryNotional } = scene.position(who)!;
  yield scene.margin(who, "requestOrder", {
    sizeDelta: -size,
    acceptablePriceWad: size < 0n ? MAX_UINT256 : 0n,
    expiresAt: scene.at + 590n,
  });
  const value = scene.worth(size < 0n ? -size : size);
  const profit = size > 0n ? value - entryNotional : entryNotional - value;
  const move = moveAgainst(scene, size, collateral + profit - value / 500n);
  const next = scene.price - move;
  scene.wait(EXECUTION_DELAY + 1);
  if (next > scene.price / 2n && next < scene.price * 2n) yield scene.publish(next);
  yield scene.margin(scene.keeper(), "liquidate", { account: who });
  yield* execute(scene, who);
}

/** Everybody who is owed something, and somebody who is not. */
export function* claim(scene: Scene): Script {
  scene.pause();
  const owed = [...scene.state.claims.keys(), ...scene.state.credits.keys()];
  const who =
    owed.length > 0 && scene.chance(0.8) ? scene.pick(owed) : scene.someone("strangers", "traders");
  yield scene.margin(who, "claim", {});
}

/** The reaction that an error with numbers suggests: the same call exactly at the limit, or one beyond. */
export function retry(scene: Scene): Action | undefined {
  const { last } = scene;
  if (last === undefined || last.outcome.ok) return undefined;
  const { action } = last;
  const { name, args } = last.outcome.error;
  const numbers = args.map((value) => (typeof value === "bigint" ? value : 0n));
  const [first = 0n, second = 0n, third = 0n] = numbers;
  const off = scene.pick([0n, 0n, 1n]);
  const again = (changes: Readonly<Record<string, unknown>>) => scene.again(action, changes);
  const later = (at: bigint): Action | undefined => {
    // one second early, then in time
    const moment = at - off;
    if (moment < scene.at) return undefined;
    scene.at = moment;
    return again({});
  };
  const amountName = ["amount", "assets", "shares", "value", "liquidity"].find(
    (key) => key in action.args,
  );
  switch (name) {
    case "ERC4626ExceededMaxWithdraw":
      return action.method === "withdraw"
        ? again({ assets: third + off })
        : again({
            shares: (BigInt(numberOf(action, "shares")) * third) / (second === 0n ? 1n : second),
          });
    case "MarginPool_InsufficientFreeMargin":
      return action.method === "withdrawMargin" ? again({ amount: third + off }) : undefined;
    case "MarginPool_SharesLocked":
      return scene.chance(0.5) && amountName !== undefined && amountName !== "assets"
        ? again({ [amountName]: third + off })
        : later(numbers[3] ?? 0n);
    case "ERC20InsufficientBalance":
    case "ERC20InsufficientAllowance":
      return amountName === undefined ? undefined : again({ [amountName]: second + off });
    case "MarginPool_ParametersTooSoon":
    case "MarginPool_PauseTooSoon":
      return later(second);
    case "MarginPool_FeedNotDead":
      return later(second);
    case "MarginPool_SettlementRunning":
      return later(first);
    case "MarginPool_OrderNotCancelable":
      return later(third + 1n);
    case "MarginPool_ExpiryOutOfBounds":
      return again({ expiresAt: scene.pick([second, second - 1n, third, third + 1n]) });
    case "ConstantProductPool_OutputBelowMinimum":
      return again({ minAmountOut: first + off });
    case "ConstantProductPool_InputAboveMaximum":
      return again({ maxAmountIn: first - off });
    case "ConstantProductMath_OutputExceedsReserve":
      return again({ amountOut: second - 1n + off });
    case "MarginPool_LateGainNotCovered":
      return { ...action, at: scene.at, from: scene.able(String(args[0])) };
    case "MarginPool_InventoryShort":
      return "amountBase" in action.args ? again({ amountBase: first + off }) : undefined;
    default:
      return undefined;
  }
}

function numberOf(action: Action, key: string): bigint {
  return (action.args as unknown as Record<string, bigint>)[key] ?? 0n;
}
