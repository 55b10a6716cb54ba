import type { Address } from "../../../src/model/calls.ts";
import { MAX_UINT256, type Scene, type Script } from "./scene.ts";

const shareUnits = (scene: Scene, who: Address): bigint =>
  scene.state.shares.balances.get(who) ?? 0n;

const holder = (scene: Scene): Address => {
  const holders = [...scene.state.shares.balances.keys()].filter((who) =>
    senders(scene).includes(who),
  );
  return holders.length > 0 ? scene.pick(holders) : scene.someone("lps");
};

const senders = (scene: Scene): Address[] =>
  (["lena", "luis", "lola", "alice", "sam", "sue", "deployer"] as const).map((name) =>
    scene.who(name),
  );

/** Quote in, for oneself or somebody else; by assets or by shares. */
export function* enter(scene: Scene): Script {
  scene.pause();
  const who = scene.someone("lps");
  const receiver = scene.chance(0.8) ? who : scene.anywhere();
  const assets = scene.amount(scene.quote(scene.chance(0.8) ? 200_000 : 3_000_000));
  if (scene.chance(0.6)) {
    yield scene.margin(who, "deposit", { assets, receiver });
    if (scene.chance(0.5)) return;
    // what is locked already and what comes now get a common end
    scene.wait(scene.integer(650));
    yield scene.margin(who, "deposit", { assets: scene.part(assets), receiver });
    return;
  }
  const supply = scene.state.shares.totalSupply;
  const equity = scene.equity();
  const worth = equity === 0n ? assets : (assets * supply) / equity;
  const shares = worth > MAX_UINT256 ? MAX_UINT256 : worth;
  yield scene.margin(who, "mint", { shares, receiver });
}

/** Shares out, or what they are worth; all that is unlocked, one more, or a part. */
export function* leave(scene: Scene): Script {
  scene.pause();
  const owner = holder(scene);
  const shares = shareUnits(scene, owner);
  const lock = scene.state.locks.get(owner);
  if (lock !== undefined && lock.unlockAt > scene.at && scene.chance(0.7)) {
    scene.at = lock.unlockAt - BigInt(scene.integer(2));
    yield scene.publish(scene.price);
  }
  const from = scene.chance(0.9) ? owner : scene.someone("lps", "strangers");
  const receiver = scene.chance(0.9) ? from : scene.anywhere();
  if (scene.chance(0.5)) {
    yield scene.margin(from, "redeem", { shares: scene.amount(shares), receiver, owner });
    return;
  }
  const supply = scene.state.shares.totalSupply;
  const worth = supply === 0n ? 0n : (shares * scene.equity()) / supply;
  yield scene.margin(from, "withdraw", { assets: scene.amount(worth), receiver, owner });
}

/** LPs who come twice, try to leave a second too early, then leave in parts as large as they are let. */
export function* comeAndGo(scene: Scene): Script {
  for (const name of ["lena", "luis", "lola"] as const) {
    const who = scene.who(name);
    const assets = scene.quote(40_000 + scene.integer(90_000));
    yield scene.margin(who, "deposit", { assets, receiver: who });
    scene.wait(1 + scene.integer(500));
    yield scene.margin(who, "deposit", { assets: assets / 3n, receiver: who });
    scene.wait(scene.integer(100));
    yield scene.margin(scene.who("lena"), "mint", {
      shares: scene.part(10n ** 12n),
      receiver: who,
    });
    const unlockAt = scene.state.locks.get(who)?.unlockAt ?? 0n;
    const shares = shareUnits(scene, who);
    for (const moment of [unlockAt - 1n, unlockAt]) {
      if (moment < scene.at) continue;
      scene.at = moment;
      yield scene.publish(scene.price);
      yield scene.margin(who, "redeem", { shares: shares / 4n + 1n, receiver: who, owner: who });
    }
    yield scene.margin(who, "withdraw", {
      assets: scene.quote(10n ** 9n),
      receiver: who,
      owner: who,
    });
    yield scene.margin(who, "transfer", { to: scene.someone("strangers"), value: shares / 5n });
  }
}

/** Shares change hands, with and without allowance. */
export function* passShares(scene: Scene): Script {
  scene.pause();
  const owner = holder(scene);
  const value = scene.amount(shareUnits(scene, owner) / 4n);
  const spender = scene.someone("lps", "strangers");
  const kind = scene.integer(3);
  if (kind === 0) {
    yield scene.margin(owner, "transfer", { to: scene.anywhere(), value });
    return;
  }
  if (kind === 1 || scene.chance(0.7)) {
    yield scene.margin(owner, "approve", {
      spender: scene.chance(0.1) ? scene.who("zero") : spender,
      value,
    });
  }
  if (kind === 1) return;
  const used = scene.amount(value);
  if (scene.chance(0.5)) {
    yield scene.margin(spender, "transferFrom", { from: owner, to: scene.anywhere(), value: used });
  } else {
    yield scene.margin(spender, "redeem", { shares: used, receiver: spender, owner });
  }
}

/** First liquidity: refused where there is some, or where it is too little. */
export function* bootstrap(scene: Scene): Script {
  scene.pause();
  const who = scene.someone("lps");
  yield scene.margin(who, "bootstrap", {
    baseAmount: scene.amount(scene.baseFor(scene.quote(5_000))),
    quoteAmount: scene.amount(scene.quote(2_000)),
  });
}

/** Quote that nobody asked for, and its way into the insurance fund. */
export function* donate(scene: Scene): Script {
  scene.pause();
  const from = scene.someone("lps", "traders");
  const token = scene.pick(["base", "quote"] as const);
  const to = scene.who(scene.pick(["marginPool", "pool", "rebalancer"]));
  yield scene.call(from, token, "transfer", { to, value: scene.part(scene.quote(5_000)) });
  if (scene.chance(0.6)) yield scene.margin(scene.keeper(), "skim", {});
}

/** What keepers do for the pool as a whole. */
export function* keep(scene: Scene): Script {
  scene.pause();
  const keeper = scene.keeper();
  if (scene.chance(0.3)) yield scene.publish(scene.price);
  yield scene.pick([
    () => scene.margin(keeper, "sync", {}),
    () => scene.call(keeper, "rebalancer", "poke", {}),
    () => scene.call(keeper, "rebalancer", "rebalance", {}),
    () => scene.call(keeper, "volatilityOracle", "poke", {}),
    () => scene.call(keeper, "volatilityOracle", "sync", {}),
    () => scene.margin(keeper, "autoDeleverage", {}),
    () => scene.margin(keeper, "skim", {}),
    () => scene.margin(keeper, "settle", {}),
    () => scene.margin(keeper, "settleAccount", { account: scene.trader() }),
    () => scene.margin(keeper, "finalizeSettlement", {}),
    () => scene.margin(holder(scene), "redeemInKind", { shares: 1n, receiver: keeper }),
  ])();
}

/** Hedges while it is due: syncs, waits, rebalances in consecutive blocks. */
export function* rebalance(scene: Scene): Script {
  const keeper = scene.keeper();
  yield scene.margin(keeper, "sync", {});
  scene.wait(scene.pick([0, 1, 12, 300, 650]));
  yield scene.publish(scene.price);
  for (let left = 1 + scene.integer(4); left > 0; left -= 1) {
    yield scene.call(keeper, "rebalancer", "rebalance", {});
    if (scene.last?.outcome.ok === false && scene.chance(0.7)) return;
    scene.wait(scene.pick([0, 2, 12]));
  }
}

/** More quote than ledgers have room for, offered in every way; what came in leaves again. */
export function* overflow(scene: Scene): Script {
  const who = scene.who(scene.pick(["frank", "lola"]));
  const most = 2n ** 96n - 1n;
  yield scene.call(who, "quote", "mint", { to: who, amount: 2n ** 98n });
  const offers = [
    () => scene.margin(who, "depositMargin", { amount: most }),
    () => scene.margin(who, "depositMargin", { amount: most - scene.state.hot.accountedQuote }),
    () => scene.margin(who, "depositMargin", { amount: 1n }),
    () => scene.margin(who, "deposit", { assets: scene.pick([most, most / 3n]), receiver: who }),
    () => scene.margin(who, "mint", { shares: 2n ** 127n, receiver: who }),
  ];
  for (const offer of offers) if (scene.chance(0.7)) yield offer();
  const collateral = scene.position(who)?.collateral ?? 0n;
  if (collateral > 0n) yield scene.margin(who, "withdrawMargin", { amount: collateral });
}
