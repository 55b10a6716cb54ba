import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../support/marginReference.ts";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  type ProtocolFixture,
  passTime,
  publishPrice,
  WAD,
} from "../support/protocolFixture.ts";
import { CAMPAIGN_SCALE, nextRound, order, seededRandom, send } from "../support/traderFixture.ts";
import { look, withLens } from "./picture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

async function usual(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob, f.carol]) await depositMargin(f, trader, 900_007n * WAD);
  return f;
}

describe("Walks of the skew against the premium ledger", () => {
  const walks = CAMPAIGN_SCALE === 1 ? 5_000 : 200_000;
  const batch = 250;

  it(`I6: ${walks} random closed walks at a fixed price profit nobody, and J never pays more than it received`, async () => {
    const harness = await connection.ethers.deployContract("SkewWalks");
    let [steps, paid, rebated, crossings] = [0n, 0n, 0n, 0n];
    for (let seed = 1; seed <= walks / batch; seed += 1) {
      const sum = await harness.run(seed, batch, false);
      [steps, paid] = [steps + sum.steps, paid + sum.paid];
      [rebated, crossings] = [rebated + sum.rebated, crossings + sum.crossings];
    }
    // walks that pay nothing or get nothing back would prove nothing
    expect(steps > BigInt(3 * walks), `${steps} steps`).to.equal(true);
    expect(crossings > BigInt(walks / 2), `${crossings} crossings`).to.equal(true);
    expect(rebated > 0n && paid > rebated, `${paid} paid, ${rebated} back`).to.equal(true);
  });

  it("J never pays more than it holds while volatility and depth change and time passes either", async () => {
    const harness = await connection.ethers.deployContract("SkewWalks");
    for (let seed = 1; seed <= walks / batch / 2; seed += 1) {
      const sum = await harness.run(7_000_000 + seed, batch, true);
      expect(sum.steps > BigInt(batch)).to.equal(true);
    }
  });
});

describe("Funding", () => {
  /** What everybody has after some trades and a day, synced at the given instants in between. */
  async function dayAfter(f: ProtocolFixture, extraSyncs: readonly number[]) {
    const end = (await time.latest()) + 90_000;
    for (const at of extraSyncs) {
      await time.setNextBlockTimestamp(at);
      await send(f, f.keeper, f.marginPool, "sync", []);
    }
    await time.setNextBlockTimestamp(end);
    await send(f, f.keeper, f.marginPool, "sync", []);
    const p = await look(await withLens(f, [f.alice, f.bob, f.carol]));
    return {
      owed: p.people.map(({ position }) => position.fundingOwed),
      equity: p.state.equity,
      all: p.state.equity + p.ledgers.skewPremium + p.ledgers.pendingIncome,
      accrual: p.ledgers.longAccrual + p.ledgers.shortAccrual,
    };
  }

  it("I4: sums to zero and is the same whatever the sync times", async () => {
    // a feed that may be silent for a day, so that syncs and nothing else differ
    const f = await deployFixture(connection, { heartbeatSeconds: 90_000n });
    for (const trader of [f.alice, f.bob, f.carol]) await depositMargin(f, trader, 900_007n * WAD);
    await order(f, f.alice, 3_001n * WAD);
    await order(f, f.bob, -1_777n * WAD);
    await order(f, f.carol, 555_000_000_000_000_003n);
    await publishPrice(f, await currentPrice(f));
    const clean = await takeSnapshot();
    const start = await time.latest();
    const lazy = await dayAfter(f, []);
    const random = seededRandom(4);
    const owed = lazy.owed.reduce((sum, one) => sum + one, 0n);
    expect(
      reference.abs(owed - lazy.accrual) <= 8n,
      `I4: accounts owe ${owed}, LPs are due ${lazy.accrual}`,
    ).to.equal(true);
    expect(lazy.owed[0]! > 10n ** 6n && lazy.owed[1]! < -(10n ** 6n), "funding moved").to.equal(
      true,
    );
    for (let n = 0; n < 3 * CAMPAIGN_SCALE; n += 1) {
      await clean.restore();
      const many = 1 + random(60);
      const instants = new Set(Array.from({ length: many }, () => start + 2 + random(89_000)));
      const busy = await dayAfter(
        f,
        [...instants].toSorted((a, b) => a - b),
      );
      const bound = BigInt(12 + 2 * instants.size);
      // The target follows E, which premium and fees raise while they are earned: between syncs it stands still.
      const drift = (one: bigint) => reference.abs(one) / 200n + bound;
      for (const [i, one] of busy.owed.entries()) {
        expect(
          reference.abs(one - lazy.owed[i]!) <= drift(one),
          `I4: funding is the same whatever the sync times: ${one} and ${lazy.owed[i]}`,
        ).to.equal(true);
      }
      const sum = busy.owed.reduce((total, one) => total + one, 0n);
      expect(
        reference.abs(sum - busy.accrual) <= bound,
        `I4: funding sums to zero: ${sum}, ${busy.accrual}`,
      ).to.equal(true);
    }
  });
});

/** What an account and its owner have, with what the executor got. */
async function purse(f: ProtocolFixture, who: HardhatEthersSigner): Promise<bigint> {
  const { equity } = await f.marginPool.position(who);
  const { unpaidClaim } = await f.marginPool.marginAccount(who);
  return equity + unpaidClaim + (await f.quote.balanceOf(who));
}

describe("Slices", () => {
  it("I5: a deposit or redemption in slices never beats one", async () => {
    const f = await loadFixture(usual);
    await order(f, f.alice, 1_501n * WAD);
    await passTime(f, 3_700n);
    await f.marginPool.connect(f.bob).deposit(500_003n * 10n ** 6n, f.bob);
    await passTime(f, 3_700n);
    const clean = await takeSnapshot();
    const at = (await time.latest()) + 30;
    const total = 300_000_007n * 10n ** 3n;
    /** Shares minted or assets paid by n calls in consecutive blocks, all of them within the same seconds. */
    const run = async (redeem: boolean, n: bigint): Promise<bigint> => {
      await clean.restore();
      const before = redeem
        ? await f.quote.balanceOf(f.bob)
        : await f.marginPool.balanceOf(f.carol);
      const shares = (await f.marginPool.balanceOf(f.bob)) / 3n;
      for (let i = 0n; i < n; i += 1n) {
        await time.setNextBlockTimestamp(at + Number(i));
        const part = (whole: bigint) => (whole * (i + 1n)) / n - (whole * i) / n;
        if (redeem) {
          await f.marginPool.connect(f.bob).redeem(part(shares), f.bob, f.bob);
        } else {
          await f.marginPool.connect(f.carol).deposit(part(total), f.carol);
        }
      }
      const after = redeem ? await f.quote.balanceOf(f.bob) : await f.marginPool.balanceOf(f.carol);
      return after - before;
    };
    for (const redeem of [false, true]) {
      const once = await run(redeem, 1n);
      for (const n of [2n, 7n]) {
        const sliced = await run(redeem, n);
        // Each slice leaves its costs with LPs, of which later redeemers still are: at most their share of them.
        const kept = redeem ? once / 10_000n : 0n;
        expect(
          sliced <= once + kept,
          `I5: n slices never beat one ${redeem ? "redemption" : "deposit"}: ${sliced} of ${once}`,
        ).to.equal(true);
      }
    }
  });

  it("I5: being liquidated in several steps never leaves an account more than in one", async () => {
    const f = await loadFixture(usual);
    const poor = (await connection.ethers.getSigners())[7]!;
    await f.quote.mint(poor, 70_003n * 10n ** 6n);
    await f.quote.connect(poor).approve(f.marginPool, 70_003n * 10n ** 6n);
    await f.marginPool.connect(poor).depositMargin(70_003n * 10n ** 6n);
    await order(f, poor, 3_001n * WAD);
    await passTime(f, 3_700n);
    const price = await currentPrice(f);
    const { equity, size, maintenanceMargin } = await f.marginPool.position(poor);
    const at = (percent: bigint) =>
      price - ((equity - (maintenanceMargin * percent) / 100n) * 10n ** 12n * WAD) / size;
    const clean = await takeSnapshot();
    /** Falls to the last price; liquidated at each price that is given. */
    const fall = async (stops: readonly bigint[]): Promise<[bigint, bigint]> => {
      await clean.restore();
      for (const percent of stops) {
        await nextRound(f, at(percent));
        await arbitrage(f);
        if ((await f.marginPool.position(poor)).liquidatable) {
          await f.marginPool.connect(f.keeper).liquidate(poor);
        }
      }
      const { equity: left, size: rest } = await f.marginPool.position(poor);
      return [left, rest];
    };
    const [once] = await fall([70n]);
    const [twice, rest] = await fall([85n, 70n]);
    expect(rest > 0n, "in parts").to.equal(true);
    // closing a part earlier avoids the loss of the way from there, and nothing else
    const avoided = ((at(85n) - at(70n)) * size) / WAD / 10n ** 12n;
    expect(twice <= once + avoided, `I5: ${twice} in two steps, ${once} in one`).to.equal(true);
    // two liquidations at one price: the second is refused, so there is nothing to slice
    await clean.restore();
    await nextRound(f, at(80n));
    await f.marginPool.connect(f.keeper).liquidate(poor);
    await expect(f.marginPool.connect(f.keeper).liquidate(poor)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_NotLiquidatable",
    );
    expect((await purse(f, poor)) > 0n).to.equal(true);
  });
});
