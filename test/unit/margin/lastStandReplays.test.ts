import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  DAY,
  DECIMALS,
  DELEVERAGING,
  enter,
  expectUnits,
  grow,
  priceAtRatio,
  round,
  Tracked,
  toDeleveraging,
} from "../../support/lastStand.ts";
import * as reference from "../../support/marginReference.ts";
import { mul, real } from "../../support/marginReference.ts";
import {
  currentPrice,
  depositMargin,
  fundAndApprove,
  type ProtocolFixture,
  publishPrice,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  execute,
  fromWad,
  nextRound,
  readBook,
  readMarket,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time, setStorageAt } = connection.networkHelpers;

const scene = crowdedLongs(connection, DECIMALS[0]);
const at = (f: ProtocolFixture, ratio: string): Promise<bigint> =>
  priceAtRatio(f, real(ratio), 150n * WAD, 700n * WAD);

/** Fraction closed by the last deleveraging. */
async function deleverage(f: ProtocolFixture): Promise<bigint> {
  const fraction = await f.marginPool.autoDeleverage.staticCall();
  await f.marginPool.connect(f.keeper).autoDeleverage();
  return fraction;
}

/** Feed dead for a day: reports, waits and settles. */
async function settleDead(f: ProtocolFixture): Promise<void> {
  await time.increase(3_901n);
  await f.marginPool.settle();
  await time.increase(DAY);
  await f.marginPool.settle();
}

/** Faults of deleveraging, states and settlement, each under its symptom; every test states what must hold. */
describe("Replays of the last lines of defense", () => {
  it("an order that fails does not restart the clocks of deleveraging and bankruptcy", async () => {
    const f = await loadFixture(scene);
    // the premium ledger pays no rebate that would carry the order
    for (let day = 0n; day < 8n; day += 1n) await round(f, DAY);
    await round(f, 60n, await at(f, "0.995"));
    const attacker = (await connection.ethers.getSigners())[7]!;
    await fundAndApprove(f, attacker);
    const [book, market] = [await readBook(f), await readMarket(f)];
    const notional = real("300000");
    const size = reference.div(notional, market.price);
    const ratio = reference.initialRatio(
      size,
      reference.skewScale(book, market),
      market.volatility,
    );
    const margin = (mul(ratio, notional) + real("3.5")) / 10n ** 18n;
    await depositMargin(f, attacker, margin);
    // it lowers the skew and would lift SR above one, but for its margin
    await request(f, attacker, -size / 10n ** 18n);
    await nextRound(f);
    const outcome = await execute(f, attacker);
    expect(outcome.reason?.name).to.equal("MarginPool_InsufficientMargin");
    await round(f, 596n);
    expect((await f.marginPool.poolState()).solvencyRatioWad < WAD).to.equal(true);
    expect((await f.marginPool.riskClock()).state).to.equal(DELEVERAGING);
  });

  it("dust deposited between deleveragings does not make the last account of a side impossible to close", async () => {
    const f = await loadFixture(scene);
    const signers = (await connection.ethers.getSigners()).slice(8, 14);
    for (const signer of signers) {
      await fundAndApprove(f, signer);
      await enter(f, signer, 3_017n * WAD, 9_011n * WAD);
    }
    let scale = 10n ** 36n;
    for (const ratio of ["0.97", "0.96", "0.98", "0.97", "0.96"]) {
      await toDeleveraging(f, await at(f, ratio));
      scale = (scale * (WAD - (await deleverage(f)))) / WAD;
      for (const signer of signers) {
        const { collateral } = await f.marginPool.marginAccount(signer);
        const rest = (dust: bigint) => ((collateral + dust) * scale) % 10n ** 36n;
        let best = 1n;
        for (let dust = 1n; dust < 400n; dust += 1n) if (rest(dust) > rest(best)) best = dust;
        await f.marginPool.connect(signer).depositMargin(best);
      }
    }
    await settleDead(f);
    for (const trader of [...f.longs, ...signers, ...f.shorts]) {
      await f.marginPool.settleAccount(trader);
    }
  });

  it("a settlement can be finalized early when all accounts are settled, also after a deleveraging", async () => {
    const f = await loadFixture(scene);
    await toDeleveraging(f, await at(f, "0.93"));
    await deleverage(f);
    await settleDead(f);
    for (const trader of [...f.longs, ...f.shorts]) await f.marginPool.settleAccount(trader);
    await f.marginPool.finalizeSettlement();
    expect((await f.marginPool.settlement()).finalizedAt > 0n).to.equal(true);
  });

  it("a settlement freezes the last good price, also one that was never sampled", async () => {
    const f = await loadFixture(scene);
    await round(f, 61n);
    const price = ((await currentPrice(f)) * 71n) / 100n;
    // within a minute of the last sample; the pool has traded on it
    await round(f, 20n, price);
    expect((await f.marginPool.snapshot()).indexPriceWad).to.equal(price);
    await settleDead(f);
    expect((await f.marginPool.settlement()).priceWad).to.equal(price);
  });

  it("a settlement freezes the last good price, also when volatility is behind", async () => {
    const f = await loadFixture(scene);
    const start = await currentPrice(f);
    let price = start;
    for (let n = 1n; n <= 9n; n += 1n) {
      await time.increase(61n);
      price = (start * (100n - 4n * n)) / 100n;
      await publishPrice(f, price);
    }
    await f.marginPool.sync();
    expect((await f.marginPool.snapshot()).indexPriceWad).to.equal(price);
    await settleDead(f);
    expect((await f.marginPool.settlement()).priceWad).to.equal(price);
  });

  it("deleveraging stays exact down to the smallest scale it allows", async () => {
    const f = await loadFixture(scene);
    await toDeleveraging(f, await at(f, "0.93"));
    await deleverage(f);
    // what fifteen more of them would leave of M, instead of fifteen more of them
    const { AbiCoder, keccak256, zeroPadValue, toBeHex } = connection.ethers;
    const abi = AbiCoder.defaultAbiCoder();
    const provider = connection.ethers.provider;
    const mask = 2n ** 128n - 1n;
    // the only mapping with a scale below 1e36 in its place
    let [slot, word] = ["", 0n];
    for (let root = 0n; root < 64n && slot === ""; root += 1n) {
      const side = keccak256(abi.encode(["bool", "uint256"], [true, root]));
      const place = keccak256(abi.encode(["uint256", "bytes32"], [1n, side]));
      word = BigInt(await provider.getStorage(f.marginPool, place));
      if ((word & mask) > 10n ** 35n && (word & mask) < 10n ** 36n) slot = place;
    }
    expect(slot, "the checkpoint of the first deleveraging").to.not.equal("");
    const [indexWad] = await f.marginPool.funding();
    const scaled = (word & ~mask) | (3n * 10n ** 18n + 7n);
    await setStorageAt(await f.marginPool.getAddress(), slot, zeroPadValue(toBeHex(scaled), 32));
    expect(indexWad > 0n).to.equal(true);
    // somebody who comes now
    const late = (await connection.ethers.getSigners())[7]!;
    await fundAndApprove(f, late);
    await depositMargin(f, late, 4_000_003n * WAD);
    await round(f, 61n, 190n * WAD);
    await round(f, 2_000n);
    await grow(f, late, WAD * 1_003n);
    const exact = await Tracked.read(f, late);
    await toDeleveraging(f, await at(f, "0.93"));
    const fraction = await deleverage(f);
    const [later] = await f.marginPool.funding();
    exact.accrue(later);
    exact.close(fromWad(fraction), fromWad(await currentPrice(f)));
    const seen = await f.marginPool.position(late);
    expectUnits(seen.fundingOwed, exact.owed, f.settings.quoteDecimals, 100n, "realized");
  });

  it("the order in which late accounts are settled costs nobody a gain that others' losses pay for", async () => {
    const f = await loadFixture(scene);
    // alice and bob gain on one side, dave loses on it
    await round(f, 61n, (1_965n * WAD) / 10n);
    const loser = (await connection.ethers.getSigners())[7]!;
    await fundAndApprove(f, loser);
    await enter(f, loser, 100_003n * WAD, 100_007n * WAD);
    await round(f, 61n, (1_955n * WAD) / 10n);
    expect((await f.marginPool.position(f.bob)).unrealizedProfit > 0n).to.equal(true);
    expect((await f.marginPool.position(loser)).unrealizedProfit < 0n).to.equal(true);
    await settleDead(f);
    for (const trader of [...f.shorts, f.dave, f.alice]) await f.marginPool.settleAccount(trader);
    await time.increase(7n * DAY);
    await f.marginPool.finalizeSettlement();
    // others cannot settle the winner before the losers of its side have paid
    await expect(f.marginPool.connect(f.keeper).settleAccount(f.bob)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_LateGainNotCovered",
    );
    await f.marginPool.connect(f.keeper).settleAccount(loser);
    await f.marginPool.connect(f.keeper).settleAccount(f.bob);
    const { lateCash, lateReserve } = await f.marginPool.settlement();
    expect(
      lateCash + lateReserve < 100n,
      `${lateCash} + ${lateReserve} are left to nobody`,
    ).to.equal(true);
  });

  it("a parameter moves by no more than a tenth a day", async () => {
    const f = await loadFixture(scene);
    const { marginPool, timelock, owner } = f;
    const [current] = await marginPool.parameters();
    const next = {
      takerFeePpm: (current.takerFeePpm * 12n) / 10n,
      openInterestLimitBps: current.openInterestLimitBps,
      initialMarginFloorBps: current.initialMarginFloorBps,
      insuranceShareBps: current.insuranceShareBps,
    };
    const data = marginPool.interface.encodeFunctionData("setParameters", [next]);
    const { ZeroHash } = connection.ethers;
    const call = [marginPool, 0n, data, ZeroHash, ZeroHash] as const;
    await timelock.connect(owner).schedule(...call, 172_800n);
    await time.increase(172_800n);
    await expect(timelock.connect(owner).execute(...call)).to.revert(connection.ethers);
  });
});
