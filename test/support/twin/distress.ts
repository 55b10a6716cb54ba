import { RiskState } from "../../../src/model/state.ts";
import {
  type Biography,
  DAY,
  deleverage,
  drive,
  enter,
  found,
  liquidateAll,
  longs,
  MINUTE,
  pester,
  round,
  shorts,
} from "./chapters.ts";
import { revive } from "./feeds.ts";
import type { Scene, Script } from "./scene.ts";
import { trade } from "./traders.ts";

/** Too many longs, a rising price: deleveragings one after the other, then bankruptcy. */
export const crowdedLongs: Biography = function* (scene) {
  yield* longs(scene);
  yield* drive(scene, 40_000, RiskState.Deleveraging, 30);
  yield* deleverage(scene, 30_000, 6);
  yield* drive(scene, 120_000, RiskState.Settled, 20);
  yield* bury(scene);
};

/** Too many shorts, a falling price, no quote: deleveragings, claims that wait, bankruptcy. */
export const crowdedShorts: Biography = function* (scene) {
  yield* shorts(scene);
  yield* drive(scene, -40_000, RiskState.Deleveraging, 30);
  yield* deleverage(scene, -20_000, 5);
  yield* claims(scene);
  yield* drive(scene, -90_000, RiskState.Settled, 30);
  yield* bury(scene);
};

/** Gains that q cannot pay, and their payment once somebody loses. */
function* claims(scene: Scene): Script {
  for (const who of scene.open().slice(0, 2)) {
    yield* trade(scene, who, -scene.position(who)!.size);
    yield scene.margin(who, "claim", {});
  }
  yield* liquidateAll(scene);
  for (const who of [...scene.state.claims.keys()]) yield scene.margin(who, "claim", {});
}

/** Shorts win while q is short: claims are recorded, paid in part, and paid in full when the price comes back. */
export const unpaidClaims: Biography = function* (scene) {
  yield* shorts(scene);
  yield* round(scene, 5n * MINUTE, -160_000);
  yield* claims(scene);
  yield* round(scene, 5n * MINUTE, 220_000);
  yield* liquidateAll(scene);
  for (const account of scene.open()) yield* trade(scene, account, -scene.position(account)!.size);
  for (const who of [...scene.state.claims.keys()]) yield scene.margin(who, "claim", {});
  const lena = scene.who("lena");
  yield scene.margin(lena, "deposit", { assets: scene.quote(2_000_000), receiver: lena });
  for (const who of [...scene.state.claims.keys()]) yield scene.margin(who, "claim", {});
};

/** A fall that no deleveraging of shorts can make good, while somebody keeps opening new ones. */
export const beyondRepair: Biography = function* (scene) {
  yield* shorts(scene);
  yield* pester(scene);
  yield* round(scene, MINUTE, -630_000);
  yield* round(scene, 10n * MINUTE + 1n, 0);
  for (let turn = 0; turn < 3; turn += 1) {
    for (let call = 0; call < 3; call += 1) {
      yield scene.margin(scene.keeper(), "autoDeleverage", {});
      if (scene.last?.outcome.ok === false) break;
    }
    yield* enter(scene, "erin", 30_003, -30_001);
    yield* pester(scene);
  }
};

/** A day in ReduceOnly ends in a deleveraging that goes further than others. */
export const overdue: Biography = function* (scene) {
  yield* longs(scene);
  yield* drive(scene, 12_000, RiskState.ReduceOnly, 60);
  const who = scene.who("carol");
  yield* trade(scene, who, scene.baseFor(scene.quote(20_000)));
  yield* trade(scene, scene.who("erin"), scene.baseFor(scene.quote(20_000)));
  for (let turn = 0; turn < 31 && scene.state.hot.ratioState === RiskState.ReduceOnly; turn += 1) {
    yield* round(scene, 3_000n, scene.integer(401) - 200);
  }
  yield* deleverage(scene, 0, 3);
  for (let turn = 0; turn < 4; turn += 1) yield* round(scene, 1_900n, -20_000);
};

/** Losses beyond margin, until insurance has paid what it may. */
export const badDebts: Biography = function* (scene) {
  yield* found(scene, 5_000_017, 5_000_021);
  for (let turn = 0; turn < 3; turn += 1) {
    const names = ["alice", "bob", "carol", "dave"] as const;
    for (const name of names) {
      const side = name === "carol" ? -1 : 1;
      yield* enter(scene, name, 30_011, side * (220_013 + scene.integer(150_000)));
    }
    yield* round(scene, MINUTE, -150_000 - scene.integer(100_000));
    yield* liquidateAll(scene);
    yield* round(scene, 2n * MINUTE, 180_000);
    yield* liquidateAll(scene);
    yield* revive(scene);
  }
};

/** Nobody publishes: the report, a day of waiting, the end; with settlements in time and late ones. */
export const deadFeed: Biography = function* (scene) {
  yield* found(scene, 4_000_017, 5_000_021);
  yield* enter(scene, "alice", 90_013, 300_017);
  yield* enter(scene, "bob", 90_011, -310_017);
  yield* enter(scene, "carol", 40_011, 250_017);
  yield scene.margin(scene.who("carol"), "requestOrder", {
    sizeDelta: -scene.baseFor(scene.quote(1_000)),
    acceptablePriceWad: 0n,
    expiresAt: scene.at + 300n,
  });
  yield* round(scene, MINUTE, scene.integer(160_001) - 80_000);
  const keeper = scene.keeper();
  yield scene.margin(keeper, "settle", {});
  scene.wait(scene.state.config.maximumAgeSeconds + 1n);
  yield scene.margin(keeper, "settle", {});
  const { hasSequencer } = scene.state.config;
  if (hasSequencer) yield scene.call(keeper, "sequencerFeed", "setPrice", { answer: 1n });
  if (scene.chance(0.3)) {
    // alive for a moment: the clock starts again
    yield scene.publish(scene.price);
    yield scene.margin(keeper, "sync", {});
    scene.wait(scene.state.config.maximumAgeSeconds + 1n);
    yield scene.margin(keeper, "settle", {});
  }
  scene.wait(DAY);
  yield scene.margin(keeper, "settle", {});
  if (hasSequencer) {
    yield scene.call(keeper, "sequencerFeed", "setPrice", { answer: 0n });
    scene.wait(scene.state.config.sequencerGraceSeconds + DAY - 1n);
    yield scene.margin(keeper, "settle", {});
    scene.wait(1n);
    yield scene.margin(keeper, "settle", {});
  }
  yield* bury(scene);
};

/** A settled pool to its end: some accounts in time, some late, everybody paid. */
export function* bury(scene: Scene): Script {
  if (!scene.isSettled) return;
  const keeper = scene.keeper();
  const accounts = scene.open();
  const late = scene.integer(3);
  yield scene.margin(keeper, "finalizeSettlement", {});
  for (const account of late === 0 ? accounts : accounts.slice(late)) {
    yield scene.margin(keeper, "settleAccount", { account });
  }
  yield scene.margin(keeper, "settleAccount", { account: keeper });
  yield scene.margin(scene.trader(), "claim", {});
  yield scene.margin(scene.who("lena"), "redeemInKind", { shares: 1_000n, receiver: keeper });
  const endsAt = scene.state.cold.settlement.settledAt + 7n * DAY;
  if (late !== 0) {
    scene.at = endsAt - 1n > scene.at ? endsAt - 1n : scene.at;
    yield scene.margin(keeper, "finalizeSettlement", {});
    scene.wait(1);
  }
  yield scene.margin(keeper, "finalizeSettlement", {});
  yield scene.margin(keeper, "finalizeSettlement", {});
  for (const account of scene.open()) {
    yield scene.margin(keeper, "settleAccount", { account });
    if (scene.last?.outcome.ok === false && scene.chance(0.5)) {
      yield scene.margin(account, "settleAccount", { account });
    }
  }
  for (const account of scene.open()) yield scene.margin(account, "settleAccount", { account });
  for (const who of [...scene.state.claims.keys(), ...scene.state.credits.keys()]) {
    yield scene.margin(scene.able(who), "claim", {});
  }
  for (const [who, { collateral }] of scene.state.positions) {
    if (collateral > 0n)
      yield scene.margin(scene.able(who), "withdrawMargin", { amount: collateral });
  }
  const { unlockAt } = scene.state.locks.get(scene.who("lena")) ?? { unlockAt: 0n };
  if (unlockAt > scene.at) scene.at = unlockAt;
  for (const [who, shares] of scene.state.shares.balances) {
    const part = scene.chance(0.3) ? shares / 3n + 1n : shares;
    yield scene.margin(scene.able(who), "redeemInKind", { shares: part, receiver: who });
  }
}
