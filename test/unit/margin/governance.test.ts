import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import type { IMarginPool } from "../../../typechain-types/contracts/interfaces/IMarginPool.ts";
import { crowdedShorts, DAY, DECIMALS, expectUnits, round } from "../../support/lastStand.ts";
import { mul, ONE, real } from "../../support/marginReference.ts";
import {
  deployFixture,
  depositMargin,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  quoteUnits,
  WAD,
} from "../../support/protocolFixture.ts";
import {
  execute,
  fromBase,
  nextRound,
  order,
  readMarket,
  request,
} from "../../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, time, impersonateAccount, setBalance } = connection.networkHelpers;

const HOUR = 3_600n;
const DELAY = 172_800n;
const PAUSE = 72n * HOUR;
const INTERVAL = 10n * DAY;

interface Values {
  takerFeePpm: bigint;
  openInterestLimitBps: bigint;
  initialMarginFloorBps: bigint;
  insuranceShareBps: bigint;
}

const DEFAULTS: Values = {
  takerFeePpm: 500n,
  openInterestLimitBps: 6_000n,
  initialMarginFloorBps: 400n,
  insuranceShareBps: 1_000n,
};

/** Hard bounds in the order of the struct. */
const BOUNDS: readonly (readonly [keyof Values, bigint, bigint])[] = [
  ["takerFeePpm", 0n, 5_000n],
  ["openInterestLimitBps", 1_000n, 6_000n],
  ["initialMarginFloorBps", 400n, 2_000n],
  ["insuranceShareBps", 1_000n, 5_000n],
];

const plain = (p: IMarginPool.ParametersStructOutput): Values => ({
  takerFeePpm: p.takerFeePpm,
  openInterestLimitBps: p.openInterestLimitBps,
  initialMarginFloorBps: p.initialMarginFloorBps,
  insuranceShareBps: p.insuranceShareBps,
});

/** Quiet markets, so that the floor of the initial margin is what counts. */
const quiet = (decimals: (typeof DECIMALS)[number]) =>
  async function quietPool(): Promise<ProtocolFixture> {
    const f = await deployFixture(connection, { ...decimals, initialVolatility: (4n * WAD) / 10n });
    await depositMargin(f, f.alice, 30_003n * WAD);
    await depositMargin(f, f.bob, 400_007n * WAD);
    await order(f, f.alice, 3_011n * WAD);
    return f;
  };

async function schedule(f: ProtocolFixture, method: string, args: readonly unknown[], salt = 0n) {
  const { ethers } = connection;
  const data = f.marginPool.interface.encodeFunctionData(method as "setParameters", args as never);
  const call = [f.marginPool, 0n, data, ethers.ZeroHash, ethers.toBeHex(salt, 32)] as const;
  await f.timelock.connect(f.owner).schedule(...call, DELAY);
  return () => f.timelock.connect(f.owner).execute(...call);
}

/** Through the timelock, all of its delay. */
async function govern(f: ProtocolFixture, method: string, args: readonly unknown[], salt = 0n) {
  const run = await schedule(f, method, args, salt);
  await time.increase(DELAY);
  return run;
}

/** The timelock as a signer, for what it would be tedious to wait two days for each time. */
async function asOwner(f: ProtocolFixture): Promise<HardhatEthersSigner> {
  const address = await f.timelock.getAddress();
  await impersonateAccount(address);
  await setBalance(address, WAD);
  return connection.ethers.getSigner(address);
}

for (const decimals of DECIMALS) {
  const setUp = quiet(decimals);
  describe(`Parameters, decimals ${decimals.baseDecimals}/${decimals.quoteDecimals}`, () => {
    it("start at their defaults", async () => {
      const f = await loadFixture(setUp);
      const [current, next, pausedUntil] = await f.marginPool.parameters();
      expect([plain(current), plain(next), pausedUntil]).to.deep.equal([DEFAULTS, DEFAULTS, 0n]);
      expect(await f.marginPool.owner()).to.equal(await f.timelock.getAddress());
    });

    it("are set by nobody but the timelock, after its delay", async () => {
      const f = await loadFixture(setUp);
      const next = { ...DEFAULTS, takerFeePpm: 457n, initialMarginFloorBps: 437n };
      for (const signer of [f.owner, f.alice]) {
        await expect(f.marginPool.connect(signer).setParameters(next))
          .to.be.revertedWithCustomError(f.marginPool, "OwnableUnauthorizedAccount")
          .withArgs(signer.address);
      }
      const run = await schedule(f, "setParameters", [next]);
      await time.increase(DELAY - 60n);
      await expect(run()).to.be.revertedWithCustomError(
        f.timelock,
        "TimelockUnexpectedOperationState",
      );
      await time.increase(60n);
      const at = (await now(f)) + 3n;
      await time.setNextBlockTimestamp(at);
      await expect(run())
        .to.emit(f.marginPool, "ParametersChanged")
        .withArgs(Object.values(DEFAULTS), Object.values(next), at + DAY);
      const [current, target] = await f.marginPool.parameters();
      expect([plain(current), plain(target)]).to.deep.equal([DEFAULTS, next]);
    });

    for (const [index, [key, least, most]] of BOUNDS.entries()) {
      if (key === "takerFeePpm") continue; // below
      it(`keep ${key} within a tenth and its bounds`, async () => {
        const f = await loadFixture(setUp);
        const pool = f.marginPool.connect(await asOwner(f));
        for (const up of [true, false, false, true]) {
          const current = plain((await pool.parameters())[0]);
          const value = current[key];
          const low = value - value / 10n < least ? least : value - value / 10n;
          const high = value + value / 10n > most ? most : value + value / 10n;
          for (const wrong of [low - 1n, high + 1n]) {
            await expect(pool.setParameters({ ...current, [key]: wrong }))
              .to.be.revertedWithCustomError(pool, "MarginPool_ParameterOutOfBounds")
              .withArgs(index, wrong, low, high);
          }
          const next = up ? high : low;
          await pool.setParameters({ ...current, [key]: next });
          await time.increase(DAY);
          expect(plain((await pool.parameters())[0])[key]).to.equal(next);
        }
      });
    }

    it("keep the taker fee between nothing and 50 basis points, day after day", async () => {
      const f = await loadFixture(setUp);
      const pool = f.marginPool.connect(await asOwner(f));
      const [, least, most] = BOUNDS[0]!;
      for (const [step, end] of [
        [11n, most],
        [9n, least],
      ] as const) {
        for (let day = 0; day < 60; day += 1) {
          const current = plain((await pool.parameters())[0]);
          const fee = (current.takerFeePpm * step + 9n) / 10n - (step > 10n ? 1n : 0n);
          const next = step > 10n && fee > end ? end : fee;
          await pool.setParameters({ ...current, takerFeePpm: next });
          await time.increase(DAY);
          if (next === end || next < 100n) break;
        }
        const current = plain((await pool.parameters())[0]);
        expect(current.takerFeePpm === most || current.takerFeePpm < 100n).to.equal(true);
        if (end !== most) continue;
        await expect(pool.setParameters({ ...current, takerFeePpm: most + 1n }))
          .to.be.revertedWithCustomError(pool, "MarginPool_ParameterOutOfBounds")
          .withArgs(0, most + 1n, (low: bigint) => low > 0n, most);
      }
    });

    it("change at most once a day", async () => {
      const f = await loadFixture(setUp);
      const pool = f.marginPool.connect(await asOwner(f));
      const at = (await now(f)) + 3n;
      await time.setNextBlockTimestamp(at);
      await pool.setParameters({ ...DEFAULTS, takerFeePpm: 460n });
      await time.setNextBlockTimestamp(at + DAY - 1n);
      await expect(pool.setParameters(DEFAULTS))
        .to.be.revertedWithCustomError(pool, "MarginPool_ParametersTooSoon")
        .withArgs(at + DAY - 1n, at + DAY);
      await time.setNextBlockTimestamp(at + DAY);
      await pool.setParameters({ ...DEFAULTS, takerFeePpm: 450n });
    });

    it("move on a straight line for a day, and fills read them where they are", async () => {
      const f = await loadFixture(setUp);
      const next = {
        takerFeePpm: 451n,
        openInterestLimitBps: 5_417n,
        initialMarginFloorBps: 439n,
        insuranceShareBps: 1_097n,
      };
      const run = await govern(f, "setParameters", [next]);
      await publishPrice(f, 194_610000000000000000n);
      await request(f, f.bob, -101n * WAD);
      const start = (await now(f)) + 20n;
      await time.setNextBlockTimestamp(start);
      await run();
      const between = (elapsed: bigint): Values => {
        const at = (from: bigint, to: bigint) => from + ((to - from) * elapsed) / DAY;
        return {
          takerFeePpm: at(500n, 451n),
          openInterestLimitBps: at(6_000n, 5_417n),
          initialMarginFloorBps: at(400n, 439n),
          insuranceShareBps: at(1_000n, 1_097n),
        };
      };
      const { initialMargin, maintenanceMargin } = await f.marginPool.position(f.alice);
      for (const elapsed of [1n, 7_211n, 43_200n, 86_399n, 86_400n, 200_000n]) {
        await time.increaseTo(start + elapsed);
        const [current, target] = await f.marginPool.parameters();
        const expected = elapsed >= DAY ? next : between(elapsed);
        expect([plain(current), plain(target)], `${elapsed}`).to.deep.equal([expected, next]);
      }
      // nobody's maintenance margin moved; the initial margin is at the new floor
      await publishPrice(f, 194_610000000000000000n);
      const later = await f.marginPool.position(f.alice);
      expect(later.maintenanceMargin <= maintenanceMargin).to.equal(true);
      expect(later.initialMargin > initialMargin).to.equal(true);
      expect(later.liquidatable).to.equal(false);
    });

    it("charge a fill on the way what they are then", async () => {
      const f = await loadFixture(setUp);
      const run = await govern(f, "setParameters", [
        { ...DEFAULTS, takerFeePpm: 450n, insuranceShareBps: 1_100n },
      ]);
      const start = (await now(f)) + 20n;
      await time.setNextBlockTimestamp(start);
      await run();
      await time.increaseTo(start + DAY / 2n - 700n);
      await publishPrice(f, 194_610000000000000000n);
      await f.rebalancer.poke();
      await time.increaseTo(start + DAY / 2n - 30n);
      await publishPrice(f, 194_610000000000000000n);
      await f.rebalancer.poke();
      await request(f, f.bob, -101n * WAD);
      await nextRound(f);
      const before = (await f.marginPool.ledgers()).insuranceFund;
      const { filled, event } = await execute(f, f.bob, start + DAY / 2n);
      expect(event).to.equal("OrderExecuted");
      const { price, band } = await readMarket(f);
      const notional = mul(fromBase(f, -filled!.sizeDelta), mul(price, ONE - band));
      const normal = (await f.marginPool.poolState()).riskState === 0n;
      const rate = normal ? real("0.000475") : real("0.00095");
      expectUnits(filled!.takerFee, mul(notional, rate), decimals.quoteDecimals, 2n, "fee");
      const insured = (await f.marginPool.ledgers()).insuranceFund - before;
      expect(insured).to.equal((filled!.takerFee * 1_050n) / 10_000n);
    });

    it("make nobody liquidatable in the block they are set in", async () => {
      const f = await loadFixture(setUp);
      const run = await govern(f, "setParameters", [{ ...DEFAULTS, initialMarginFloorBps: 440n }]);
      await publishPrice(f, 194_610000000000000000n);
      await f.marginPool.sync();
      const before = await f.marginPool.position(f.alice);
      await run();
      await expect(f.marginPool.liquidate(f.alice)).to.be.revertedWithCustomError(
        f.marginPool,
        "MarginPool_NotLiquidatable",
      );
      const after = await f.marginPool.position(f.alice);
      expect([after.initialMargin, after.maintenanceMargin]).to.deep.equal([
        before.initialMargin,
        before.maintenanceMargin,
      ]);
    });
  });
}

describe("The guardian's pause", () => {
  const setUp = quiet(DECIMALS[0]);

  it("lasts 72 hours and comes once in ten days", async () => {
    const f = await loadFixture(setUp);
    const pool = f.marginPool.connect(f.owner);
    const at = (await now(f)) + 3n;
    await time.setNextBlockTimestamp(at);
    await expect(pool.pauseNewRisk())
      .to.emit(pool, "NewRiskPaused")
      .withArgs(f.owner.address, at + PAUSE);
    expect((await pool.parameters()).pausedUntil).to.equal(at + PAUSE);
    await time.setNextBlockTimestamp(at + INTERVAL - 1n);
    await expect(pool.pauseNewRisk())
      .to.be.revertedWithCustomError(pool, "MarginPool_PauseTooSoon")
      .withArgs(at + INTERVAL - 1n, at + INTERVAL);
    await time.setNextBlockTimestamp(at + INTERVAL);
    await pool.pauseNewRisk();
  });

  it("can be ended early, which does not bring the next one nearer", async () => {
    const f = await loadFixture(setUp);
    const pool = f.marginPool.connect(f.owner);
    await expect(pool.unpauseNewRisk()).to.be.revertedWithCustomError(pool, "MarginPool_NotPaused");
    await pool.pauseNewRisk();
    await expect(pool.unpauseNewRisk()).to.emit(pool, "NewRiskUnpaused");
    expect((await pool.parameters()).pausedUntil).to.equal(0n);
    await expect(pool.pauseNewRisk()).to.be.revertedWithCustomError(
      pool,
      "MarginPool_PauseTooSoon",
    );
    await time.increase(INTERVAL);
    await pool.pauseNewRisk();
  });

  it("is the guardian's and the owner's alone", async () => {
    const f = await loadFixture(setUp);
    const stranger = f.marginPool.connect(f.alice);
    for (const call of [() => stranger.pauseNewRisk(), () => stranger.unpauseNewRisk()]) {
      await expect(call())
        .to.be.revertedWithCustomError(f.marginPool, "MarginPool_OnlyGuardian")
        .withArgs(f.alice.address, f.owner.address);
    }
    await (await govern(f, "pauseNewRisk", []))();
    await f.marginPool.connect(f.owner).unpauseNewRisk();
  });

  it("changes no parameter and survives a change of parameters", async () => {
    const f = await loadFixture(setUp);
    const run = await govern(f, "setParameters", [{ ...DEFAULTS, takerFeePpm: 450n }]);
    await f.marginPool.connect(f.owner).pauseNewRisk();
    const { pausedUntil } = await f.marginPool.parameters();
    await run();
    const [current, next, until] = await f.marginPool.parameters();
    expect([plain(current), plain(next).takerFeePpm, until]).to.deep.equal([
      DEFAULTS,
      450n,
      pausedUntil,
    ]);
    await expect(f.marginPool.connect(f.owner).pauseNewRisk()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_PauseTooSoon",
    );
  });

  it("I24: stops opening orders and LP entry, and nothing else", async () => {
    const f = await loadFixture(setUp);
    const pool = f.marginPool;
    await passTime(f, 660n);
    await depositMargin(f, f.carol, 90_003n * WAD);
    await order(f, f.carol, -307n * WAD);
    await passTime(f, 660n);
    await request(f, f.bob, 11n * WAD);
    await nextRound(f);
    await pool.connect(f.owner).pauseNewRisk();
    const { pausedUntil } = await pool.parameters();
    const paused = (call: Promise<unknown>) =>
      expect(call).to.be.revertedWithCustomError(pool, "MarginPool_Paused").withArgs(pausedUntil);
    await paused(pool.executeOrder(f.bob));
    await paused(pool.previewOrder(f.bob));
    await paused(pool.connect(f.owner).deposit(quoteUnits(f, 100n * WAD), f.owner));
    await paused(pool.connect(f.owner).mint(10n ** 12n, f.owner));
    expect([await pool.maxDeposit(f.owner), await pool.maxMint(f.owner)]).to.deep.equal([0n, 0n]);

    // closing, whole and in part, also where it raises the skew
    const close = async (trader: HardhatEthersSigner, size: bigint) => {
      const { event, reason } = await order(f, trader, size);
      expect(event, reason?.name).to.equal("OrderExecuted");
    };
    await close(f.carol, 103n * WAD);
    await close(f.carol, 204n * WAD);
    await close(f.alice, -11n * WAD);
    // margin in and out, LP exit, sync, rebalancing, claims
    await depositMargin(f, f.alice, 3n * WAD);
    await pool.connect(f.carol).withdrawMargin(quoteUnits(f, 80_000n * WAD));
    const most = await pool.maxWithdraw(f.owner);
    expect(most > 0n).to.equal(true);
    await pool.connect(f.owner).withdraw(most / 2n, f.owner, f.owner);
    await f.rebalancer.poke();
    await pool.connect(f.keeper).claim();
    await request(f, f.carol, 3n * WAD);
    await pool.connect(f.carol).cancelOrder();
    // the order in the queue can be removed when it has expired
    await time.increase(600n);
    await nextRound(f);
    expect((await execute(f, f.bob)).event).to.equal("OrderExpired");
    // liquidation
    await round(f, 61n, 187n * WAD);
    expect((await pool.position(f.alice)).liquidatable).to.equal(true);
    await pool.connect(f.keeper).liquidate(f.alice);
    // and afterwards everything again
    await time.increaseTo(pausedUntil);
    await publishPrice(f, 187n * WAD);
    expect(await pool.connect(f.owner).maxDeposit(f.owner)).to.equal(
      await pool.maxDeposit(f.alice),
    );
    await request(f, f.bob, -11n * WAD);
    await nextRound(f);
    await pool.executeOrder(f.bob);
  });

  it("I24: does not stop deleveraging and settlement", async () => {
    const f = await loadFixture(crowdedShorts(connection, DECIMALS[0]));
    const pool = f.marginPool;
    const price = 105n * WAD;
    await round(f, 61n, price);
    await pool.connect(f.owner).pauseNewRisk();
    await round(f, 601n, price);
    await pool.autoDeleverage();
    await time.increase(3_901n);
    await pool.settle();
    await time.increase(DAY);
    await pool.settle();
    for (const trader of [...f.longs, ...f.shorts]) await pool.settleAccount(trader);
    expect((await pool.parameters()).pausedUntil > (await now(f))).to.equal(true);
    await time.increase(7n * DAY);
    await pool.finalizeSettlement();
    await pool.connect(f.alice).claim();
    const shares = await pool.balanceOf(f.owner);
    await pool.connect(f.owner).redeemInKind(shares, f.owner);
  });
});

describe("Roles", () => {
  const setUp = quiet(DECIMALS[0]);

  it("hand the guardian on through the timelock only", async () => {
    const f = await loadFixture(setUp);
    for (const signer of [f.owner, f.alice]) {
      await expect(f.marginPool.connect(signer).setGuardian(f.alice)).to.be.revertedWithCustomError(
        f.marginPool,
        "OwnableUnauthorizedAccount",
      );
    }
    const run = await govern(f, "setGuardian", [f.carol.address]);
    await expect(run())
      .to.emit(f.marginPool, "GuardianChanged")
      .withArgs(f.owner.address, f.carol.address);
    expect(await f.marginPool.guardian()).to.equal(f.carol.address);
    await expect(f.marginPool.connect(f.owner).pauseNewRisk()).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_OnlyGuardian",
    );
    await f.marginPool.connect(f.carol).pauseNewRisk();
  });

  it("hand ownership on in two steps", async () => {
    const f = await loadFixture(setUp);
    const { marginPool: pool, timelock } = f;
    await expect(pool.connect(f.bob).transferOwnership(f.bob)).to.be.revertedWithCustomError(
      pool,
      "OwnableUnauthorizedAccount",
    );
    await (await govern(f, "transferOwnership", [f.bob.address]))();
    expect([await pool.owner(), await pool.pendingOwner()]).to.deep.equal([
      await timelock.getAddress(),
      f.bob.address,
    ]);
    await expect(pool.connect(f.bob).setGuardian(f.bob)).to.be.revertedWithCustomError(
      pool,
      "OwnableUnauthorizedAccount",
    );
    await expect(pool.connect(f.alice).acceptOwnership()).to.be.revertedWithCustomError(
      pool,
      "OwnableUnauthorizedAccount",
    );
    await pool.connect(f.bob).acceptOwnership();
    expect(await pool.owner()).to.equal(f.bob.address);
    await pool.connect(f.bob).setGuardian(f.bob);
  });

  it("change no ledger, whatever the timelock sets", async () => {
    const f = await loadFixture(setUp);
    const before = await f.marginPool.ledgers();
    const owned = ["setParameters", "setGuardian", "pauseNewRisk"];
    const args = [[{ ...DEFAULTS, takerFeePpm: 450n }], [f.carol.address], []];
    for (const [i, method] of owned.entries()) {
      await (await govern(f, method, args[i]!, BigInt(i)))();
    }
    expect(await f.marginPool.ledgers()).to.deep.equal(before);
  });
});
