import { ceilDiv, MINUTE, max, PPM, WAD } from "./numbers.ts";
import { equityAskIn, equityAt, equityBidIn, lpBand } from "./solvency.ts";
import type { State } from "./state.ts";

const VIRTUAL_SHARES = 1_000_000n;

/** w phi, 1e18. */
const feeWad = (s: State): bigint => (s.settings.targetBaseWeightWad * s.hedgeRatePpm) / PPM;
const netOf = (s: State, gross: bigint): bigint => gross - ceilDiv(gross * feeWad(s), WAD);
const grossOf = (s: State, net: bigint): bigint => ceilDiv(net * WAD, WAD - feeWad(s));

/** E_ask and E_bid over the LPs' band in quote units, against who trades shares. */
const ask = (s: State): bigint => ceilDiv(max(equityAskIn(s, lpBand(s)), 0n), s.quoteScale);
const bid = (s: State): bigint => max(equityBidIn(s, lpBand(s)), 0n) / s.quoteScale;

/** First liquidity at the index price. Returns the shares. */
export function bootstrap(s: State, base: bigint, quote: bigint): bigint {
  const { price } = s.market;
  const before = equityAt(s, price);
  s.ledgers.inventoryBase += base;
  s.ledgers.inventoryQuote += quote;
  s.accountedQuote += quote;
  const added = max(equityAt(s, price) - before, 0n) / s.quoteScale;
  return (added * VIRTUAL_SHARES) / (max(before, 0n) / s.quoteScale + 1n);
}

/**
 * A deposit at E_ask. The log does not say whether assets or shares were given, so one of the two conversions must hold.
 *
 * @returns what is wrong with the logged pair, empty when nothing
 */
export function enter(s: State, assets: bigint, shares: bigint): string {
  const [supply, worth] = [s.shareSupply + VIRTUAL_SHARES, ask(s) + 1n];
  const net = netOf(s, assets);
  const sharesFor = (net * supply) / worth;
  const assetsFor = grossOf(s, ceilDiv(shares * worth, supply));
  s.ledgers.inventoryQuote += net;
  s.ledgers.pendingIncome += assets - net;
  s.accountedQuote += assets;
  return shares === sharesFor || assets === assetsFor
    ? ""
    : `${assets} assets give ${sharesFor} shares, ${shares} shares cost ${assetsFor} assets`;
}

/** A withdrawal at E_bid; the same choice as in `enter`. */
export function leave(s: State, assets: bigint, shares: bigint): string {
  const [supply, worth] = [s.shareSupply + VIRTUAL_SHARES, bid(s) + 1n];
  const grossBySharesGiven = (shares * worth) / supply;
  const grossByAssetsGiven = grossOf(s, assets);
  const assetsFor = netOf(s, grossBySharesGiven);
  const sharesFor = ceilDiv(grossByAssetsGiven * supply, worth);
  const gross = shares === sharesFor ? grossByAssetsGiven : grossBySharesGiven;
  s.ledgers.inventoryQuote -= gross;
  s.ledgers.pendingIncome += gross - assets;
  s.accountedQuote -= assets;
  return shares === sharesFor || assets === assetsFor
    ? ""
    : `${shares} shares give ${assetsFor} assets, ${assets} assets cost ${sharesFor} shares`;
}

/** New shares are locked for ten minutes; with those still locked, for the mean of the times left. */
export function lock(s: State, who: string, shares: bigint): void {
  const old = s.locks.get(who);
  const held = old !== undefined && s.at < old.unlockAt ? old.lockedShares : 0n;
  const left = held === 0n ? 0n : old!.unlockAt - s.at;
  const lockedShares = held + shares;
  const mean = (held * left + shares * 10n * MINUTE) / lockedShares;
  s.locks.set(who, { lockedShares, unlockAt: s.at + mean });
}
