import { expect } from "chai";
import { network } from "hardhat";
import type { DeploymentSettings } from "../../../deploy/deployProtocol.ts";
import {
  arbitrage,
  buildPosition,
  currentPrice,
  deployFixture,
  depositMargin,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  quoteUnits,
  trade,
  WAD,
} from "../../support/protocolFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, time } = networkHelpers;

/** IMarginPool.RiskState */
const NORMAL = 0n;
const GUARDED = 1n;
/** Virtual shares beside one unit of virtual assets. */
const VIRTUAL_SHARES = 1_000_000n;
/** w phi = 0.5 x 37.5 bp, half a round trip through a pool at 30 bp */
const FEE_WAD = (1_875n * WAD) / 1_000_000n;
/** max(delta, the feed's deviation threshold) */
const LP_BAND_WAD = (50n * WAD) / 10_000n;
const LOCK = 600n;

const ceilDiv = (a: bigint, b: bigint) => (a > 0n ? (a - 1n) / b + 1n : a / b);
const floorDiv = (a: bigint, b: bigint) => (a >= 0n ? a / b : -((-a + b - 1n) / b));
const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);

/** Carol holds shares that are free to move; alice and bob have margin and no position. */
async function prepare(overrides: Partial<DeploymentSettings>): Promise<ProtocolFixture> {
  const fixture = await deployFixture(connection, overrides);
  const { marginPool, alice, bob, carol } = fixture;
  await depositMargin(fixture, alice, 1_203_007n * WAD);
  await depositMargin(fixture, bob, 1_100_013n * WAD);
  await marginPool.connect(carol).deposit(quoteUnits(fixture, 203_411n * WAD + WAD / 7n), carol);
  await passTime(fixture, LOCK + 60n);
  return fixture;
}

const SIX_EIGHTEEN = { quoteDecimals: 6, baseDecimals: 18 };
const EIGHTEEN_EIGHT = { quoteDecimals: 18, baseDecimals: 8, feedDecimals: 18 };
const fresh = () => prepare(SIX_EIGHTEEN);
const freshOther = () => prepare(EIGHTEEN_EIGHT);

async function withPositions(fixture: ProtocolFixture): Promise<ProtocolFixture> {
  await trade(fixture, fixture.alice, 3_001n * WAD);
  await trade(fixture, fixture.bob, -1_207n * WAD, (await currentPrice(fixture)) + WAD / 3n);
  return fixture;
}
const positions = async () => withPositions(await prepare(SIX_EIGHTEEN));
const positionsOther = async () => withPositions(await prepare(EIGHTEEN_EIGHT));

/** D far below zero, a shock to it still below 5 % of equity. */
async function outside(): Promise<ProtocolFixture> {
  const fixture = await prepare(SIX_EIGHTEEN);
  await buildPosition(fixture, fixture.alice, 12_000n * WAD, 3n);
  return fixture;
}

/** D far above zero: withdrawing raises it. */
async function outsideLong(): Promise<ProtocolFixture> {
  const fixture = await prepare(SIX_EIGHTEEN);
  await buildPosition(fixture, fixture.bob, -11_000n * WAD, 3n);
  return fixture;
}

/**
 * The same after a fall of 10 %: a shock to D would now cost more than 5 % of equity. The pool's average price has
 * followed.
 */
async function guarded(): Promise<ProtocolFixture> {
  const fixture = await outside();
  await publishPrice(fixture, ((await currentPrice(fixture)) * 90n) / 100n);
  await fixture.rebalancer.poke();
  await arbitrage(fixture);
  await passTime(fixture, 3_660n);
  return fixture;
}

/** The same while the pool's average price is still where it was. */
async function fallen(): Promise<ProtocolFixture> {
  const fixture = await outside();
  await publishPrice(fixture, ((await currentPrice(fixture)) * 90n) / 100n);
  await fixture.rebalancer.poke();
  await arbitrage(fixture);
  return fixture;
}

/** Two rounds nobody has looked at: an entry or exit folds them itself. */
async function unread(): Promise<ProtocolFixture> {
  const fixture = await positions();
  for (const step of [3n, -5n]) {
    await time.increase(70n);
    await publishPrice(fixture, (await currentPrice(fixture)) + step * WAD);
  }
  return fixture;
}

const STATES = [
  { name: "fresh, 6/18 decimals", state: fresh },
  { name: "fresh, 18/8 decimals", state: freshOther },
  { name: "long and short open interest, 6/18 decimals", state: positions },
  { name: "long and short open interest, 18/8 decimals", state: positionsOther },
  { name: "exposure below the band", state: outside },
  { name: "exposure above the band", state: outsideLong },
  { name: "Guarded", state: guarded },
  { name: "rounds nobody has read", state: unread },
] as const;

/** E_ask and E_bid over the LP band and E at the price, token units, from the stored ledgers and the formulas. */
async function equities(fixture: ProtocolFixture) {
  const { marginPool, settings } = fixture;
  const book = await marginPool.ledgers();
  const [qs, bs] = [
    10n ** BigInt(18 - settings.quoteDecimals),
    10n ** BigInt(18 - settings.baseDecimals),
  ];
  const price = await currentPrice(fixture);
  const lower = (price * (WAD - LP_BAND_WAD)) / WAD;
  const upper = ceilDiv(price * (WAD + LP_BAND_WAD), WAD);
  const q = book.inventoryQuote * qs;
  const [b, long, short] = [
    book.inventoryBase * bs,
    book.longOpenInterest * bs,
    book.shortOpenInterest * bs,
  ];
  const [longEntry, shortEntry] = [book.longEntryNotional * qs, book.shortEntryNotional * qs];
  const [accrualLong, accrualShort] = [book.longAccrual * qs, book.shortAccrual * qs];
  const claims = book.unpaidClaims * qs;
  const prudent = (p: bigint) =>
    q +
    floorDiv(b * p, WAD) +
    min(longEntry - ceilDiv(long * p, WAD), (book.longCollateral * qs * 9n) / 10n) +
    min(floorDiv(short * p, WAD) - shortEntry, (book.shortCollateral * qs * 9n) / 10n) +
    min(accrualLong, 0n) +
    min(accrualShort, 0n) -
    claims;
  const generous = (p: bigint) => {
    const value = (b - long + short) * p;
    return (
      q +
      (value > 0n ? (value - 1n) / WAD + 1n : value / WAD) +
      longEntry -
      shortEntry +
      max(accrualLong, 0n) +
      max(accrualShort, 0n) +
      (book.skewPremium + book.pendingIncome) * qs -
      claims
    );
  };
  return {
    bid: min(prudent(lower), prudent(upper)) / qs,
    ask: ceilDiv(max(generous(lower), generous(upper)), qs),
    mid:
      (q +
        floorDiv(b * price, WAD) -
        (ceilDiv((long - short) * price, WAD) - longEntry + shortEntry) +
        accrualLong +
        accrualShort -
        claims) /
      qs,
  };
}

const netDown = (gross: bigint) => gross - ceilDiv(gross * FEE_WAD, WAD);
const grossUp = (net: bigint) => ceilDiv(net * WAD, WAD - FEE_WAD);

/** Runs at one future second: previews and the action see the same state. */
async function atOneMoment(fixture: ProtocolFixture, seconds = 13n): Promise<void> {
  await time.setNextBlockTimestamp((await now(fixture)) + seconds);
}
const pending = { blockTag: "pending" } as const;

for (const { name, state } of STATES) {
  describe(`LP shares in the state: ${name}`, () => {
    it(`previews equal what the actions do in the same state`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, quote, carol, settings } = fixture;
      const lp = marginPool.connect(carol);
      const assets = quoteUnits(fixture, 12_345n * WAD) + 678_901n;
      const shares = 9_876n * 10n ** BigInt(settings.quoteDecimals + 6) + 54_321n;
      const inAssets = async () => quote.balanceOf(carol);
      const inShares = async () => marginPool.balanceOf(carol);

      await atOneMoment(fixture);
      const [minted, held] = [await lp.previewDeposit(assets, pending), await inShares()];
      await lp.deposit(assets, carol);
      expect((await inShares()) - held).to.equal(minted);
      expect(minted).to.be.gt(0n);

      await atOneMoment(fixture);
      const [cost, cash] = [await lp.previewMint(shares, pending), await inAssets()];
      await lp.mint(shares, carol);
      expect(cash - (await inAssets())).to.equal(cost);

      await atOneMoment(fixture);
      const [burned, before] = [await lp.previewWithdraw(assets, pending), await inShares()];
      await lp.withdraw(assets, carol, carol);
      expect(before - (await inShares())).to.equal(burned);

      await atOneMoment(fixture);
      const [paid, purse] = [await lp.previewRedeem(shares, pending), await inAssets()];
      await lp.redeem(shares, carol, carol);
      expect((await inAssets()) - purse).to.equal(paid);
      expect(paid).to.be.gt(0n);
    });

    it(`entry is priced at E_ask and exit at E_bid, each with the fee`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool } = fixture;
      await marginPool.sync();
      const { ask, bid, mid } = await equities(fixture);
      const supply = (await marginPool.totalSupply()) + VIRTUAL_SHARES;
      const latest = { blockTag: "latest" } as const;
      expect(bid).to.be.lt(mid);
      expect(mid).to.be.lt(ask);
      expect(await marginPool.totalAssets(latest)).to.equal(mid);
      for (const amount of [
        quoteUnits(fixture, WAD / 1_000n) + 1n,
        quoteUnits(fixture, 77_777n * WAD) + 313n,
      ]) {
        expect(await marginPool.previewDeposit(amount, latest)).to.equal(
          (netDown(amount) * supply) / (ask + 1n),
        );
        expect(await marginPool.previewMint(amount * VIRTUAL_SHARES, latest)).to.equal(
          grossUp(ceilDiv(amount * VIRTUAL_SHARES * (ask + 1n), supply)),
        );
        expect(await marginPool.previewWithdraw(amount, latest)).to.equal(
          ceilDiv(grossUp(amount) * supply, bid + 1n),
        );
        expect(await marginPool.previewRedeem(amount * VIRTUAL_SHARES, latest)).to.equal(
          netDown((amount * VIRTUAL_SHARES * (bid + 1n)) / supply),
        );
        expect(await marginPool.convertToShares(amount, latest)).to.equal(
          (amount * supply) / (mid + 1n),
        );
        expect(await marginPool.convertToAssets(amount * VIRTUAL_SHARES, latest)).to.equal(
          (amount * VIRTUAL_SHARES * (mid + 1n)) / supply,
        );
      }
    });

    it("an entry undone in the same second would return less than went in", async () => {
      const fixture = await loadFixture(state);
      const { marginPool } = fixture;
      for (const assets of [7n, 1_003n, quoteUnits(fixture, 250_007n * WAD)]) {
        await atOneMoment(fixture);
        const shares = await marginPool.previewDeposit(assets, pending);
        expect(await marginPool.previewRedeem(shares, pending)).to.be.lt(assets);
        expect(await marginPool.previewMint(shares, pending)).to.be.lte(assets);
      }
    });
    it(`exactly the maximum enters`, async () => {
      const { marginPool, quote, keeper } = await loadFixture(state);
      const fixture = await loadFixture(state);
      const lp = marginPool.connect(keeper);
      await quote.mint(keeper, 2n ** 97n);
      await atOneMoment(fixture);
      const most = await lp.maxDeposit(keeper, pending);
      expect(most).to.be.gt(quoteUnits(fixture, 1_000n * WAD));
      await lp.deposit(most, keeper);

      const again = await loadFixture(state);
      await quote.mint(keeper, 2n ** 97n);
      await atOneMoment(again);
      const shares = await lp.maxMint(keeper, pending);
      expect(shares).to.be.gt(0n);
      await lp.mint(shares, keeper);
      expect(await marginPool.balanceOf(keeper)).to.equal(shares);
    });

    it(`exactly the maximum leaves and one unit more does not`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, owner, carol } = fixture;
      for (const lp of [carol, owner]) {
        const start = await networkHelpers.takeSnapshot();
        const vault = marginPool.connect(lp);
        await atOneMoment(fixture);
        const most = await vault.maxWithdraw(lp, pending);
        expect(most).to.be.gt(quoteUnits(fixture, 1_000n * WAD));
        await expect(vault.withdraw.staticCall(most + 1n, lp, lp, pending)).to.be.revert(ethers);
        await vault.withdraw(most, lp, lp);
        expect((await marginPool.poolState()).solvencyRatioWad).to.be.gte((15n * WAD) / 10n);
        await start.restore();

        await atOneMoment(fixture);
        const shares = await vault.maxRedeem(lp, pending);
        // Where the pool and not the owner's balance is the limit, a share is far less than a unit of quote.
        const unit =
          shares === (await marginPool.balanceOf(lp))
            ? 1n
            : (await vault.previewWithdraw(1n, pending)) + VIRTUAL_SHARES;
        await expect(vault.redeem.staticCall(shares + unit, lp, lp, pending)).to.be.revert(ethers);
        await vault.redeem(shares, lp, lp);
        expect((await marginPool.poolState()).solvencyRatioWad).to.be.gte((15n * WAD) / 10n);
        await start.restore();
      }
    });
  });
}

describe("LP shares: prices", () => {
  it("use the quote token with six more decimals", async () => {
    for (const state of [fresh, freshOther]) {
      const fixture = await loadFixture(state);
      const { marginPool, quote, base, settings } = fixture;
      expect(await marginPool.asset()).to.equal(await quote.getAddress());
      expect(await marginPool.decimals()).to.equal(BigInt(settings.quoteDecimals + 6));
      expect(await quote.decimals()).to.equal(BigInt(settings.quoteDecimals));
      expect(await base.decimals()).to.equal(BigInt(settings.baseDecimals));
    }
  });

  it("books the fee of an entry and of an exit as income on its way", async () => {
    const fixture = await loadFixture(fresh);
    const { marginPool, carol, quote } = fixture;
    const assets = quoteUnits(fixture, 54_321n * WAD) + 99n;
    for (const enters of [true, false]) {
      await marginPool.sync();
      await atOneMoment(fixture, 1n);
      const before = await marginPool.ledgers();
      if (enters) await marginPool.connect(carol).deposit(assets, carol);
      else await marginPool.connect(carol).withdraw(assets, carol, carol);
      const after = await marginPool.ledgers();
      const fee = enters ? assets - netDown(assets) : grossUp(assets) - assets;
      // a second's income of a day's average, at most, moved from S to q meanwhile
      const earned = before.pendingIncome / 86_400n;
      expect(after.pendingIncome - before.pendingIncome).to.be.closeTo(fee, earned + 1n);
      expect(
        after.pendingIncome + after.inventoryQuote - before.pendingIncome - before.inventoryQuote,
      ).to.equal(enters ? assets : -assets);
      expect(fee * 1_000_000n).to.be.closeTo(assets * 1_875n, assets * 4n);
      expect(await quote.balanceOf(marginPool)).to.be.gte(after.inventoryQuote);
    }
  });

  it("a deposit and a withdrawal at one price return at most what went in", async () => {
    for (const state of [fresh, positions, positionsOther, outside]) {
      const fixture = await loadFixture(state);
      const { marginPool, quote, keeper, settings } = fixture;
      const lp = marginPool.connect(keeper);
      let seed = 0x9e3779b97f4a7c15n;
      for (let i = 0; i < 6; i += 1) {
        seed = (seed * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
        // three units to 300,000 quote, spread over the magnitudes
        const digits = seed % BigInt(settings.quoteDecimals + 5);
        const assets = 3n + ((seed >> 20n) % (3n * 10n ** digits));
        const before = await quote.balanceOf(keeper);
        if (i % 2 === 0) await lp.deposit(assets, keeper);
        else await lp.mint(assets * VIRTUAL_SHARES, keeper);
        const spent = before - (await quote.balanceOf(keeper));
        await passTime(fixture, LOCK + 1n);
        const shares = await marginPool.balanceOf(keeper);
        expect(await lp.maxRedeem(keeper)).to.equal(shares);
        await lp.redeem(shares, keeper, keeper);
        const returned = (await quote.balanceOf(keeper)) - before + spent;
        expect(returned, `${assets} units, ${spent} spent`).to.be.lt(spent);
      }
    }
  });
});

describe("LP shares: limits", () => {
  it("the states above are what their names say", async () => {
    const band = async (fixture: ProtocolFixture) => {
      const { netExposureWad, outerBandWad, riskState } = await fixture.marginPool.snapshot();
      return { netExposureWad, outerBandWad, riskState };
    };
    const [calm, below, above, strained] = [
      await band(await loadFixture(positions)),
      await band(await loadFixture(outside)),
      await band(await loadFixture(outsideLong)),
      await band(await loadFixture(guarded)),
    ];
    expect(calm.netExposureWad).to.be.gt(-calm.outerBandWad);
    expect(below.netExposureWad).to.be.lt(-below.outerBandWad);
    expect(above.netExposureWad).to.be.gt(above.outerBandWad);
    expect([calm, below, above].map(({ riskState }) => riskState)).to.deep.equal([
      NORMAL,
      NORMAL,
      NORMAL,
    ]);
    expect(strained.riskState).to.equal(GUARDED);
  });

  it("a withdrawal that would leave the pool Guarded is beyond the maximum", async () => {
    const fixture = await loadFixture(outsideLong);
    const { marginPool, owner } = fixture;
    const most = await marginPool.maxWithdraw(owner);
    await marginPool.connect(owner).withdraw((most * 999_999n) / 1_000_000n, owner, owner);
    const state = await marginPool.snapshot();
    expect(state.riskState).to.equal(NORMAL);
    // sigma 60 %: the shock is its 20 % floor
    const shock = (state.netExposureWad * state.indexPriceWad) / WAD / 5n;
    expect(shock * 1_000n).to.be.within(state.equityWad * 49n, state.equityWad * 50n + WAD);
  });

  it("nothing enters or leaves while the pool's average price is far from the index", async () => {
    const fixture = await loadFixture(fallen);
    const { marginPool, carol } = fixture;
    const lp = marginPool.connect(carol);
    for (const maximum of ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"] as const) {
      expect(await lp[maximum](carol)).to.equal(0n);
    }
    for (const call of [
      lp.deposit.staticCall(10n ** 9n, carol),
      lp.mint.staticCall(10n ** 15n, carol),
      lp.withdraw.staticCall(10n ** 6n, carol, carol),
      lp.redeem.staticCall(10n ** 12n, carol, carol),
    ]) {
      await expect(call).to.be.revertedWithCustomError(
        marginPool,
        "MarginPool_PriceFarFromAverage",
      );
    }
    // half an hour at the new price is half of what the average looks at
    await passTime(fixture, 3_660n);
    expect(await lp.maxWithdraw(carol)).to.be.gt(0n);
    await lp.withdraw(10n ** 6n, carol, carol);
  });

  it("with three unread rounds nothing enters or leaves until somebody pokes", async () => {
    const fixture = await loadFixture(unread);
    const { marginPool, rebalancer, carol } = fixture;
    await time.increase(70n);
    await publishPrice(fixture, (await currentPrice(fixture)) + WAD);
    const lp = marginPool.connect(carol);
    expect(await lp.maxDeposit(carol)).to.equal(0n);
    expect(await lp.maxMint(carol)).to.equal(0n);
    expect(await lp.maxWithdraw(carol)).to.equal(0n);
    expect(await lp.maxRedeem(carol)).to.equal(0n);
    const { roundId } = await marginPool.snapshot();
    for (const call of [
      lp.deposit.staticCall(10n ** 9n, carol),
      lp.mint.staticCall(10n ** 15n, carol),
      lp.withdraw.staticCall(10n ** 6n, carol, carol),
      lp.redeem.staticCall(10n ** 12n, carol, carol),
    ]) {
      await expect(call)
        .to.be.revertedWithCustomError(marginPool, "MarginPool_VolatilityBehind")
        .withArgs(roundId);
    }
    await rebalancer.poke();
    expect(await lp.maxWithdraw(carol)).to.be.gt(0n);
    await lp.deposit(10n ** 9n, carol);
  });

  it("refuses amounts that round to nothing", async () => {
    const { marginPool, carol } = await loadFixture(fresh);
    const lp = marginPool.connect(carol);
    for (const call of [
      lp.deposit(0n, carol),
      lp.mint(0n, carol),
      lp.withdraw(0n, carol, carol),
      lp.redeem(0n, carol, carol),
    ]) {
      await expect(call).to.be.revertedWithCustomError(marginPool, "MarginPool_ZeroAmount");
    }
  });

  for (const [decimals, state] of [
    ["6/18", fresh],
    ["18/8", freshOther],
  ] as const) {
    it(`dust worth less than a unit leaves for nothing, as its maximum says, ${decimals} decimals`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, quote, carol, bob } = fixture;
      for (const dust of [1n, 400_000n]) {
        await marginPool.connect(carol).transfer(bob, dust);
        const [supply, purse] = [await marginPool.totalSupply(), await quote.balanceOf(bob)];
        expect(await marginPool.maxRedeem(bob)).to.equal(dust);
        expect(await marginPool.maxWithdraw(bob)).to.equal(0n);
        expect(await marginPool.previewRedeem(dust)).to.equal(0n);
        const before = await marginPool.ledgers();
        await expect(marginPool.connect(bob).redeem(dust, bob, bob))
          .to.emit(marginPool, "Withdraw")
          .withArgs(bob.address, bob.address, bob.address, 0n, dust);
        const after = await marginPool.ledgers();
        expect(await marginPool.balanceOf(bob)).to.equal(0n);
        expect(await marginPool.totalSupply()).to.equal(supply - dust);
        expect(await quote.balanceOf(bob)).to.equal(purse);
        expect(after.inventoryQuote + after.pendingIncome + after.skewPremium).to.equal(
          before.inventoryQuote + before.pendingIncome + before.skewPremium,
        );
        await expect(marginPool.connect(bob).withdraw(0n, bob, bob)).to.be.revertedWithCustomError(
          marginPool,
          "MarginPool_ZeroAmount",
        );
      }
    });
  }

  it("a spender needs an allowance of shares", async () => {
    const { marginPool, carol, bob } = await loadFixture(fresh);
    const shares = 10n ** 15n;
    await expect(marginPool.connect(bob).redeem(shares, bob, carol)).to.be.revertedWithCustomError(
      marginPool,
      "ERC20InsufficientAllowance",
    );
    await marginPool.connect(carol).approve(bob, shares);
    await marginPool.connect(bob).redeem(shares, bob, carol);
    expect(await marginPool.allowance(carol, bob)).to.equal(0n);
  });
});

describe("LP shares: while the price is bad", () => {
  const BAD = [
    ["stale", async () => void (await time.increase(3_901n))],
    ["zero", async (f: ProtocolFixture) => publishPrice(f, 0n)],
    ["negative", async (f: ProtocolFixture) => publishPrice(f, -WAD)],
    [
      "incomplete",
      async (f: ProtocolFixture) => {
        const id = (await f.feed.latestRoundId()) + 1n;
        await f.feed.setRound(id, 19_461_000_000n, await now(f), 0n, id);
      },
    ],
  ] as const;

  for (const [name, spoil] of BAD) {
    it(`maximums are zero and values stand at the last good price: ${name}`, async () => {
      for (const state of [fresh, positions]) {
        const fixture = await loadFixture(state);
        const { marginPool, priceOracle, carol } = fixture;
        // the price that stays is the volatility's last sample
        await passTime(fixture, 61n);
        await marginPool.sync();
        const { mid } = await equities(fixture);
        await spoil(fixture);
        expect(await priceOracle.isGood()).to.equal(false);
        for (const maximum of ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"] as const) {
          expect(await marginPool[maximum](carol)).to.equal(0n);
        }
        const total = await marginPool.totalAssets(pending);
        // income and funding of at most an hour come on top
        expect(total).to.be.within(mid, mid + mid / 50_000n);
        const supply = (await marginPool.totalSupply()) + VIRTUAL_SHARES;
        await atOneMoment(fixture);
        const value = await marginPool.totalAssets(pending);
        expect(await marginPool.convertToShares(10n ** 9n, pending)).to.equal(
          (10n ** 9n * supply) / (value + 1n),
        );
        expect(await marginPool.convertToAssets(10n ** 15n, pending)).to.equal(
          (10n ** 15n * (value + 1n)) / supply,
        );
      }
    });
  }
});
