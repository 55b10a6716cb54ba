import * as feeds from "./feeds.ts";
import * as governors from "./governors.ts";
import * as lps from "./lps.ts";
import * as poolUsers from "./poolUsers.ts";
import { EDGES, MAX_UINT256, type Scene, type Script } from "./scene.ts";
import * as traders from "./traders.ts";

const LOCK = 600n;
const DAY = 86_400n;

/** Those whose work is with the vault, and just enough of the others to keep them busy. */
const HABITS = [
  ...[lps.enter, lps.enter, lps.leave, lps.leave, lps.passShares, lps.bootstrap, lps.donate],
  ...[lps.keep, lps.rebalance, lps.rebalance],
  ...[governors.parameters, governors.pauses, governors.roles, governors.asRebalancer],
  ...[traders.open, traders.addMargin, traders.takeMargin, traders.close, traders.claim],
  ...[feeds.tick, feeds.tick, feeds.jump, feeds.fault, poolUsers.arbitrage],
];

/** LPs, owner, guardian and keepers at random, without end. */
export function* vaultLife(scene: Scene): Script {
  for (;;) yield* scene.pick(HABITS)(scene);
}

/** Waits and publishes the price again. */
function* later(scene: Scene, seconds: bigint): Script {
  scene.wait(seconds);
  yield scene.publish(scene.price);
}

/** Every right of an LP, once used and once overdrawn by one unit. */
export function* rightsOfLps(scene: Scene): Script {
  const [lena, luis, sam] = [scene.who("lena"), scene.who("luis"), scene.who("sam")];
  const held = () => scene.state.shares.balances.get(lena) ?? 0n;
  yield scene.margin(lena, "deposit", { assets: scene.quote(10_007), receiver: lena });
  yield scene.margin(lena, "transfer", { to: luis, value: 1n });
  yield* later(scene, LOCK - 1n);
  yield scene.margin(lena, "transfer", { to: luis, value: 1n });
  // A second deposit lengthens the lock by its weight; a third one of dust hardly does.
  yield scene.margin(luis, "mint", { shares: held() / 2n, receiver: lena });
  yield scene.margin(luis, "deposit", { assets: 1n, receiver: lena });
  yield scene.margin(lena, "redeem", { shares: held(), receiver: lena, owner: lena });
  yield* later(scene, LOCK);
  yield scene.margin(lena, "transfer", { to: luis, value: held() / 4n });
  yield scene.margin(lena, "transfer", { to: scene.who("zero"), value: 1n });
  const value = held() / 4n;
  yield scene.margin(lena, "approve", { spender: sam, value });
  yield scene.margin(sam, "transferFrom", { from: lena, to: luis, value: value + 1n });
  yield scene.margin(sam, "transferFrom", { from: lena, to: luis, value: value / 3n });
  yield scene.margin(sam, "redeem", { shares: value, receiver: sam, owner: lena });
  yield scene.margin(sam, "redeem", { shares: value / 3n, receiver: sam, owner: lena });
  yield scene.margin(sam, "withdraw", { assets: scene.quote(100), receiver: luis, owner: lena });
  yield scene.margin(lena, "approve", { spender: sam, value: MAX_UINT256 });
  yield scene.margin(sam, "transferFrom", { from: lena, to: sam, value: 1n });
  yield scene.margin(sam, "withdraw", { assets: scene.quote(100), receiver: sam, owner: lena });
  yield scene.margin(lena, "redeem", {
    shares: held(),
    receiver: scene.who("zero"),
    owner: lena,
  });
  yield scene.margin(lena, "redeem", { shares: held() + 1n, receiver: lena, owner: lena });
  yield scene.margin(lena, "redeem", { shares: held(), receiver: scene.who("pool"), owner: lena });
  yield scene.margin(lena, "deposit", { assets: 1_000n, receiver: scene.who("zero") });
}

/** Owner and guardian: everything they may do, and what they may not do any more. */
export function* rightsOfOwners(scene: Scene): Script {
  const [owner, sue, kate] = [scene.owner(), scene.who("sue"), scene.who("kate")];
  const [takerFeePpm, openInterestLimitBps, initialMarginFloorBps, insuranceShareBps] =
    scene.state.cold.parameters.next;
  const next = { takerFeePpm, openInterestLimitBps, initialMarginFloorBps, insuranceShareBps };
  yield scene.margin(sue, "setParameters", { next });
  for (const fee of [550n, 551n, 600n]) {
    yield scene.margin(owner, "setParameters", { next: { ...next, takerFeePpm: fee } });
    yield* later(scene, DAY - 1n);
    yield scene.margin(owner, "setParameters", { next: { ...next, takerFeePpm: fee } });
    scene.wait(1);
  }
  yield scene.margin(sue, "setGuardian", { next: sue });
  yield scene.margin(owner, "setGuardian", { next: kate });
  yield scene.margin(scene.who("deployer"), "pauseNewRisk", {});
  yield scene.margin(kate, "pauseNewRisk", {});
  yield* later(scene, 60n);
  const lena = scene.who("lena");
  yield scene.margin(lena, "deposit", { assets: scene.quote(1_000), receiver: lena });
  yield scene.margin(owner, "unpauseNewRisk", {});
  yield scene.margin(kate, "unpauseNewRisk", {});
  yield scene.margin(kate, "pauseNewRisk", {});
  yield* later(scene, 10n * DAY);
  yield scene.margin(kate, "pauseNewRisk", {});
  yield scene.margin(sue, "transferOwnership", { newOwner: sue });
  yield scene.margin(owner, "transferOwnership", { newOwner: sue });
  yield scene.margin(kate, "acceptOwnership", {});
  yield scene.margin(sue, "acceptOwnership", {});
  yield scene.margin(owner, "setGuardian", { next: owner });
  yield scene.margin(sue, "transferOwnership", { newOwner: owner });
  yield scene.margin(sue, "transferOwnership", { newOwner: scene.who("zero") });
  yield scene.margin(owner, "acceptOwnership", {});
  yield scene.margin(sue, "renounceOwnership", {});
  yield scene.margin(sue, "renounceOwnership", {});
}

/** Every amount around the widths of words and ledgers, everywhere an amount can be given, then donations of such sizes. */
export function* edges(scene: Scene): Script {
  const lena = scene.who("lena");
  const rebalancer = scene.who("rebalancer");
  for (const edge of [0n, 1n, ...EDGES]) {
    yield scene.margin(lena, "deposit", { assets: edge, receiver: lena });
    yield scene.margin(lena, "mint", { shares: edge, receiver: lena });
    yield scene.margin(lena, "withdraw", { assets: edge, receiver: lena, owner: lena });
    yield scene.margin(lena, "redeem", { shares: edge, receiver: lena, owner: lena });
    yield scene.margin(lena, "bootstrap", { baseAmount: edge, quoteAmount: 1n });
    yield scene.margin(lena, "bootstrap", { baseAmount: 1n, quoteAmount: edge });
    yield scene.margin(lena, "transfer", { to: lena, value: edge });
    yield scene.margin(lena, "depositMargin", { amount: edge });
    yield scene.margin(lena, "withdrawMargin", { amount: edge });
    yield scene.margin(lena, "redeemInKind", { shares: edge, receiver: lena });
    for (const sellBase of [false, true]) {
      const trade = { sellBase, amountBase: edge, quoteLimit: sellBase ? 0n : MAX_UINT256 };
      yield scene.margin(rebalancer, "tradeWithPool", trade);
    }
    yield scene.margin(rebalancer, "cacheBand", {
      outerBandWad: edge,
      depthBaseWad: edge,
      unwindCostPpm: edge % 10_000n,
    });
  }
  // What wraps to less than one unit in 18 decimals.
  const { quoteScale } = scene.state.config;
  const wrapping = 2n ** 256n / quoteScale + 1n;
  for (const assets of [wrapping, wrapping * 3n, 2n ** 200n / quoteScale]) {
    if (assets <= MAX_UINT256) yield scene.margin(lena, "deposit", { assets, receiver: lena });
  }
  const half = 2n ** 255n;
  for (const donated of [2n ** 95n, 2n ** 96n, half - 2n ** 95n - 2n ** 96n, 2n ** 97n]) {
    const to = scene.who("marginPool");
    yield scene.call(lena, "quote", "mint", { to, amount: donated });
    yield scene.margin(scene.keeper(), "skim", {});
    yield scene.margin(scene.keeper(), "sync", {});
  }
}
