import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import * as reference from "../support/marginReference.ts";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  MAX_UINT256,
  type ProtocolFixture,
  passTime,
  publishPrice,
  quoteUnits,
  WAD,
} from "../support/protocolFixture.ts";
import {
  bookOf,
  CAMPAIGN_SCALE,
  execute,
  nextRound,
  order,
  request,
  seededRandom,
} from "../support/traderFixture.ts";
import { type Crowd, look, type State, stateOf, withLens } from "./picture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

async function usual(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection);
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 900_007n * WAD);
  await order(f, f.bob, 1_501n * WAD);
  await passTime(f, 1_900n);
  await passTime(f, 1_900n);
  return f;
}

/** A pool of quote alone, as exposed to a rising price as its limits allow; carol holds shares besides the owner. */
async function exposed(): Promise<Crowd> {
  const f = await deployFixture(connection, { targetBaseWeight: 0n, lpEquity: 1_003_741n * WAD });
  await f.marginPool.connect(f.carol).deposit(quoteUnits(f, 91_003n * WAD), f.carol);
  const traders = [f.alice, f.bob, f.keeper];
  for (const trader of traders) await depositMargin(f, trader, 400_007n * WAD);
  for (let turn = 0; turn < 5; turn += 1) {
    await order(f, traders[turn % 3]!, 400n * WAD);
    if (turn !== 1) {
      await passTime(f, 610n);
      continue;
    }
    // Guarded by its exposure the pool lets openings go on
    await publishPrice(f, ((await currentPrice(f)) * 115n) / 100n);
    await arbitrage(f);
    await passTime(f, 3_700n);
  }
  return withLens(f, [f.alice, f.bob, f.carol, f.owner, f.keeper]);
}

/** Whether a call goes through, and with which error not. */
async function outcome<T>(call: () => Promise<T>): Promise<{ value?: T; error: string }> {
  try {
    return { value: await call(), error: "" };
  } catch (error) {
    const name = /custom error '([A-Za-z0-9_]+)|panic code (0x[0-9a-f]+)|(0x[0-9a-f]{8})/.exec(
      String(error),
    );
    return { error: name?.[1] ?? name?.[2] ?? name?.[3] ?? String(error).slice(0, 120) };
  }
}

/** Overflow of unreasonably large numbers, the one reason ERC-4626 allows conversions: OpenZeppelin's and Solady's. */
const OVERFLOWS = ["0x11", "0x12", "0xae47f702", "0xbac65e5b", "MulWadFailed", "FullMulDivFailed"];

/** What the pool says of shares must be what it does, at this instant. */
async function expectHonest(f: Crowd, where: string): Promise<string[]> {
  const { marginPool, carol, owner, keeper } = f;
  const notes: string[] = [];
  const one = quoteUnits(f, WAD);
  // conversions and limits never revert
  const shares = await marginPool.balanceOf(carol);
  const perUnit = (await marginPool.totalSupply()) / ((await marginPool.totalAssets()) + 1n) + 1n;
  for (const amount of [0n, 1n, one, 10n ** 12n * one]) {
    await marginPool.convertToShares(amount);
    await marginPool.convertToAssets(amount * 10n ** 6n);
  }
  for (const call of ["convertToShares", "convertToAssets"] as const) {
    const { error } = await outcome(() => marginPool[call](MAX_UINT256));
    expect(["", ...OVERFLOWS], `${where}: ${call}(largest): ${error}`).to.include(error);
    notes.push(`${call}(2^256-1): ${error || "answers"}`);
  }
  for (const call of [
    "previewDeposit",
    "previewMint",
    "previewWithdraw",
    "previewRedeem",
  ] as const) {
    const { error } = await outcome(() => marginPool[call](MAX_UINT256));
    notes.push(`${call}(2^256-1): ${error || "answers"}`);
  }
  for (const who of [carol, owner, keeper]) {
    const at = `${where}, ${who.address}`;
    const deposit = await marginPool.maxDeposit(who);
    const mint = await marginPool.maxMint(who);
    const withdraw = await marginPool.maxWithdraw(who);
    const redeem = await marginPool.maxRedeem(who);
    const as = marginPool.connect(who);
    const calls = {
      deposit: (amount: bigint) => as.deposit.staticCall(amount, who),
      mint: (amount: bigint) => as.mint.staticCall(amount, who),
      withdraw: (amount: bigint) => as.withdraw.staticCall(amount, who, who),
      redeem: (amount: bigint) => as.redeem.staticCall(amount, who, who),
    };
    const previews = {
      deposit: (amount: bigint) => marginPool.previewDeposit(amount),
      mint: (amount: bigint) => marginPool.previewMint(amount),
      withdraw: (amount: bigint) => marginPool.previewWithdraw(amount),
      redeem: (amount: bigint) => marginPool.previewRedeem(amount),
    };
    for (const [name, most] of [
      ["deposit", deposit],
      ["mint", mint],
      ["withdraw", withdraw],
      ["redeem", redeem],
    ] as const) {
      if (most > 0n) {
        const all = await outcome(() => calls[name](most));
        expect(all.error, `${at}: ${name}(max ${most}) must succeed`).to.equal("");
        for (const amount of [most, most / 3n + 1n, most / 1_000_003n + 2n]) {
          const said = await previews[name](amount);
          const done = await outcome(() => calls[name](amount));
          expect(done.error, `${at}: ${name}(${amount}) within the limit`).to.equal("");
          expect(String(done.value), `${at}: the preview of ${name}(${amount}) is exact`).to.equal(
            String(said),
          );
        }
      }
      // shares are finer than assets: what is worth two units more
      const unit = name === "mint" || name === "redeem" ? 2n * perUnit : 1n;
      const more = await outcome(() => calls[name](most + unit));
      if (most > 0n) {
        expect(more.error, `${at}: ${name}(max + 1) must be refused`).not.to.equal("");
      }
      if (who === carol) notes.push(`${name}: max ${most}, one more: ${more.error || "succeeds"}`);
    }
  }
  expect(shares > 0n).to.equal(true);
  return notes;
}

describe("The vault's word (ERC-4626)", () => {
  it("is kept in every risk state, at good and bad prices, for limits, previews and conversions", async () => {
    const f = await loadFixture(exposed);
    for (const who of [f.carol, f.owner, f.keeper]) {
      await f.quote.mint(who, 2n ** 110n);
    }
    const seen = new Map<State | "bad price", string[]>();
    const visit = async () => {
      const state = stateOf(await look(f));
      if (seen.has(state)) return;
      seen.set(state, await expectHonest(f, state));
    };
    // Normal is the pool before anybody trades
    const clean = await takeSnapshot();
    for (const trader of [f.alice, f.bob, f.keeper]) {
      const { size } = await f.marginPool.marginAccount(trader);
      if (size !== 0n) await order(f, trader, -size);
    }
    await arbitrage(f);
    await passTime(f, 4_000n);
    await visit();
    await clean.restore();
    for (let turn = 0; turn < 60 && !seen.has("Settled"); turn += 1) {
      await visit();
      await time.increase(601);
      await publishPrice(f, ((await currentPrice(f)) * 106n) / 100n);
      await arbitrage(f);
      // the average follows, so that it is not what binds; a pool that settles cannot be poked
      await passTime(f, 3_700n).catch(() => undefined);
      await f.marginPool.sync().catch(() => undefined);
    }
    await clean.restore();
    await publishPrice(f, 0n);
    seen.set("bad price", await expectHonest(f, "bad price"));
    for (const [state, notes] of CAMPAIGN_SCALE === 1 ? [] : seen)
      console.log(`      ${state}: ${notes.join("; ")}`);
    expect([...seen.keys()]).to.have.members([
      "Normal",
      "Guarded",
      "ReduceOnly",
      "Deleveraging",
      "Settled",
      "bad price",
    ]);
  });
});

describe("Donations", () => {
  it("I11: do not move the share price, nor any other price of the pool", async () => {
    const f = await loadFixture(usual);
    const crowd = await withLens(f, [f.alice, f.bob, f.owner]);
    const at = (await time.latest()) + 100;
    const prices = async () => {
      const p = await look(crowd);
      const s = p.state;
      return [
        ...[s.equity, s.equityBid, s.equityAsk, s.requiredEquity, p.totalAssets, p.supply],
        ...[
          await f.marginPool.previewDeposit(10n ** 12n),
          await f.marginPool.previewRedeem(10n ** 18n),
        ],
        ...[
          await f.marginPool.maxWithdraw(f.owner),
          await f.marginPool.convertToAssets(10n ** 18n),
        ],
      ].map(String);
    };
    const clean = await takeSnapshot();
    await time.setNextBlockTimestamp(at);
    await f.quote.mint(f.keeper, 1n);
    const before = await prices();
    for (const give of [
      () => f.quote.mint(f.marginPool, 10n ** 15n + 7n),
      () => f.base.mint(f.marginPool, 10n ** 24n + 7n),
    ]) {
      await clean.restore();
      await time.setNextBlockTimestamp(at);
      await give();
      expect(await prices(), "I11: donations do not move the share price").to.deep.equal(before);
    }
    // booked, it is insurance and still nobody's profit
    await clean.restore();
    await f.quote.mint(f.marginPool, 10n ** 15n + 7n);
    await time.setNextBlockTimestamp(at);
    await f.marginPool.skim();
    expect(await prices(), "I11: not once they are skimmed").to.deep.equal(before);
  });
});

/** Quote that an LP has more after coming with `amount`, waiting and leaving, with the pool's own income in between. */
async function visitAsLp(
  f: ProtocolFixture,
  lp: HardhatEthersSigner,
  amount: bigint,
  seconds: bigint,
): Promise<{ gained: bigint; share: bigint; income: bigint }> {
  const crowd = await withLens(f, []);
  const before = await f.quote.balanceOf(lp);
  await f.marginPool.connect(lp).deposit(amount, lp);
  const start = (await look(crowd)).state;
  await passTime(f, seconds);
  const shares = await f.marginPool.maxRedeem(lp);
  const share = (shares * WAD) / (await f.marginPool.totalSupply());
  const end = (await look(crowd)).state;
  await f.marginPool.connect(lp).redeem(shares, lp, lp);
  expect(await f.marginPool.balanceOf(lp), "all of it could leave").to.equal(0n);
  const income = end.equity > start.equity ? end.equity - start.equity : 0n;
  return { gained: (await f.quote.balanceOf(lp)) - before, share, income };
}

describe("LPs who come and go", () => {
  it("I12: get no more than they brought and their share of the income in between, none in one block", async () => {
    const f = await loadFixture(usual);
    const random = seededRandom(12);
    const clean = await takeSnapshot();
    for (let n = 0; n < 8 * CAMPAIGN_SCALE; n += 1) {
      await clean.restore();
      for (let trades = random(3); trades > 0; trades -= 1) {
        const size = BigInt(random(3_001) - 1_500) * WAD + BigInt(1 + random(1e9));
        await order(f, f.alice, size);
        await passTime(f, BigInt(random(2_000)));
      }
      const amount = 10n ** BigInt(3 + random(9)) * BigInt(1 + random(9)) + BigInt(random(997));
      const { gained, share, income } = await visitAsLp(
        f,
        f.carol,
        amount,
        BigInt(601 + random(90_000)),
      );
      const due = (income * share) / WAD;
      expect(
        gained <= due,
        `I12: deposit + withdraw <= what went in + income: ${amount} gained ${gained} of ${due}`,
      ).to.equal(true);
    }
    await clean.restore();
    await f.marginPool.connect(f.carol).deposit(10n ** 10n, f.carol);
    expect(await f.marginPool.maxRedeem(f.carol), "I12: none in one block").to.equal(0n);
    const shares = await f.marginPool.balanceOf(f.carol);
    await expect(
      f.marginPool.connect(f.carol).redeem(shares, f.carol, f.carol),
    ).to.be.revertedWithCustomError(f.marginPool, "MarginPool_SharesLocked");
  });

  it("I13: gain nothing by being there around their own close, at a profit or a loss", async () => {
    const f = await loadFixture(usual);
    const { alice, marginPool } = f;
    for (const size of [900n * WAD, -900n * WAD, -2_301n * WAD]) {
      const start = await takeSnapshot();
      await order(f, alice, size);
      for (const permille of [1_021n, 979n, 1_000n]) {
        const opened = await takeSnapshot();
        const moved = ((await currentPrice(f)) * permille) / 1_000n;
        await nextRound(f, moved);
        await arbitrage(f);
        await passTime(f, 3_700n);
        const close = async (amount: bigint): Promise<bigint> => {
          const quoteBefore = await f.quote.balanceOf(alice);
          if (amount > 0n) await marginPool.connect(alice).deposit(amount, alice);
          await request(f, alice, -size);
          await nextRound(f);
          for (let tries = 0; tries < 20; tries += 1) {
            const { requestedAt } = await marginPool.order(alice);
            if (requestedAt === 0n) break;
            await execute(f, alice).catch(() => passTime(f, 120n));
          }
          expect((await marginPool.marginAccount(alice)).size).to.equal(0n);
          await passTime(f, 3_601n);
          const shares = await marginPool.balanceOf(alice);
          if (shares > 0n) await marginPool.connect(alice).redeem(shares, alice, alice);
          const { collateral, unpaidClaim } = await marginPool.marginAccount(alice);
          return (await f.quote.balanceOf(alice)) - quoteBefore + collateral + unpaidClaim;
        };
        const here = await takeSnapshot();
        const alone = await close(0n);
        for (const amount of [10n ** 11n, 12n * 10n ** 11n]) {
          await here.restore();
          const both = await close(amount);
          expect(
            both <= alone,
            `I13: being LP around one's own close gains nothing: ${both - alone} with ${amount} at ${permille}`,
          ).to.equal(true);
        }
        await opened.restore();
      }
      await start.restore();
    }
  });
});

describe("Equity of an exposed pool", () => {
  it("I10: is between bid and ask, as recomputed, all the way to bankruptcy", async () => {
    const f = await loadFixture(exposed);
    for (let turn = 0; turn < 30; turn += 1) {
      await publishPrice(f, ((await currentPrice(f)) * 107n) / 100n);
      await f.volatilityOracle.poke();
      const p = await look(f);
      const { equity, equityBid, equityAsk } = p.state;
      expect(equityBid <= equity && equity <= equityAsk, "I10: E_bid <= E <= E_ask").to.equal(true);
      const exact = reference.equity(bookOf(f, p.ledgers), (await currentPrice(f)) * WAD);
      const off = reference.abs(equity * 10n ** 30n - exact);
      expect(off <= 2n * 10n ** 30n, `E ${equity}, recomputed ${exact}`).to.equal(true);
    }
  });
});
