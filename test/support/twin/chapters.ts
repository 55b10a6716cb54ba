import type { Action, Address } from "../../../src/model/calls.ts";
import type { RiskState } from "../../../src/model/state.ts";
import { calm } from "./feeds.ts";
import type { Name, Scene, Script } from "./scene.ts";
import { trade } from "./traders.ts";

export const MINUTE = 60n;
export const DAY = 86_400n;

/** What a whole run is about; chance fills the gaps. */
export type Biography = (scene: Scene) => Script;

/** Margin, then a position of so much notional (whole quote, signed) in parts that the speed limit lets through. */
export function* enter(
  scene: Scene,
  name: Name,
  margin: number,
  notional: number,
  parts = 1,
): Script {
  const who = scene.who(name);
  yield scene.margin(who, "depositMargin", { amount: scene.quote(margin) });
  for (let part = 0; part < parts; part += 1) {
    yield* trade(scene, who, scene.baseFor(scene.quote(Math.trunc(notional / parts))));
    yield* calm(scene, 11n * MINUTE);
  }
}

/** First liquidity of the margin pool from nothing: refused, too little, then as much as it says (whole quote). */
export function* found(scene: Scene, baseValue: number, quoteValue: number): Script {
  const lena = scene.who("lena");
  if (scene.state.shares.totalSupply !== 0n) return;
  yield scene.margin(lena, "deposit", { assets: scene.quote(1_000), receiver: lena });
  yield scene.margin(lena, "bootstrap", { baseAmount: 0n, quoteAmount: scene.quote(999) });
  yield scene.margin(lena, "bootstrap", {
    baseAmount: scene.baseFor(scene.quote(baseValue)),
    quoteAmount: scene.quote(quoteValue),
  });
}

/** A new round and a sync on it. */
export function* round(scene: Scene, seconds: bigint, ppm: number): Script {
  scene.wait(seconds);
  yield scene.publish(scene.moved(ppm));
  yield scene.margin(scene.keeper(), "sync", {});
}

export function* liquidateAll(scene: Scene): Script {
  for (const account of scene.open()) {
    yield scene.margin(scene.keeper(), "liquidate", { account });
  }
}

/** The price goes on in steps of `ppm` until the state is reached, at most so many times. */
export function* drive(scene: Scene, ppm: number, state: RiskState, most: number): Script {
  for (let turn = 0; turn < most && scene.state.hot.ratioState < state; turn += 1) {
    yield* round(scene, 10n * MINUTE + 1n, ppm);
    if (scene.chance(0.4)) yield* pester(scene);
  }
}

/** What somebody might try while a pool is in trouble. */
export function* pester(scene: Scene): Script {
  const keeper = scene.keeper();
  const accounts = scene.open();
  const lp = scene.someone("lps");
  const who = accounts.length > 0 ? scene.pick(accounts) : scene.trader();
  const collateral = scene.position(who)?.collateral ?? 0n;
  yield* scene.pick([
    () =>
      one(
        scene.margin(who, "withdrawMargin", { amount: collateral / BigInt(2 + scene.integer(20)) }),
      ),
    () => one(scene.margin(who, "withdrawMargin", { amount: 1n })),
    () => one(scene.margin(who, "withdrawMargin", { amount: beyondHalf(scene, who) })),
    () => one(scene.margin(lp, "deposit", { assets: scene.quote(10_000), receiver: lp })),
    () => one(scene.margin(lp, "redeem", { shares: 1_000_000n, receiver: lp, owner: lp })),
    () => one(scene.call(keeper, "rebalancer", "rebalance", {})),
    () => one(scene.margin(keeper, "autoDeleverage", {})),
    () => trade(scene, scene.who("erin"), scene.baseFor(scene.quote(scene.integer(4_000) - 2_000))),
    () =>
      trade(scene, scene.who("carol"), scene.baseFor(scene.quote(scene.integer(40_000) - 20_000))),
  ])();
}

/** Margin beyond 53 % of the entry notional: some of it counts for the pool's solvency. */
function beyondHalf(scene: Scene, who: Address): bigint {
  const { collateral, entryNotional } = scene.position(who) ?? {
    collateral: 0n,
    entryNotional: 0n,
  };
  return collateral - (entryNotional * 53n) / 100n;
}

function* one(action: Action): Script {
  yield action;
}

/** Deleverages while that is possible, the price going on in between. */
export function* deleverage(scene: Scene, ppm: number, turns: number): Script {
  for (let turn = 0; turn < turns && !scene.isSettled; turn += 1) {
    yield scene.margin(scene.keeper(), "autoDeleverage", {});
    if (scene.chance(0.3)) yield scene.margin(scene.keeper(), "autoDeleverage", {});
    // accounts with a checkpoint between them and now
    const accounts = scene.open();
    if (accounts.length > 0 && scene.chance(0.5)) {
      const who = scene.pick(accounts);
      yield scene.pick([
        () => scene.margin(who, "depositMargin", { amount: scene.quote(1 + scene.integer(5_000)) }),
        () => scene.margin(who, "withdrawMargin", { amount: scene.quote(1) }),
        () => scene.margin(scene.keeper(), "liquidate", { account: who }),
      ])();
    }
    if (scene.chance(0.4)) yield* reprieve(scene, -4 * ppm);
    yield* round(scene, 10n * MINUTE + BigInt(scene.integer(300)), ppm);
  }
}

/** The price comes back, and the first who notices is somebody's order that fails, or one that is asked for. */
export function* reprieve(scene: Scene, ppm: number): Script {
  const accounts = scene.open();
  if (accounts.length === 0) return;
  const who = scene.pick(accounts);
  const { size } = scene.position(who)!;
  const order = () =>
    scene.margin(who, "requestOrder", {
      sizeDelta: -size / 2n,
      acceptablePriceWad: size < 0n ? 0n : 2n ** 127n,
      expiresAt: scene.at + 500n,
    });
  const first = scene.chance(0.5);
  if (first) yield order();
  scene.wait(5);
  yield scene.publish(scene.moved(ppm));
  if (first) yield scene.margin(scene.keeper(), "executeOrder", { account: who });
  else yield order();
}

/** Three longs of 57 % of equity together, one short, almost no base: worse as the price rises. */
export const longs = function* (scene: Scene): Script {
  yield* found(scene, 101_303, 9_936_108);
  yield* enter(scene, "alice", 1_600_003, 2_900_017, 3);
  yield* enter(scene, "bob", 2_600_007, 2_200_011, 3);
  yield* enter(scene, "dave", 190_013, 600_071);
  yield* enter(scene, "carol", 1_500_011, -400_013);
};

/** All inventory in base and three shorts, little quote to pay them with: worse as the price falls. */
export const shorts = function* (scene: Scene): Script {
  yield* found(scene, 9_703_303, 304_108);
  yield* enter(scene, "alice", 1_300_003, -2_100_017, 3);
  yield* enter(scene, "bob", 900_007, -1_400_011, 2);
  yield* enter(scene, "dave", 170_013, -600_071);
  yield* enter(scene, "carol", 300_011, 200_013);
};
