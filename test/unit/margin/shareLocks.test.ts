import { expect } from "chai";
import { network } from "hardhat";
import {
  arbitrage,
  baseUnits,
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

const LOCK = 600n;
const DEPOSIT = 203_411_234_567n;
/** w phi = 0.5 x 37.5 bp */
const ENTRY_FEE_PPM = 1_875n;
const PENDING = { blockTag: "pending" } as const;

const seeded = () => deployFixture(connection);
const empty = () => deployFixture(connection, { lpEquity: 0n, insurance: 0n });
const emptyOther = () =>
  deployFixture(connection, {
    lpEquity: 0n,
    insurance: 0n,
    quoteDecimals: 18,
    baseDecimals: 8,
    feedDecimals: 18,
  });

describe("LP shares: lock", () => {
  it("new shares neither move nor redeem for ten minutes, to the second", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, carol, bob } = fixture;
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    const mintedAt = await now(fixture);
    const shares = await marginPool.balanceOf(carol);
    expect(await marginPool.shareLock(carol)).to.deep.equal([shares, mintedAt + LOCK]);
    expect(await marginPool.maxRedeem(carol)).to.equal(0n);
    expect(await marginPool.maxWithdraw(carol)).to.equal(0n);

    await time.setNextBlockTimestamp(mintedAt + LOCK - 1n);
    const calls = [
      marginPool.connect(carol).transfer.staticCall(bob, 1n, { blockTag: "pending" }),
      marginPool.connect(carol).redeem.staticCall(shares, bob, carol, { blockTag: "pending" }),
    ];
    for (const [call, amount] of [
      [calls[0]!, 1n],
      [calls[1]!, shares],
    ] as const) {
      await expect(call)
        .to.be.revertedWithCustomError(marginPool, "MarginPool_SharesLocked")
        .withArgs(carol.address, amount, 0n, mintedAt + LOCK);
    }
    await networkHelpers.mine();
    await time.setNextBlockTimestamp(mintedAt + LOCK);
    await marginPool.connect(carol).transfer(bob, shares);
    expect(await marginPool.balanceOf(bob)).to.equal(shares);
    expect(await marginPool.shareLock(carol)).to.deep.equal([0n, mintedAt + LOCK]);
    // shares that were received are free
    await marginPool.connect(bob).redeem(shares, bob, bob);
  });

  it("older shares stay free beside locked ones", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, carol, bob } = fixture;
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    const free = await marginPool.balanceOf(carol);
    await time.increase(LOCK);
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    const total = await marginPool.balanceOf(carol);
    expect((await marginPool.shareLock(carol)).lockedShares).to.equal(total - free);
    expect(await marginPool.maxRedeem(carol)).to.equal(free);
    await expect(marginPool.connect(carol).transfer(bob, free + 1n)).to.be.revertedWithCustomError(
      marginPool,
      "MarginPool_SharesLocked",
    );
    await marginPool.connect(carol).transfer(bob, free);
  });

  it("dust minted to somebody does not extend their lock", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, carol, bob } = fixture;
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    const shares = await marginPool.balanceOf(carol);
    const { unlockAt } = await marginPool.shareLock(carol);
    for (let i = 0; i < 12; i += 1) {
      await time.increase(45n);
      await marginPool.connect(bob).mint(1_000_000n, carol);
    }
    const lock = await marginPool.shareLock(carol);
    expect(lock.lockedShares).to.equal(shares + 12_000_000n);
    expect(lock.unlockAt).to.be.lte(unlockAt);
    await time.setNextBlockTimestamp(unlockAt);
    await marginPool.connect(carol).redeem(shares, carol, carol);
  });

  it("a second deposit moves the end of the lock to the share-weighted mean of what remains", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, carol } = fixture;
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    const firstAt = await now(fixture);
    const first = await marginPool.balanceOf(carol);
    await time.setNextBlockTimestamp(firstAt + 400n);
    await marginPool.connect(carol).deposit(3n * DEPOSIT, carol);
    const second = (await marginPool.balanceOf(carol)) - first;
    const { lockedShares, unlockAt } = await marginPool.shareLock(carol);
    expect(lockedShares).to.equal(first + second);
    expect(unlockAt - firstAt - 400n).to.equal((first * 200n + second * 600n) / (first + second));
    expect(unlockAt - firstAt - 400n).to.be.within(498n, 501n);
  });
});

describe("LP shares: first liquidity", () => {
  for (const [name, state] of [
    ["6/18", empty],
    ["18/8", emptyOther],
  ] as const) {
    it(`bootstrap mints at the index price, once, ${name} decimals`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, alice } = fixture;
      const [base, quote] = [
        baseUnits(fixture, 1_234n * WAD + WAD / 7n),
        quoteUnits(fixture, 251_007n * WAD + WAD / 3n),
      ];
      const value =
        quote +
        (base * (await currentPrice(fixture)) * 10n ** BigInt(fixture.settings.quoteDecimals)) /
          (WAD * 10n ** BigInt(fixture.settings.baseDecimals));
      await expect(marginPool.connect(alice).bootstrap(base, quote))
        .to.emit(marginPool, "Bootstrapped")
        .withArgs(alice.address, base, quote, value * 1_000_000n, await currentPrice(fixture));
      expect(await marginPool.balanceOf(alice)).to.equal(value * 1_000_000n);
      const { lockedShares } = await marginPool.shareLock(alice);
      expect(lockedShares).to.equal(value * 1_000_000n);
      expect(await marginPool.totalAssets()).to.equal(value);
      await expect(marginPool.connect(alice).bootstrap(base, quote))
        .to.be.revertedWithCustomError(marginPool, "MarginPool_AlreadyBootstrapped")
        .withArgs(value * 1_000_000n);
    });

    it(`bootstrap needs 1,000 quote of equity, ${name} decimals`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool } = fixture;
      const least = quoteUnits(fixture, 1_000n * WAD);
      await expect(marginPool.bootstrap(0n, least - 1n))
        .to.be.revertedWithCustomError(marginPool, "MarginPool_BootstrapTooSmall")
        .withArgs(least - 1n, least);
      await marginPool.bootstrap(0n, least);
      expect(await marginPool.totalAssets()).to.equal(least);
    });

    it(`the first depositor cannot take from the second by donating, ${name} decimals`, async () => {
      for (const firstWad of [1_000n * WAD, 20_003n * WAD]) {
        const fixture = await loadFixture(state);
        const { marginPool, quote, base, alice, bob } = fixture;
        const first = quoteUnits(fixture, firstWad) + 2n;
        await marginPool.connect(alice).bootstrap(0n, first);
        await quote.mint(marginPool, 10n ** 24n);
        await base.mint(marginPool, 10n ** 24n);
        const victim = quoteUnits(fixture, 10_007n * WAD) + 11n;
        const { pendingIncome } = await marginPool.ledgers();
        await marginPool.connect(bob).deposit(victim, bob);
        // After the entry fee, and counting the income on its way that an entrant pays for.
        const fee = (victim * ENTRY_FEE_PPM) / 1_000_000n;
        const paidIn = victim - fee;
        const equity = (await marginPool.totalAssets({ blockTag: "latest" })) + pendingIncome;
        const supply = (await marginPool.totalSupply()) + 1_000_000n;
        const worth = ((await marginPool.balanceOf(bob)) * equity) / supply;
        expect(paidIn - worth).to.be.lte(paidIn / 1_000_000n);
        await passTime(fixture, LOCK);
        const taken = await marginPool.convertToAssets(await marginPool.balanceOf(alice));
        // her own and no more than her part of what the victim's entry fee makes of it
        expect(taken).to.be.lte(first + (fee * first) / (first + paidIn) + 1n);
      }
    });

    it(`nothing can take the place of the first liquidity before it, ${name} decimals`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, quote, alice, bob } = fixture;
      const deposits = [1n, 7n, quoteUnits(fixture, WAD), quoteUnits(fixture, 50_003n * WAD)];
      const calls = deposits.flatMap((amount) => [
        () => marginPool.connect(bob).deposit(amount, bob),
        () => marginPool.connect(bob).mint(amount * 1_000_000n, bob),
        () => marginPool.connect(bob).redeem(amount, bob, bob),
        () => marginPool.connect(bob).withdraw(amount, bob, bob),
      ]);
      const expectClosed = async () => {
        expect(await marginPool.maxDeposit(bob)).to.equal(0n);
        expect(await marginPool.maxMint(bob)).to.equal(0n);
        for (const call of calls) {
          await expect(call()).to.be.revertedWithCustomError(
            marginPool,
            "MarginPool_NotBootstrapped",
          );
        }
        expect(await marginPool.totalSupply()).to.equal(0n);
      };
      await expectClosed();
      await quote.mint(marginPool, 3n);
      await marginPool.skim();
      await depositMargin(fixture, bob, WAD);
      await expectClosed();

      const [base, inQuote] = [
        baseUnits(fixture, 1_234n * WAD),
        quoteUnits(fixture, 251_007n * WAD),
      ];
      await marginPool.connect(alice).bootstrap(base, inQuote);
      const value = await marginPool.totalAssets();
      expect(await marginPool.balanceOf(alice)).to.equal(value * 1_000_000n);
      expect(await marginPool.maxDeposit(bob)).to.be.gt(0n);
      expect(await marginPool.maxMint(bob)).to.be.gt(0n);
      await marginPool.connect(bob).deposit(deposits[2]!, bob);
      expect(await marginPool.balanceOf(bob)).to.be.gt(0n);
    });
  }

  it("every later deposit is in quote", async () => {
    const { marginPool, quote, base, carol } = await loadFixture(seeded);
    const held = [await base.balanceOf(marginPool), await quote.balanceOf(marginPool)];
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    expect(await base.balanceOf(marginPool)).to.equal(held[0]);
    expect(await quote.balanceOf(marginPool)).to.equal(held[1]! + DEPOSIT);
  });
});

describe("LP shares: donations", () => {
  it("of quote or base move no price, and skim gives the quote to insurance", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, quote, base, bob, carol } = fixture;
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    await marginPool.sync();
    const moment = (await now(fixture)) + 100n;
    const view = async () => {
      const at = { blockTag: "pending" } as const;
      return [
        await marginPool.totalAssets(at),
        await marginPool.convertToAssets(10n ** 18n, at),
        await marginPool.previewDeposit(10n ** 10n, at),
        await marginPool.previewRedeem(10n ** 16n, at),
        await marginPool.maxWithdraw(carol, at),
      ];
    };
    const undo = await networkHelpers.takeSnapshot();
    await time.setNextBlockTimestamp(moment);
    const before = await view();
    await undo.restore();

    const insurance = (await marginPool.ledgers()).insuranceFund;
    const gift = 777_777_123_457n;
    await quote.mint(marginPool, gift);
    await base.mint(marginPool, 10n ** 24n);
    const withGift = await networkHelpers.takeSnapshot();
    await time.setNextBlockTimestamp(moment);
    expect(await view()).to.deep.equal(before);
    await withGift.restore();

    await expect(marginPool.connect(bob).skim())
      .to.emit(marginPool, "InsuranceSkimmed")
      .withArgs(bob.address, gift, insurance + gift);
    await time.setNextBlockTimestamp(moment);
    expect(await view()).to.deep.equal(before);
    expect((await marginPool.ledgers()).insuranceFund).to.equal(insurance + gift);
    await marginPool.skim();
    expect((await marginPool.ledgers()).insuranceFund).to.equal(insurance + gift);
  });
});

describe("LP shares: margin beside a position", () => {
  /**
   * Alice, on one side, has lost more than nine tenths of her margin, so that E_bid counts her margin and not her loss;
   * bob has dust on the same side.
   */
  async function strained(sign: bigint): Promise<ProtocolFixture> {
    const fixture = await deployFixture(connection);
    const { alice, bob, rebalancer } = fixture;
    await depositMargin(fixture, alice, 60_007n * WAD);
    await depositMargin(fixture, bob, 31n * WAD); // more than the dust is worth
    await passTime(fixture, LOCK + 60n);
    await trade(fixture, alice, sign * 2_003n * WAD);
    await trade(fixture, bob, (sign * WAD) / 10n);
    await publishPrice(fixture, ((await currentPrice(fixture)) * (100n - sign * 16n)) / 100n);
    await rebalancer.poke();
    return fixture;
  }
  const lostLong = () => strained(1n);
  const lostShort = () => strained(-1n);

  for (const [name, sign, state] of [
    ["long", 1n, lostLong],
    ["short", -1n, lostShort],
  ] as const) {
    const side = name === "long" ? "longCollateral" : "shortCollateral";

    it(`raises neither E_bid nor what LPs get, and lowers no required capital, on a dust ${name}`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, alice, bob, owner } = fixture;
      const { collateral: margin, size } = await marginPool.marginAccount(alice);
      const { unrealizedProfit } = await marginPool.position(alice);
      expect(size).to.equal(sign * 2_003n * WAD);
      expect(-unrealizedProfit * 10n).to.be.gt(margin * 9n);

      const moment = (await now(fixture)) + 100n;
      const view = async () => {
        const { equityBidWad, requiredCapitalWad, solvencyRatioWad } =
          await marginPool.snapshot(PENDING);
        const redeemed = await marginPool.previewRedeem(10n ** 16n, PENDING);
        const most = await marginPool.maxWithdraw(owner, PENDING);
        return { equityBidWad, requiredCapitalWad, solvencyRatioWad, redeemed, most };
      };
      const undo = await networkHelpers.takeSnapshot();
      await time.setNextBlockTimestamp(moment);
      const before = await view();
      await undo.restore();
      await depositMargin(fixture, bob, 900_001n * WAD);
      const parked = await networkHelpers.takeSnapshot();
      await time.setNextBlockTimestamp(moment);
      expect(await view()).to.deep.equal(before);
      await parked.restore();

      // Margin that stands behind a loss does count.
      await depositMargin(fixture, alice, 5_003n * WAD);
      await time.setNextBlockTimestamp(moment);
      const backed = await view();
      expect(backed.equityBidWad - before.equityBidWad).to.be.gt(1_000n * WAD);
      expect(backed.redeemed).to.be.gt(before.redeemed);
    });

    it(`counts at most an account's entry notional behind a ${name}, the rest as free`, async () => {
      const fixture = await loadFixture(state);
      const { marginPool, alice, bob, carol, owner, keeper } = fixture;
      const expectLedgers = async () => {
        let [behind, free] = [0n, 0n];
        for (const account of [alice, bob, carol, owner]) {
          const { collateral, entryNotional } = await marginPool.marginAccount(account);
          behind += collateral < entryNotional ? collateral : entryNotional;
          free += collateral > entryNotional ? collateral - entryNotional : 0n;
        }
        const book = await marginPool.ledgers();
        expect(book[side]).to.equal(behind);
        // beside the free margin only what executors were credited
        expect(book.custodyQuote).to.equal(free + (await marginPool.creditedOf(keeper)));
        expect(book.longCollateral + book.shortCollateral).to.equal(behind);
        return { behind, free };
      };
      const start = await expectLedgers();
      expect(start.free).to.be.within(1n, quoteUnits(fixture, 12n * WAD));
      await depositMargin(fixture, bob, 900_001n * WAD);
      await depositMargin(fixture, carol, 77n * WAD);
      const parked = await expectLedgers();
      expect(parked.behind).to.equal(start.behind);
      await depositMargin(fixture, alice, 400_001n * WAD); // beyond her entry notional
      const { entryNotional } = await marginPool.marginAccount(alice);
      expect((await expectLedgers()).behind).to.be.within(
        entryNotional,
        entryNotional + 20n * 10n ** 6n,
      );
      await trade(fixture, alice, -sign * 1_001n * WAD);
      await expectLedgers();
      await trade(fixture, bob, -sign * (WAD / 10n)); // closes
      await expectLedgers();
      await marginPool
        .connect(bob)
        .withdrawMargin((await marginPool.marginAccount(bob)).collateral);
      await marginPool.connect(alice).withdrawMargin(12_345n);
      await expectLedgers();
    });
  }
});

describe("LP shares: being LP around one's own close", () => {
  /** Everything alice owns once she has closed and left: wallet and margin. */
  async function wealth({ quote, marginPool, alice }: ProtocolFixture): Promise<bigint> {
    const { collateral, size, unpaidClaim } = await marginPool.marginAccount(alice);
    expect(size).to.equal(0n);
    return (await quote.balanceOf(alice)) + collateral + unpaidClaim;
  }

  for (const [name, sizeWad, movePercent] of [
    ["a long that lost", 4_003n, -6n],
    ["a long that gained", 4_003n, 6n],
    ["a short that lost", -4_003n, 6n],
    ["a short that gained", -4_003n, -6n],
  ] as const) {
    it(`gains nothing: ${name}`, async () => {
      const results: bigint[] = [];
      for (const assets of [0n, 500_009_000_000n, 1_500_003_000_000n]) {
        const fixture = await loadFixture(seeded);
        const { marginPool, alice } = fixture;
        await depositMargin(fixture, alice, 1_203_007n * WAD);
        await trade(fixture, alice, sizeWad * WAD);
        await passTime(fixture, LOCK);
        await publishPrice(fixture, ((await currentPrice(fixture)) * (100n + movePercent)) / 100n);
        await fixture.rebalancer.poke();
        if (assets > 0n) await marginPool.connect(alice).deposit(assets, alice);
        await trade(fixture, alice, -sizeWad * WAD);
        await passTime(fixture, LOCK);
        const shares = await marginPool.balanceOf(alice);
        if (shares > 0n) {
          expect(await marginPool.maxRedeem(alice)).to.equal(shares);
          await marginPool.connect(alice).redeem(shares, alice, alice);
        }
        results.push(await wealth(fixture));
      }
      const [without, small, large] = results as [bigint, bigint, bigint];
      expect(small).to.be.lt(without);
      expect(large).to.be.lt(small);
    });
  }

  it("joining for one round around somebody else's costly trade earns less than it costs", async () => {
    const fixture = await loadFixture(seeded);
    const { marginPool, alice, bob, quote } = fixture;
    await depositMargin(fixture, alice, 1_203_007n * WAD);
    const before = await quote.balanceOf(bob);
    await marginPool.connect(bob).deposit(1_000_003_000_000n, bob);
    await trade(fixture, alice, 5_003n * WAD);
    await passTime(fixture, LOCK);
    await marginPool.connect(bob).redeem(await marginPool.balanceOf(bob), bob, bob);
    expect(await quote.balanceOf(bob)).to.be.lt(before);
  });
});

describe("LP shares: re-entry through a token's callback", () => {
  /** The quote token calls out on every transfer; its balances stay. */
  async function hooked() {
    const fixture = await deployFixture(connection, { initialTargetVolatility: WAD / 100n });
    const { marginPool, quote, carol, alice } = fixture;
    await depositMargin(fixture, alice, 1_203_007n * WAD);
    await marginPool.connect(carol).deposit(DEPOSIT, carol);
    await passTime(fixture, LOCK);
    const template = await ethers.deployContract("MockHookERC20", ["Hook", "HOOK", 6n]);
    await networkHelpers.setCode(
      await quote.getAddress(),
      await ethers.provider.getCode(await template.getAddress()),
    );
    return { ...fixture, hook: await ethers.getContractAt("MockHookERC20", quote) };
  }
  const LOCKED = ethers.id("ReentrancyGuardReentrantCall()").slice(0, 10);

  it("no entry point can be entered again, in any entry or exit", async () => {
    const fixture = await loadFixture(hooked);
    const { marginPool, rebalancer, hook, carol, bob } = fixture;
    const encode = (name: string, args: readonly unknown[] = []) =>
      marginPool.interface.encodeFunctionData(name as "deposit", args as never);
    const target = await marginPool.getAddress();
    const again = [
      encode("deposit", [10n ** 9n, bob.address]),
      encode("mint", [10n ** 15n, bob.address]),
      encode("withdraw", [1n, bob.address, carol.address]),
      encode("redeem", [10n ** 9n, bob.address, carol.address]),
      encode("bootstrap", [0n, 10n ** 10n]),
      encode("depositMargin", [1n]),
      encode("withdrawMargin", [1n]),
      encode("requestOrder", [1n, 0n, 2n ** 39n]),
      encode("executeOrder", [carol.address]),
      encode("cancelOrder"),
      encode("liquidate", [carol.address]),
      encode("claim"),
      encode("skim"),
      encode("sync"),
      // views that price something
      encode("totalAssets"),
      encode("convertToAssets", [1n]),
      encode("convertToShares", [1n]),
      encode("previewDeposit", [1n]),
      encode("previewMint", [1n]),
      encode("previewWithdraw", [1n]),
      encode("previewRedeem", [1n]),
      encode("maxDeposit", [bob.address]),
      encode("maxMint", [bob.address]),
      encode("maxWithdraw", [carol.address]),
      encode("maxRedeem", [carol.address]),
      encode("poolState"),
      encode("snapshot"),
      encode("ledgers"),
      encode("position", [carol.address]),
      encode("previewOrder", [carol.address]),
    ].map((data) => [target, data] as const);
    const rebalances = ["rebalance", "poke", "previewRebalance"].map(
      (name) =>
        [
          rebalancer.target as string,
          rebalancer.interface.encodeFunctionData(name as "poke"),
        ] as const,
    );
    const actions = [
      () => marginPool.connect(carol).deposit(10n ** 9n, carol),
      () => marginPool.connect(carol).withdraw(10n ** 6n, carol, carol),
    ];
    for (const [to, data] of [...again, ...rebalances]) {
      for (const action of actions) {
        for (const beforeUpdate of [true, false]) {
          await hook.arm(to, data, beforeUpdate);
          await action();
          const name = `${to === target ? "marginPool" : "rebalancer"} ${data.slice(0, 10)}`;
          expect(await hook.called(), name).to.equal(true);
          expect(await hook.succeeded(), name).to.equal(false);
          expect((await hook.result()).slice(0, 10), name).to.equal(LOCKED);
        }
      }
    }
  });

  it("nor during a rebalance, which goes through all the same", async () => {
    const fixture = await loadFixture(hooked);
    const { marginPool, rebalancer, hook, alice, bob } = fixture;
    await trade(fixture, alice, -4_001n * WAD);
    await rebalancer.poke();
    await time.increase(600n);
    for (const data of [
      marginPool.interface.encodeFunctionData("deposit", [10n ** 9n, bob.address]),
      marginPool.interface.encodeFunctionData("totalAssets"),
      marginPool.interface.encodeFunctionData("sync"),
    ]) {
      await arbitrage(fixture);
      await hook.arm(marginPool, data, true);
      await expect(rebalancer.rebalance()).to.emit(rebalancer, "Rebalanced");
      expect(await hook.called()).to.equal(true);
      expect(await hook.succeeded()).to.equal(false);
      expect((await hook.result()).slice(0, 10)).to.equal(LOCKED);
    }
  });
});
