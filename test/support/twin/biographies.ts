import { RiskState } from "../../../src/model/state.ts";
import { type Biography, DAY, drive, enter, found, longs, MINUTE, round } from "./chapters.ts";
import * as distress from "./distress.ts";
import { calm } from "./feeds.ts";
import * as governors from "./governors.ts";
import * as lps from "./lps.ts";
import * as poolUsers from "./poolUsers.ts";
import { FAR } from "./scene.ts";
import { execute, trade } from "./traders.ts";

/** The exposure leaves the band again and again: chunks, depth that goes and comes, the protocol's fee on. */
export const hedging: Biography = function* (scene) {
  const { feeToSetter } = scene.state.factory;
  yield scene.call(scene.able(feeToSetter), "factory", "setFeeTo", { newFeeTo: scene.who("sam") });
  for (let turn = 0; turn < 3; turn += 1) {
    yield* enter(
      scene,
      scene.pick(["alice", "bob", "carol"]),
      400_013,
      (scene.chance(0.5) ? 1 : -1) * 900_017,
      2,
    );
    yield* poolUsers.arbitrage(scene);
    yield scene.margin(scene.keeper(), "sync", {});
    yield* calm(scene, 12n);
    for (let chunk = 0; chunk < 6; chunk += 1) {
      yield scene.call(scene.keeper(), "rebalancer", "rebalance", {});
      if (scene.last?.outcome.ok === false) break;
      if (scene.chance(0.3)) yield scene.call(scene.keeper(), "rebalancer", "rebalance", {});
      scene.wait(12);
      if (scene.chance(0.4)) yield* poolUsers.arbitrage(scene);
    }
    yield* poolUsers.swap(scene);
    yield* calm(scene, 700n);
    yield scene.call(scene.keeper(), "rebalancer", "rebalance", {});
    yield* poolUsers.addLiquidity(scene);
  }
  yield* poolUsers.removeLiquidity(scene);
};

/** Parameters on their way for days, a pause, and owners who come and go, while traders trade. */
export const governance: Biography = function* (scene) {
  yield* found(scene, 5_000_017, 5_000_021);
  for (let turn = 0; turn < 5; turn += 1) {
    yield* governors.parameters(scene);
    yield* calm(scene, 7_200n, 3_600n);
    yield* enter(
      scene,
      scene.pick(["alice", "bob", "erin"]),
      20_011,
      scene.chance(0.5) ? 60_017 : -60_017,
    );
    yield* governors.pauses(scene);
    yield* governors.roles(scene);
  }
  scene.wait(3n * DAY);
  yield scene.publish(scene.price);
  yield* governors.pauses(scene);
  scene.wait(8n * DAY);
  yield scene.publish(scene.price);
  yield* governors.pauses(scene);
  if (scene.chance(0.5)) {
    yield scene.margin(scene.owner(), "renounceOwnership", {});
    yield* governors.parameters(scene);
  }
};

/** The edges of words: amounts that no ledger or reserve has room for, and feeds that ran out of ids. */
export const edges: Biography = function* (scene) {
  yield* found(scene, 4_000_017, 5_000_021);
  yield* enter(scene, "alice", 40_013, 90_017);
  yield* lps.overflow(scene);
  yield* poolUsers.flood(scene);
  const sam = scene.who("sam");
  yield scene.call(sam, "quote", "mint", { to: scene.who("marginPool"), amount: 2n ** 96n });
  yield scene.margin(sam, "skim", {});
  const last = 2n ** 80n - 1n;
  for (const feed of ["feed", "sequencerFeed"] as const) {
    if (feed === "sequencerFeed" && !scene.state.config.hasSequencer) continue;
    scene.wait(70);
    yield scene.call(sam, feed, "setRound", {
      roundId: last,
      answer: feed === "feed" ? scene.price / scene.state.config.feedScale : 0n,
      startedAt: scene.at - 4_000n,
      updatedAt: scene.at,
      answeredInRound: last,
    });
    yield scene.call(sam, feed, "setPrice", { answer: 1n });
  }
  yield scene.margin(sam, "sync", {});
};

/** The constant-product pool from nothing: strangers' dust, a first deposit too small, then all there is to do with it. */
export const emptyPool: Biography = function* (scene) {
  const paul = scene.who("paul");
  const pool = scene.who("pool");
  const add = (amount0Desired: bigint, amount1Desired: bigint) =>
    scene.call(paul, "pool", "addLiquidity", {
      amount0Desired,
      amount1Desired,
      amount0Min: 0n,
      amount1Min: 0n,
      to: paul,
      deadline: FAR,
    });
  if (scene.state.liquidityToken.totalSupply === 0n) {
    yield* poolUsers.swap(scene);
    yield scene.call(paul, "base", "transfer", { to: pool, value: 1n });
    yield scene.call(paul, "quote", "transfer", { to: pool, value: 1_000n });
    yield scene.call(paul, "pool", "sync", {});
    yield add(1_000n, 1_000n);
    const [base, quote] = [scene.baseFor(scene.quote(900_011)), scene.quote(900_011)];
    yield scene.state.config.baseIsToken0 ? add(base, quote) : add(quote, base);
  }
  for (let turn = 0; turn < 6; turn += 1) {
    yield* scene.pick([
      poolUsers.swap,
      poolUsers.prefunded,
      poolUsers.addLiquidity,
      poolUsers.removeLiquidity,
      poolUsers.flood,
      governors.protocolFee,
    ])(scene);
    yield scene.call(scene.keeper(), "rebalancer", "poke", {});
    yield* calm(scene, 1_900n);
  }
  const held = scene.state.liquidityToken.balances.get(paul) ?? 0n;
  yield scene.call(paul, "pool", "removeLiquidity", {
    liquidity: held,
    amount0Min: 0n,
    amount1Min: 0n,
    to: paul,
    deadline: FAR,
  });
};

/** The state gets worse and recovers, to the second; LPs come and go in between. */
export const recovery: Biography = function* (scene) {
  yield* longs(scene);
  for (let turn = 0; turn < 3; turn += 1) {
    yield* drive(scene, 20_000, RiskState.Guarded, 20);
    for (let left = 8; left > 0 && scene.state.hot.recoverySince === 0n; left -= 1) {
      yield* round(scene, MINUTE, -20_000);
    }
    const { recoverySince } = scene.state.hot;
    for (const moment of [recoverySince + 1_799n, recoverySince + 1_800n]) {
      if (recoverySince === 0n || moment < scene.at) continue;
      scene.at = moment;
      yield scene.publish(scene.price);
      yield scene.margin(scene.keeper(), "sync", {});
    }
    yield* lps.comeAndGo(scene);
  }
};

/** Orders of every kind: expired, canceled, failed, filled in parts, requeued. */
export const orders: Biography = function* (scene) {
  yield* found(scene, 4_500_017, 5_500_021);
  for (const name of ["alice", "bob", "carol", "dave", "erin"] as const) {
    const who = scene.who(name);
    yield scene.margin(who, "depositMargin", { amount: scene.quote(600_011) });
    // more than the speed limit lets through: it fills in parts
    const size = scene.baseFor(scene.quote(1_500_000 + scene.integer(800_000)));
    yield* trade(scene, who, scene.chance(0.5) ? size : -size);
    for (let part = 0; part < 2; part += 1) {
      scene.wait(120 + scene.integer(240));
      yield scene.publish(scene.moved(scene.integer(2_001) - 1_000));
      yield* execute(scene, who);
    }
    if (scene.state.orders.get(who) !== undefined && scene.chance(0.5)) {
      yield scene.margin(who, "cancelOrder", {});
      scene.wait(601);
      yield scene.publish(scene.price);
      yield scene.margin(scene.chance(0.5) ? who : scene.keeper(), "executeOrder", {
        account: who,
      });
    }
  }
  for (const who of scene.open()) {
    const { size } = scene.position(who)!;
    yield* trade(scene, who, -size / 2n);
    yield* trade(scene, who, -2n * size);
  }
};

/** By name, with whether it wants pools without liquidity. */
export const BIOGRAPHIES: Readonly<
  Record<string, { readonly alone: boolean; readonly play: Biography }>
> = {
  crowdedLongs: { alone: true, play: distress.crowdedLongs },
  crowdedShorts: { alone: true, play: distress.crowdedShorts },
  unpaidClaims: { alone: true, play: distress.unpaidClaims },
  beyondRepair: { alone: true, play: distress.beyondRepair },
  overdue: { alone: true, play: distress.overdue },
  emptyPool: { alone: true, play: emptyPool },
  badDebts: { alone: false, play: distress.badDebts },
  deadFeed: { alone: false, play: distress.deadFeed },
  hedging: { alone: false, play: hedging },
  governance: { alone: false, play: governance },
  orders: { alone: false, play: orders },
  recovery: { alone: true, play: recovery },
  edges: { alone: false, play: edges },
};
