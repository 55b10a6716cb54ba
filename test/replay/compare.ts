import type { EthereumProvider } from "hardhat/types/providers";
import type {
  MarginPool,
  MockERC20,
  Rebalancer,
  VolatilityOracle,
} from "../../typechain-types/index.ts";
import type { EventReplay } from "../support/eventReplay.ts";
import { accountOf, equityOf, load, marginAt, profitAt } from "./accounts.ts";
import { finish, open } from "./clock.ts";
import { timeOf } from "./logs.ts";
import { abs, ceilDiv, floorDiv, max, WAD } from "./numbers.ts";
import {
  equityAskIn,
  initialRatio,
  maintenanceRatioNow,
  priceBand,
  solvencyOf,
} from "./solvency.ts";
import { copyOf, parametersAt, type State, skewOf } from "./state.ts";

/** The contracts whose views the replay is held against. */
export interface Viewed {
  readonly marginPool: MarginPool;
  readonly rebalancer: Rebalancer;
  readonly volatilityOracle: VolatilityOracle;
  readonly base: MockERC20;
  readonly quote: MockERC20;
}

/** Differences between a replay and the chain's latest block. */
class Comparison {
  readonly differences: string[] = [];

  /** Equal to the unit. */
  same(what: string, own: unknown, actual: unknown): void {
    if (own !== actual)
      this.differences.push(`${what}: replayed ${own}, the contract says ${actual}`);
  }

  /** Every field of a record. */
  fields(what: string, own: object, actual: unknown): void {
    for (const [field, value] of Object.entries(own)) {
      this.same(`${what}.${field}`, value, (actual as Record<string, unknown>)[field]);
    }
  }

  /** Within an allowance of last places. */
  near(what: string, own: bigint, actual: bigint, allowance: bigint): void {
    if (abs(own - actual) > allowance) this.same(what, own, actual);
  }
}

/**
 * Compares everything the contracts' views tell at the latest block, for every account the log knows: amounts, sizes,
 * times and states to the unit; funding index and rate within one last place of the exponential a sync, the solvency
 * ratio and the target's variance within 10^-12.
 *
 * The pool has to be up to date on the feed's latest round: a later one is not in the log yet. While the price is bad only
 * what is stored is compared; the other views revert.
 *
 * @returns a sentence per difference
 */
export async function compareWithViews(
  replay: EventReplay,
  contracts: Viewed,
  provider: EthereumProvider,
): Promise<string[]> {
  const { marginPool } = contracts;
  const now = await timeOf(provider, "latest");
  const c = new Comparison();
  c.differences.push(...replay.differences);
  await compareStored(c, replay, contracts, now);

  // what views show: the stored state with the time since then
  const s = copyOf(replay.state);
  const settled = s.settlement.settledAt !== 0n;
  const shown = settled || (await contracts.volatilityOracle.isGood());
  if (shown && !settled) finish(s, open(s, now, s.market));
  if (shown) await comparePoolState(c, s, marginPool);
  const everybody = new Set([
    ...s.accounts.keys(),
    ...s.claims.keys(),
    ...s.credits.keys(),
    ...s.orders.keys(),
    ...s.locks.keys(),
    ...s.shares.keys(),
  ]);
  for (const who of everybody) {
    await compareAccount(c, s, marginPool, who, now);
    if (shown) await comparePosition(c, s, marginPool, who);
  }
  c.same("accounts", everybody.size > 0, true);
  return c.differences;
}

async function compareStored(
  c: Comparison,
  replay: EventReplay,
  { marginPool, rebalancer, base, quote }: Viewed,
  now: bigint,
): Promise<void> {
  const s = replay.state;
  const l = s.ledgers;
  // deleveraging rounds the collateral of a side up: what is left of it in the end may be nobody's
  const custodyQuote = max(
    s.accountedQuote -
      l.inventoryQuote -
      l.longCollateral -
      l.shortCollateral -
      l.skewPremium -
      l.pendingIncome -
      l.insuranceFund,
    0n,
  );
  c.fields("ledgers", { ...l, custodyQuote }, await marginPool.ledgers());
  const [indexWad, rateWad, lastSyncAt] = await marginPool.funding();
  const syncs = BigInt(replay.syncs);
  c.near("funding.rateWad", s.fundingRateWad, rateWad, syncs);
  c.near("funding.indexWad", s.fundingIndexWad, indexWad, (syncs * s.market.price) / WAD);
  c.same("funding.lastSyncAt", s.lastSyncAt, lastSyncAt);
  c.same("skewReference", s.skewReference, await marginPool.skewReference());
  c.same("badDebt", s.badDebt, await marginPool.badDebt());
  const [ratioState, since, recoverySince] = await marginPool.riskClock();
  c.same("riskClock.state", BigInt(s.ratioState), ratioState);
  c.same("riskClock.since", s.stateSince, since);
  c.same("riskClock.recoverySince", s.recoverySince, recoverySince);
  c.fields("settlement", s.settlement, await marginPool.settlement());
  const [current, next, pausedUntil] = await marginPool.parameters();
  c.same("parameters.current", parametersAt({ ...s, at: now }).join(), [...current].join());
  c.same("parameters.next", s.parameters.to.join(), [...next].join());
  c.same("parameters.pausedUntil", replay.pausedUntil, pausedUntil);
  c.same("totalSupply", s.shareSupply, await marginPool.totalSupply());
  c.same("balance of base", replay.balances.base, await base.balanceOf(marginPool));
  c.same("balance of quote", replay.balances.quote, await quote.balanceOf(marginPool));

  const m = replay.measurements;
  const [varianceWad, lastTarget, lastSampledAt, lastRoundId] = await rebalancer.bandState();
  c.near("bandState.variance", m.varianceWad, varianceWad, m.varianceWad / 10n ** 12n);
  c.same("bandState.lastTarget", m.lastTargetWad / s.baseScale, lastTarget);
  c.same("bandState.lastSampledAt", m.lastSampledAt, lastSampledAt);
  c.same("bandState.lastRoundId", m.lastRoundId, lastRoundId);
}

async function comparePoolState(c: Comparison, s: State, marginPool: MarginPool): Promise<void> {
  const solvency = solvencyOf(s);
  const actual = await marginPool.poolState();
  const ask = equityAskIn(s, priceBand(s));
  c.fields(
    "poolState",
    {
      equity: floorDiv(solvency.equity, s.quoteScale),
      equityBid: floorDiv(solvency.equityBid, s.quoteScale),
      equityAsk: ceilDiv(ask, s.quoteScale),
      skew: skewOf(s),
      netExposureBase: solvency.netExposure / s.baseScale,
      targetInventoryBase: solvency.targetInventory / s.baseScale,
      requiredEquity: ceilDiv(solvency.required, s.quoteScale),
      riskState: BigInt(s.state),
    },
    actual,
  );
  const ratio = solvency.ratio;
  c.near("poolState.solvencyRatioWad", ratio, actual.solvencyRatioWad, ratio / 10n ** 12n);
  if (s.settlement.settledAt !== 0n) return;
  const shown = await marginPool.snapshot();
  c.fields(
    "snapshot",
    {
      indexPriceWad: s.market.price,
      volatilityWad: s.market.sigma,
      roundId: s.market.roundId,
      unwindCostPpm: s.unwindCostPpm,
      hedgeRatePpm: s.hedgeRatePpm,
      outsideSince: s.outsideSince,
      episodeOpen: s.episodeOpen,
    },
    shown,
  );
  c.near("snapshot.outerBandWad", s.outerBandWad, shown.outerBandWad, s.outerBandWad / 10n ** 12n);
  c.near("snapshot.depthBaseWad", s.depthBaseWad, shown.depthBaseWad, s.depthBaseWad / 10n ** 12n);
}

async function compareAccount(
  c: Comparison,
  s: State,
  marginPool: MarginPool,
  who: string,
  now: bigint,
): Promise<void> {
  const stored = accountOf(s, who);
  const account = await marginPool.marginAccount(who);
  const { fundingIndexWad, ...booked } = stored;
  const unpaidClaim = s.claims.get(who) ?? 0n;
  c.fields(`marginAccount of ${who}`, { ...booked, unpaidClaim }, account);
  const allowance = s.market.price / 10n ** 12n;
  c.near(`fundingIndexWad of ${who}`, fundingIndexWad, account.fundingIndexWad, allowance);
  c.same(`creditedOf ${who}`, s.credits.get(who) ?? 0n, await marginPool.creditedOf(who));
  c.same(`balanceOf ${who}`, s.shares.get(who) ?? 0n, await marginPool.balanceOf(who));

  const nothing = {
    sizeDelta: 0n,
    acceptablePriceWad: 0n,
    requestedAt: 0n,
    expiresAt: 0n,
    roundId: 0n,
    reservedMargin: 0n,
    reduceOnly: false,
  };
  c.fields(`order of ${who}`, s.orders.get(who) ?? nothing, await marginPool.order(who));
  const { lockedShares, unlockAt } = s.locks.get(who) ?? { lockedShares: 0n, unlockAt: 0n };
  const [locked, until] = await marginPool.shareLock(who);
  c.same(`locked shares of ${who}`, now < unlockAt ? lockedShares : 0n, locked);
  c.same(`unlockAt of ${who}`, unlockAt, until);
}

async function comparePosition(
  c: Comparison,
  s: State,
  marginPool: MarginPool,
  who: string,
): Promise<void> {
  const a = load(s, who);
  const [, , floorBps] = parametersAt(s);
  const { equity } = solvencyOf(s);
  const worth = equityOf(s, a);
  const maintenanceMargin = marginAt(s, a.size, maintenanceRatioNow(s, a.size));
  c.fields(
    `position of ${who}`,
    {
      size: a.size,
      entryNotional: a.entryNotional,
      collateral: a.collateral,
      unrealizedProfit: profitAt(s, a.size, a.entryNotional, s.market.price),
      fundingOwed: a.owed,
      equity: worth,
      maintenanceMargin,
      initialMargin: marginAt(s, a.size, initialRatio(s, a.size, equity, floorBps)),
      liquidatable: a.size !== 0n && worth < maintenanceMargin,
    },
    await marginPool.position(who),
  );
}
