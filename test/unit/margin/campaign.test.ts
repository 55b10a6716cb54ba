import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../../support/marginReference.ts";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  MAX_UINT256,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  CAMPAIGN_SCALE,
  expectBooksBalance,
  seededRandom,
  totalWealth,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

async function usual(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, { poolQuoteDepth: 60_411_873n * WAD });
  for (const trader of [f.alice, f.bob, f.carol]) await depositMargin(f, trader, 61_003n * WAD);
  return f;
}

/** Quote units that the margin pool holds, its base valued at a price. */
async function holdings(f: ProtocolFixture, priceWad: bigint): Promise<bigint> {
  const base = await f.base.balanceOf(f.marginPool);
  return (await f.quote.balanceOf(f.marginPool)) + (base * priceWad) / WAD / 10n ** 12n;
}

describe("A random campaign", () => {
  it("keeps I1, I2, I3 and I10 after every action of traders, LPs, liquidators and rebalancers", async () => {
    const f = await loadFixture(usual);
    const random = seededRandom(20_261_123);
    const traders = (await connection.ethers.getSigners()).slice(1, 6);
    const some = <T>(list: readonly T[]): T => list[random(list.length)]!;
    const amount = (most: number) => BigInt(1 + random(most)) * 1_000_000n + BigInt(random(1e6));
    const { marginPool, keeper, owner } = f;
    const as = (who: HardhatEthersSigner) => marginPool.connect(who);
    /** Those a condition holds for; anybody when it holds for nobody, and the action fails. */
    const among = async (condition: (who: HardhatEthersSigner) => Promise<boolean>) => {
      const found: HardhatEthersSigner[] = [];
      for (const who of traders) if (await condition(who)) found.push(who);
      return found.length === 0 ? traders : found;
    };
    const waiting = async (who: HardhatEthersSigner) =>
      (await marginPool.order(who)).requestedAt !== 0n;
    const sizeOf = async (who: HardhatEthersSigner) => (await marginPool.marginAccount(who)).size;

    const round = async (price?: bigint) => {
      await time.increase(1 + random(90));
      await publishPrice(f, price ?? (await currentPrice(f)));
    };
    const ask = async (who: HardhatEthersSigner, size: bigint) =>
      as(who).requestOrder(size, size > 0n ? MAX_UINT256 : 0n, (await now(f)) + 599n);
    /** Those that move the price come last: I3 holds for the others. */
    const actions: Record<string, () => Promise<unknown>> = {
      depositMargin: () => as(some(traders)).depositMargin(amount(45_000)),
      withdrawMargin: () => as(some(traders)).withdrawMargin(amount(20_000)),
      open: async () => {
        // up to 6 times the margin, either way, un-round
        const idle = async (who: HardhatEthersSigner) =>
          (await marginPool.order(who)).requestedAt === 0n &&
          (await marginPool.marginAccount(who)).collateral > 10_000_000n;
        const trader = some(await among(idle));
        const { collateral } = await marginPool.marginAccount(trader);
        const leverage = BigInt(1 + random(6)) * (random(2) === 0 ? 1n : -1n);
        const worth = (collateral * 10n ** 12n * leverage * WAD) / (await currentPrice(f));
        await ask(trader, worth + BigInt(random(1e9)));
      },
      close: async () => {
        const trader = some(await among(async (who) => (await sizeOf(who)) !== 0n));
        await ask(trader, -(await sizeOf(trader)));
      },
      cancel: async () => {
        await time.increase(1 + random(2) * 600); // at once or after expiry
        await as(some(await among(waiting))).cancelOrder();
      },
      execute: async () => {
        if (random(3) > 0) await round();
        await as(keeper).executeOrder(some(await among(waiting)));
      },
      liquidate: async () => {
        const sick = async (who: HardhatEthersSigner) =>
          (await marginPool.position(who)).liquidatable;
        await as(keeper).liquidate(some(await among(sick)));
      },
      claim: () => as(some([traders[0]!, keeper, keeper])).claim(),
      donateAndSkim: async () => {
        await f.quote.mint(marginPool, amount(100));
        await marginPool.skim();
      },
      lpDeposit: () => as(some([owner, keeper])).deposit(amount(200_000), keeper),
      lpWithdraw: () => as(some([owner, keeper])).withdraw(amount(90_000), owner, owner),
      rebalance: async () => {
        await arbitrage(f);
        await marginPool.sync();
        await passTime(f, 700n); // the tolerance grows to the pool's fee
        await f.rebalancer.connect(keeper).rebalance();
      },
      poke: () => f.rebalancer.poke(),
      sync: () => marginPool.sync(),
      wait: () => passTime(f, BigInt(random(2_000))),
      movePrice: async () => {
        const permille = BigInt(random(3) === 0 ? 850 + random(320) : 998 + random(5));
        await round(
          ((await currentPrice(f)) * permille) / 1_000n + BigInt(random(1_000)) * 10n ** 10n,
        );
      },
      crash: async () => {
        // against one account, to 2 % of the equity it had, at most a third of the price away
        const trader = some(await among(async (who) => (await sizeOf(who)) !== 0n));
        const { equity, size } = await marginPool.position(trader);
        if (size === 0n) throw new Error("reverted with no position");
        const price = await currentPrice(f);
        const move = (((equity * 98n) / 100n) * 10n ** 12n * WAD) / size;
        if (reference.abs(move) > price / 3n) throw new Error("reverted with too little leverage");
        await round(price - move);
      },
    };
    const names = Object.keys(actions);
    const often = [
      "open",
      "open",
      "open",
      "execute",
      "execute",
      "execute",
      "execute",
      "close",
      "liquidate",
      "liquidate",
      "crash",
      "crash",
      "movePrice",
    ];
    const counts = Object.fromEntries(names.map((name) => [name, 0]));
    const steps = 140 * CAMPAIGN_SCALE;
    for (let step = 0; step < steps; step += 1) {
      // more than a handful of rounds at a time and orders wait for the volatility
      if (step % 5 === 0) await f.volatilityOracle.poke();
      const name = some([...names, ...often]);
      const price = await currentPrice(f);
      const [wealth, held] = [await totalWealth(f, traders), await holdings(f, price)];
      const before = await marginPool.ledgers();
      try {
        await actions[name]!();
      } catch (error) {
        // a revert is an answer, an error of the test is not
        if (!/reverted with|cannot estimate/i.test(String(error))) throw error;
        continue;
      }
      counts[name]! += 1;
      await expectBooksBalance(f, traders);
      if ((await currentPrice(f)) !== price) continue;
      const flow = (await holdings(f, price)) - held;
      const change = (await totalWealth(f, traders)) - wealth;
      const off = reference.abs(change - flow);
      // A side that empties returns to LPs what rounding kept from them: at most a unit for each sync so far.
      const after = await marginPool.ledgers();
      const emptied =
        (before.longOpenInterest > 0n && after.longOpenInterest === 0n) ||
        (before.shortOpenInterest > 0n && after.shortOpenInterest === 0n);
      const dust = emptied ? await connection.ethers.provider.getBlockNumber() : 0;
      expect(
        off <= 60n + BigInt(dust),
        `I3: ${name} at step ${step} is off by ${change - flow}`,
      ).to.equal(true);
      const s = await marginPool.poolState();
      expect(s.equityBid <= s.equity && s.equity <= s.equityAsk, `I10 at ${step}`).to.equal(true);
    }
    const summary = names.map((name) => `${name} ${counts[name]}`).join(", ");
    for (const name of names) expect(counts[name], summary).to.be.greaterThan(0);
    console.log(`      ${summary}`);
  });
});
