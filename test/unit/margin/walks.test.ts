import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  baseUnits,
  deployFixture,
  depositMargin,
  MAX_UINT256,
  now,
  type ProtocolFixture,
  passTime,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  build,
  CAMPAIGN_SCALE,
  execute,
  fromQuote,
  nextRound,
  order,
  readBook,
  readMarket,
  request,
  seededRandom,
  send,
  totalWealth,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot } = connection.networkHelpers;

const SIZE = 3_141_592653589793238462n;

async function usual(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob, f.carol, f.owner]) {
    await depositMargin(f, trader, 2_000_003n * WAD);
  }
  return f;
}

/** Margin of accounts without positions, with nothing of it left to come. */
async function cashOf(f: ProtocolFixture, traders: HardhatEthersSigner[]): Promise<bigint> {
  let total = 0n;
  for (const trader of traders) {
    const account = await f.marginPool.marginAccount(trader);
    expect(account.size).to.equal(0n);
    total += account.collateral + account.unpaidClaim;
  }
  return total;
}

/** Executes an order until nothing of it is queued: a close that raises the skew fills in parts. */
async function executeAll(f: ProtocolFixture, trader: HardhatEthersSigner): Promise<void> {
  for (;;) {
    try {
      await send(f, f.keeper, f.marginPool, "executeOrder", [trader.address]);
    } catch (error) {
      if (!String(error).includes("MarginPool_SkewSpeedLimit")) throw error;
    }
    if ((await f.marginPool.order(trader)).requestedAt === 0n) return;
    await passTime(f, 290n);
  }
}

describe("Closed walks at a fixed price", () => {
  /** Standing skew of somebody outside the walk: none, long, short. */
  for (const [outsider, outside] of [
    ["nobody else", 0n],
    ["an outsider who is long", 2_345_678901234567890123n],
    ["an outsider who is short", -2_345_678901234567890123n],
  ] as const) {
    it(`never profit their participants taken together beside ${outsider}, and lose no money on the way`, async () => {
      const f = await loadFixture(usual);
      if (outside !== 0n) await build(f, f.owner, outside, 1n);
      const random = seededRandom(0xba11a57);
      const fee = await f.marginPool.executionFee();
      const everybody = [f.alice, f.bob, f.carol, f.owner];
      const walks = 48 * CAMPAIGN_SCALE;
      let [fills, worst, wealth] = [0n, -(10n ** 30n), await totalWealth(f, everybody)];
      for (let walk = 0; walk < walks; walk += 1) {
        const traders = [f.alice, f.bob, f.carol].slice(0, 2 + random(2));
        const before = await cashOf(f, traders);
        const credit = await f.marginPool.creditedOf(f.keeper);
        for (let step = 0; ; step += 1) {
          const queue: HardhatEthersSigner[] = [];
          for (const trader of traders) {
            const { size } = await f.marginPool.marginAccount(trader);
            const any = BigInt(random(4_001) - 2_000) * 10n ** 18n + BigInt(random(1e9));
            const wanted = step < 2 ? any : -size;
            if (wanted === 0n || (step < 2 && random(4) === 0)) continue;
            const limit = wanted > 0n ? MAX_UINT256 : 0n;
            const until = (await now(f)) + 599n;
            await send(f, trader, f.marginPool, "requestOrder", [wanted, limit, until]);
            queue.splice(random(queue.length + 1), 0, trader);
          }
          if (step >= 2 && queue.length === 0) break;
          await nextRound(f);
          for (const trader of queue) {
            await executeAll(f, trader);
          }
          if (random(6) === 0) await passTime(f, BigInt(1 + random(outside === 0n ? 3_000 : 900)));
        }
        const fees = (await f.marginPool.creditedOf(f.keeper)) - credit;
        fills += fees / fee;
        // self-executed: the execution fee stays among the participants
        const gained = (await cashOf(f, traders)) + fees - before;
        expect(gained <= 0n, `I6: walk ${walk} gained ${gained}`).to.equal(true);
        if (gained > worst && gained < 0n) worst = gained;
        const next = await totalWealth(f, everybody);
        expect(reference.abs(next - wealth) <= 60n, `I3: ${next - wealth} units`).to.equal(true);
        wealth = next;
      }
      expect(fills > BigInt(walks * 3), `${fills} orders`).to.equal(true);
      expect(worst < 0n).to.equal(true);
    });
  }
});

describe("Slices of one order", () => {
  /** Quote units that `traders` have paid (or lost) by executing `parts`, each trader once or one trader in turn. */
  async function cost(
    f: ProtocolFixture,
    parts: readonly bigint[],
    traders: readonly HardhatEthersSigner[],
    sameRound: boolean,
  ): Promise<bigint> {
    let paid = 0n;
    if (sameRound) {
      for (const [i, part] of parts.entries()) await request(f, traders[i]!, part);
      await nextRound(f);
    }
    for (const [i, part] of parts.entries()) {
      const trader = traders[sameRound ? i : 0]!;
      const before = await f.marginPool.marginAccount(trader);
      const outcome = sameRound ? await execute(f, trader) : await order(f, trader, part);
      expect(outcome.filled?.sizeDelta, outcome.reason?.name).to.equal(baseUnits(f, part));
      const filled = outcome.filled!;
      const after = await f.marginPool.marginAccount(trader);
      paid += filled.premium + filled.takerFee + filled.hedgeCharge - filled.realizedProfit;
      // openings also pay by their entry: dear for a long, cheap for a short
      if (before.size * part >= 0n) {
        const booked = after.entryNotional - before.entryNotional;
        paid += part > 0n ? booked : -booked;
      }
    }
    return paid;
  }

  const slices = (size: bigint, n: bigint) =>
    Array.from(
      { length: Number(n) },
      (_, i) => (size * BigInt(i + 1)) / n - (size * BigInt(i)) / n,
    );

  for (const sign of [1n, -1n]) {
    for (const outside of [0n, 1_717n * WAD * sign, -1_111n * WAD * sign]) {
      const side = sign > 0n ? "long" : "short";
      const standing = outside === 0n ? "no" : outside > 0n === sign > 0n ? "equal" : "opposite";
      it(`never beat it: ${side} beside ${standing} standing skew, opened and closed, in one round and in several`, async () => {
        const f = await loadFixture(usual);
        const many = (await f.connection.ethers.getSigners()).slice(5, 10);
        for (const trader of many) {
          await f.quote.mint(trader, 10n ** 13n);
          await f.quote.connect(trader).approve(f.marginPool, MAX_UINT256);
          await depositMargin(f, trader, 400_003n * WAD);
        }
        if (outside !== 0n) await build(f, f.owner, outside, 1n);
        const clean = await takeSnapshot();
        const whole = await cost(f, [sign * SIZE], [f.alice], false);
        const fee = await f.marginPool.executionFee();
        const [book, market] = [await readBook(f), await readMarket(f)];
        const premium = (await f.marginPool.ledgers()).skewPremium;
        const { entryNotional } = await f.marginPool.marginAccount(f.alice);
        // What slices can save: LPs gain the band (5 bp) from each slice and part of its costs while the next one
        // waits; a larger E lowers c by as much and moves the target by w E / P, which the hedge charge (10 bp) misses.
        const grown = (fromQuote(f, entryNotional) * 20n) / 10_000n;
        const saved =
          reference.div(
            reference.mul(fromQuote(f, premium), grown),
            reference.equity(book, market.price),
          ) +
          grown / 2_000n;
        for (const n of [4n]) {
          for (const sameRound of [true, false]) {
            await clean.restore();
            const traders = sameRound ? many : [f.alice];
            const gain = whole - (await cost(f, slices(sign * SIZE, n), traders, sameRound));
            const what = `${n} slices, ${sameRound ? "one round" : `${n} rounds`}`;
            expect(gain <= (n - 1n) * fee, `I5: ${what} saved ${gain}`).to.equal(true);
            expect(fromQuote(f, gain) <= saved, `I5: ${what} saved ${gain}`).to.equal(true);
          }
        }
        await clean.restore();
        await cost(f, [sign * SIZE], [f.alice], false);
        await passTime(f, 1_800n);
        const open = await takeSnapshot();
        const closed = await cost(f, [-sign * SIZE], [f.alice], false);
        for (const n of [3n]) {
          await open.restore();
          const gain = closed - (await cost(f, slices(-sign * SIZE, n), [f.alice], false));
          expect(gain <= n, `I5: closing in ${n} slices saved ${gain}`).to.equal(true);
        }
      });
    }
  }
});
