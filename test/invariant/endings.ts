import { expect } from "chai";
import {
  arbitrage,
  currentPrice,
  passTime,
  publishPrice,
  quoteUnits,
  WAD,
} from "../support/protocolFixture.ts";
import { act, type Cast, type Random, Refused } from "./actors.ts";
import { type Crowd, look, type Picture, stateOf } from "./picture.ts";

/** Everybody of a list, in random order. */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const left = [...list];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(random(left.length), 1));
  return out;
}

/** True when the call went through. */
async function tried(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof Refused || /revert/i.test(String(error))) return false;
    throw error;
  }
}

/** The last price that was one. */
async function goodPrice(f: Crowd): Promise<bigint> {
  for (let id = await f.feed.latestRoundId(); ; id -= 1n) {
    const [, answer] = await f.feed.getRoundData(id);
    if (answer > 0n) return answer * 10n ** BigInt(18 - f.settings.feedDecimals);
  }
}

/** The feed speaks again, and its rounds are folded. */
export async function revive(f: Crowd): Promise<void> {
  await f.connection.networkHelpers.time.increase(61);
  await publishPrice(f, await goodPrice(f));
  for (let n = 0; n < 50; n += 1) {
    await act(f, f.keeper, f.volatilityOracle, "poke");
    if ((await look(f)).snapshot.caughtUp) return;
  }
}

async function liquidateAll(f: Crowd, p: Picture): Promise<void> {
  for (const [i, { liquidates }] of p.people.entries()) {
    if (liquidates) {
      await tried(() => act(f, f.keeper, f.marginPool, "liquidate", [f.people[i]!.address]));
    }
  }
}

/** I25: what anybody may do leads to Normal or Settled. */
export async function recover(f: Crowd, cast: Cast, random: Random): Promise<void> {
  if (!(await look(f)).good) await revive(f);
  for (let turn = 0; turn < 60; turn += 1) {
    const p = await look(f);
    if (["Normal", "Settled"].includes(stateOf(p))) return;
    await liquidateAll(f, p);
    await tried(() => act(f, f.keeper, f.marginPool, "autoDeleverage"));
    await tried(() => arbitrage(f));
    await tried(() => act(f, f.keeper, f.rebalancer, "poke"));
    await passTime(f, 700n);
    await tried(() => act(f, f.keeper, f.rebalancer, "rebalance"));
    await tried(() => act(f, f.keeper, f.marginPool, "sync"));
    if (turn > 30) {
      // new capital may come as soon as the pool is worth something
      const lp = cast.lps[random(cast.lps.length)]!;
      await tried(() =>
        act(f, lp, f.marginPool, "deposit", [quoteUnits(f, 300_007n * WAD), lp.address]),
      );
    }
  }
  const p = await look(f);
  expect(
    ["Normal", "Settled"].includes(stateOf(p)),
    `I25: some sequence open to anyone reaches Normal or Settled; stuck in ${stateOf(p)} at ${p.state.solvencyRatioWad}`,
  ).to.equal(true);
}

/** I20 in a pool that lives: everybody takes what is free at once, in any order. */
export async function bankRun(f: Crowd, random: Random): Promise<void> {
  const { marginPool } = f;
  await f.connection.networkHelpers.time.increase(601);
  await publishPrice(f, await currentPrice(f));
  await act(f, f.keeper, f.volatilityOracle, "poke");
  if (stateOf(await look(f)) === "Settled") return;
  for (const who of shuffled(f.people, random)) {
    const { requestedAt } = await marginPool.order(who);
    if (requestedAt !== 0n) await act(f, who, marginPool, "cancelOrder");
    const { size, collateral, unpaidClaim } = await marginPool.marginAccount(who);
    const say = (what: string) => `I20: payouts never revert for lack of funds: ${what}`;
    if (size === 0n && collateral > 0n) {
      const paid = await tried(() => act(f, who, marginPool, "withdrawMargin", [collateral]));
      expect(paid, say(`free margin ${collateral}`)).to.equal(true);
    }
    const { inventoryQuote } = await marginPool.ledgers();
    const credit = await marginPool.creditedOf(who);
    if (credit > 0n || (unpaidClaim > 0n && inventoryQuote > 0n)) {
      const before = await f.quote.balanceOf(who);
      expect(await tried(() => act(f, who, marginPool, "claim")), say("a claim")).to.equal(true);
      const due = credit + (unpaidClaim < inventoryQuote ? unpaidClaim : inventoryQuote);
      expect(
        (await f.quote.balanceOf(who)) - before,
        say("a claim is paid as far as q goes"),
      ).to.equal(due);
    }
    const most = await marginPool.maxWithdraw(who);
    if (most > 0n) {
      // the next block is a little later: income comes in, funding may go out
      const paid = await tried(() =>
        act(f, who, marginPool, "withdraw", [
          (most * 9_999n) / 10_000n + 1n,
          who.address,
          who.address,
        ]),
      );
      expect(paid, say(`shares worth ${most}`)).to.equal(true);
    }
  }
}

/** Settles what is left of a pool, pays everybody in any order, and says what remains. */
export async function bury(
  f: Crowd,
  cast: Cast,
  random: Random,
  deleveraged: boolean,
): Promise<void> {
  const { marginPool, connection } = f;
  const { time } = connection.networkHelpers;
  if ((await marginPool.settlement()).settledAt === 0n) {
    if ((await look(f)).good) await time.increase(4_000);
    for (let call = 0; call < 2; call += 1) {
      await act(f, cast.keeper, marginPool, "settle");
      await time.increase(86_401);
    }
  }
  const ok = async (what: string, call: () => Promise<unknown>) => {
    try {
      await call();
    } catch (error) {
      throw new Error(`I20: payouts never revert for lack of funds: ${what}: ${String(error)}`);
    }
  };
  const late = random(3) === 0;
  const settleAll = async () => {
    // losers first: a late gain is paid from what late losers lost
    const order: { who: (typeof f.people)[number]; gain: bigint }[] = [];
    const p = await look(f);
    for (const [i, { account, position }] of p.people.entries()) {
      if (account.size === 0n) continue;
      order.push({ who: f.people[i]!, gain: position.unrealizedProfit - position.fundingOwed });
    }
    for (const { who } of order.sort((a, b) => (a.gain < b.gain ? -1 : 1))) {
      await ok("settling an account", () =>
        act(f, who, marginPool, "settleAccount", [who.address]),
      );
    }
  };
  if (!late) await settleAll();
  await time.increase(7 * 86_400 + 1);
  if ((await marginPool.settlement()).finalizedAt === 0n) {
    await ok("finalizing", () => act(f, cast.keeper, marginPool, "finalizeSettlement"));
  }
  await settleAll();
  for (const who of shuffled(f.people, random)) {
    if ((await marginPool.order(who)).requestedAt !== 0n) {
      await ok("canceling", () => act(f, who, marginPool, "cancelOrder"));
    }
    const { size, collateral, unpaidClaim } = await marginPool.marginAccount(who);
    expect(size).to.equal(0n);
    if (collateral > 0n) {
      await ok("margin", () => act(f, who, marginPool, "withdrawMargin", [collateral]));
    }
    const { basePot, quotePot } = await marginPool.settlement();
    const pays =
      (await marginPool.creditedOf(who)) > 0n || (unpaidClaim > 0n && basePot + quotePot > 0n);
    if (pays) await ok("a claim", () => act(f, who, marginPool, "claim"));
    const shares = await marginPool.balanceOf(who);
    if (shares > 0n) {
      await ok("shares", () => act(f, who, marginPool, "redeemInKind", [shares, who.address]));
    }
  }
  // after deleveragings aggregates keep dust that no account has
  if (!deleveraged) {
    const { custodyQuote } = await marginPool.ledgers();
    expect(custodyQuote, "I20: nobody's margin, fee or credit is left behind").to.equal(0n);
  }
  expect(await marginPool.totalSupply()).to.equal(0n);
}
