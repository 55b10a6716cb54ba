import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import type { SolvencyMath } from "../../../typechain-types/contracts/mocks/SolvencyMathHarness.ts";
import {
  abs,
  div,
  floorWad,
  fromWad,
  max,
  min,
  mul,
  type Real,
  real,
  WAD,
} from "../../support/highPrecision.ts";

const { ethers } = await network.create();
const math = await ethers.deployContract("SharesMathHarness");
const solvency = await ethers.deployContract("SolvencyMathHarness");

const PROPERTY_RUNS = process.env.BALLAST_DEEP === "1" ? 5_000 : 150;
const SEED = 0xba11a57;
const VIRTUAL_SHARES = 1_000_000n;
const LARGEST = 2n ** 256n - 1n;

const ceilOf = (x: bigint, y: bigint) => (x + y - 1n) / y;

describe("SharesMath", () => {
  describe("conversion", () => {
    const pairs: [bigint, bigint, bigint][] = [
      [1n, 0n, 0n],
      [0n, 7n, 9n],
      [1_234_567_891n, 9_876_543_210_987_654_321n, 9_876_543_219_876n],
      [777n, 3n, 10n ** 20n],
      [2n ** 112n - 1n, 2n ** 132n - 5n, 2n ** 112n - 3n],
      [2n ** 128n - 1n, 2n ** 128n - 1n, 1n],
    ];
    for (const [amount, supply, equity] of pairs) {
      it(`converts ${amount} at ${supply} shares for ${equity} in both directions, rounded as named`, async () => {
        const [shares, assets] = [supply + VIRTUAL_SHARES, equity + 1n];
        const toShares = amount * shares;
        const toAssets = amount * assets;
        expect(await math.toSharesDown(amount, supply, equity)).to.equal(toShares / assets);
        expect(await math.toSharesUp(amount, supply, equity)).to.equal(ceilOf(toShares, assets));
        expect(await math.toAssetsDown(amount, supply, equity)).to.equal(toAssets / shares);
        expect(await math.toAssetsUp(amount, supply, equity)).to.equal(ceilOf(toAssets, shares));
      });
    }

    it("gives a first depositor a million shares for each unit", async () => {
      expect(await math.toSharesDown(123n, 0n, 0n)).to.equal(123_000_000n);
      expect(await math.toAssetsDown(123_000_000n, 0n, 0n)).to.equal(123n);
    });

    it("never gives back more than it took, whichever way round", async () => {
      const amounts = fc.bigInt(1n, 10n ** 30n);
      await fc.assert(
        fc.asyncProperty(amounts, amounts, amounts, async (amount, supply, equity) => {
          const shares = await math.toSharesDown(amount, supply, equity);
          expect(await math.toAssetsDown(shares, supply, equity)).to.be.at.most(amount);
          const cost = await math.toAssetsUp(amount, supply, equity);
          expect(await math.toSharesDown(cost, supply, equity)).to.be.at.least(amount);
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });

    it("takes less than a unit per unit deposited from a depositor after a donation of a million times as much", async () => {
      // One unit of a first depositor, then equity grows by a million: the next depositor still gets shares.
      const supply = await math.toSharesDown(1n, 0n, 0n);
      const equity = 1n + 1_000_000n;
      const shares = await math.toSharesDown(1_000_000n, supply, equity);
      const value = await math.toAssetsDown(shares, supply + shares, equity + 1_000_000n);
      expect(shares).to.be.greaterThan(1_000_000n);
      expect(value).to.be.within(999_998n, 1_000_000n);
    });
  });

  describe("fee", () => {
    const fees = [0n, 1n, 1_234_567_890_123_457n, 5_000_000_000_000_000n, WAD / 3n, WAD - 1n];

    it("is rounded up, so that what is left is rounded down", async () => {
      for (const fee of fees) {
        for (const gross of [0n, 1n, 999n, 1_234_567_890_123n, 2n ** 112n - 1n]) {
          const left = gross - ceilOf(gross * fee, WAD);
          expect(await math.netDown(gross, fee), `${gross} less ${fee}`).to.equal(left);
        }
      }
    });

    it("is covered by the gross amount, and by no smaller one", async () => {
      for (const fee of fees) {
        for (const net of [1n, 999n, 1_234_567_890_123n, 10n ** 30n + 7n]) {
          const gross = await math.grossUp(net, fee);
          expect(await math.netDown(gross, fee)).to.be.at.least(net);
          expect(await math.netDown(gross - 1n, fee)).to.be.lessThan(net);
        }
      }
      expect(await math.grossUp(0n, WAD / 200n)).to.equal(0n);
    });

    it("cannot be everything", async () => {
      await expect(math.grossUp(1n, WAD)).to.be.revert(ethers);
      expect(await math.netDown(77n, WAD)).to.equal(0n);
    });
  });

  /** What the pool holds and wants, 18 decimals. */
  interface Exposure {
    readonly inventory: bigint;
    readonly wanted: bigint;
    readonly possible: bigint;
    readonly equity: bigint;
    readonly price: bigint;
    readonly weight: bigint;
    readonly shock: bigint;
  }

  /** |b - b*| P shock - 5 % E once equity has changed by `change`, b* following it; the rule holds where it is <= 0. */
  function excess(e: Exposure, change: Real): Real {
    const price = fromWad(e.price);
    const wanted = fromWad(e.wanted) + div(mul(fromWad(e.weight), change), price);
    const possible = fromWad(e.possible) + div(mul(real(98n, 100n), change), price);
    const target = min(max(wanted, 0n), possible);
    const cost = mul(abs(fromWad(e.inventory) - target), price, fromWad(e.shock));
    return cost - mul(real(5n, 100n), fromWad(e.equity) + change);
  }

  /** What the yardstick's own divisions lose: forty decimals, times price and amounts. */
  const noise = (e: Exposure) => 10n + (10n * (e.price + e.equity)) / WAD;

  /** Units of quote that an answer leaves free in 5 % of equity, so that rounding b* and its value breaks nothing. */
  const reserve = (price: bigint) => 2n * ceilOf(price, WAD) + 8n;

  /**
   * Slack of the answer: the reserve, three roundings of the bound's numerator by a unit of quote and one of the slope
   * by 1e-18, all divided by at least 5 %.
   */
  const slack = (e: Exposure, answer: bigint) =>
    1n + (reserve(e.price) + 4n + (2n * answer) / WAD) * 20n + noise(e);

  /** b, q and K, of which the contract computes what is wanted and possible itself. */
  interface Pool {
    readonly inventory: bigint;
    readonly quote: bigint;
    readonly skew: bigint;
    readonly equity: bigint;
    readonly weight: bigint;
    readonly shock: bigint;
  }

  const book = (pool: Pool): SolvencyMath.BookStruct => ({
    inventoryBase: pool.inventory,
    inventoryQuote: pool.quote,
    longOpenInterest: 0n,
    shortOpenInterest: 0n,
    longEntryNotional: 0n,
    shortEntryNotional: 0n,
    longCollateral: 0n,
    shortCollateral: 0n,
    longAccrual: 0n,
    shortAccrual: 0n,
    skewPremium: 0n,
    pendingIncome: 0n,
    unpaidClaims: 0n,
  });

  /** Wanted and possible inventory as the contract rounds them. */
  async function roundedExposure(pool: Pool): Promise<Exposure> {
    const { skew, equity, weight } = pool;
    const wanted = await solvency.wantedInventory(skew, PRICE, equity, weight);
    const possible = await solvency.possibleInventory(book(pool), PRICE);
    return { ...pool, wanted, possible, price: PRICE };
  }

  /** The rule in the contract's own rounding: b* down, its value and the cost of the shock up, 5 % of equity down. */
  async function holdsRounded(pool: Pool, change: bigint): Promise<boolean> {
    const equity = pool.equity + change;
    const target = await solvency.targetInventory(
      book({ ...pool, quote: pool.quote + change }),
      pool.skew,
      PRICE,
      equity,
      pool.weight,
    );
    const value = ceilOf(abs(pool.inventory - target) * PRICE, WAD);
    return ceilOf(value * pool.shock, WAD) <= equity / 20n;
  }

  const exit = (e: Exposure) =>
    math.maximumExit(e.inventory, e.wanted, e.possible, e.equity, e.price, e.weight, e.shock);
  const entry = (e: Exposure) =>
    math.maximumEntry(e.inventory, e.wanted, e.equity, e.price, e.weight, e.shock);

  const PRICE = 1_946_127_354_901_283_774_013n;
  const EQUITY = 9_876_543_210_987_654_321_098_769n;
  /** A share of equity in millionths, as base. */
  const inBase = (millionths: bigint) =>
    floorWad(div(real(millionths, 1_000_000n) * (EQUITY / WAD), fromWad(PRICE)));
  const exposure = (parts: {
    inventory: bigint;
    wanted: bigint;
    possible?: bigint;
    weight?: bigint;
    shock?: bigint;
  }): Exposure => ({
    inventory: inBase(parts.inventory),
    wanted: inBase(parts.wanted),
    possible: inBase(parts.possible ?? 987_654n),
    equity: EQUITY,
    price: PRICE,
    weight: parts.weight ?? 512_345_678_901_234_567n,
    shock: parts.shock ?? 200_000_000_000_000_007n,
  });

  describe("most that may leave", () => {
    const cases: [string, Exposure][] = [
      ["on target", exposure({ inventory: 512_345n, wanted: 512_345n })],
      ["above target", exposure({ inventory: 612_345n, wanted: 512_345n })],
      ["a little below target", exposure({ inventory: 500_001n, wanted: 512_345n })],
      [
        "with a larger shock",
        exposure({ inventory: 530_001n, wanted: 512_345n, shock: 431_234_567_890_123_456n }),
      ],
      [
        "where the target is bound by what can be held",
        exposure({ inventory: 700_003n, wanted: 1_200_001n, possible: 687_654n }),
      ],
      [
        "where what can be held binds on the way",
        exposure({ inventory: 512_345n, wanted: 512_345n, possible: 520_001n }),
      ],
      [
        "where shorts outweigh the wanted base",
        exposure({ inventory: 123_457n, wanted: -77_777n }),
      ],
      ["without wanted base", exposure({ inventory: 98_765n, wanted: 0n, weight: 0n })],
    ];
    for (const [name, e] of cases) {
      it(`is exact ${name}: a little more breaks the rule of 5 %`, async () => {
        const most = await exit(e);
        expect(most).to.be.greaterThan(0n);
        expect(excess(e, -fromWad(most)) <= noise(e)).to.equal(true);
        const more = most + slack(e, most);
        expect(more - most).to.be.lessThan(WAD / 10n ** 9n);
        expect(excess(e, -fromWad(more)) > 0n).to.equal(true);
      });
    }

    it("is nothing where the rule is broken already", async () => {
      for (const e of [
        exposure({ inventory: 812_345n, wanted: 512_345n }),
        exposure({ inventory: 212_345n, wanted: 512_345n }),
        exposure({ inventory: 300_001n, wanted: -1n }),
      ]) {
        expect(excess(e, 0n) > 0n).to.equal(true);
        expect(await exit(e)).to.equal(0n);
      }
    });

    it("is 5/15 of equity on target at w = 0.5 and the least shock", async () => {
      const e: Exposure = {
        inventory: 2_500n * WAD,
        wanted: 2_500n * WAD,
        possible: 4_900n * WAD,
        equity: 10_000_000n * WAD,
        price: 2_000n * WAD,
        weight: WAD / 2n,
        shock: WAD / 5n,
      };
      // 5 % of equity less the reserve, divided by 0.5 x 20 % + 5 %.
      const numerator = 500_000n * WAD - reserve(e.price);
      expect(await exit(e)).to.equal((numerator * 100n) / 15n);
    });

    it("never lets more leave than the rule allows, wherever the pool stands", async () => {
      const share = fc.bigInt(0n, 1_000_000n);
      await fc.assert(
        fc.asyncProperty(
          share,
          fc.bigInt(-400_000n, 1_200_000n),
          share,
          fc.bigInt(0n, (9n * WAD) / 10n),
          fc.bigInt(WAD / 5n, WAD / 2n),
          async (inventory, wanted, possible, weight, shock) => {
            const e = exposure({ inventory, wanted, possible, weight, shock });
            const most = await exit(e);
            expect(most).to.be.at.least(0n);
            if (most === 0n) return;
            for (const part of [1n, 2n, 3n, 4n]) {
              const left = (fromWad(most) * part) / 4n;
              expect(excess(e, -left) <= noise(e), `${part}/4 of ${most}`).to.equal(true);
            }
          },
        ),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
    });
  });

  describe("rounding of the rule", () => {
    const pools = fc.record({
      inventory: fc.bigInt(0n, inBase(1_000_000n)),
      quote: fc.bigInt(EQUITY / 2n, 2n * EQUITY),
      skew: fc.bigInt(-inBase(400_000n), inBase(400_000n)),
      // Round ones as in practice: others round the slope of the limit up, which leaves millions of units free.
      weight: fc.constantFrom(300n, 400n, 500n, 600n, 900n).map((share) => (share * WAD) / 1_000n),
      shock: fc.oneof(fc.constant(WAD / 5n), fc.bigInt(WAD / 5n, WAD / 2n)),
    });

    /** Pools that stand on target but for a little, where both ways are open. */
    const nearTarget = async (parts: Omit<Pool, "equity">, offset: bigint): Promise<Pool> => {
      const pool = { ...parts, equity: EQUITY };
      const { wanted, possible } = await roundedExposure(pool);
      return { ...pool, inventory: max(0n, min(max(wanted, 0n), possible) + offset) };
    };

    it("does not break it once what may leave or enter has done so to the last unit", async () => {
      let [left, entered] = [0, 0];
      const offsets = fc.bigInt(-inBase(50_000n), inBase(50_000n));
      await fc.assert(
        fc.asyncProperty(pools, offsets, async (parts, offset) => {
          const pool = await nearTarget(parts, offset);
          const e = await roundedExposure(pool);
          const out = min(await exit(e), pool.quote);
          if (out > 0n) {
            left += 1;
            expect(await holdsRounded(pool, -out), `${out} left`).to.equal(true);
          }
          const into = await entry(e);
          if (into > 0n && into < 10n ** 40n) {
            entered += 1;
            expect(await holdsRounded(pool, into), `${into} entered`).to.equal(true);
          }
        }),
        { numRuns: PROPERTY_RUNS, seed: SEED },
      );
      // Most pools let something pass either way.
      expect(Math.min(left, entered)).to.be.greaterThan(PROPERTY_RUNS / 3);
    });
  });

  describe("most that may enter", () => {
    /** Possible inventory does not limit the target here. */
    const open = (parts: { inventory: bigint; wanted: bigint; weight?: bigint; shock?: bigint }) =>
      exposure({ ...parts, possible: 10n ** 12n });
    const cases: [string, Exposure][] = [
      ["on target", open({ inventory: 512_345n, wanted: 512_345n })],
      ["above target", open({ inventory: 612_345n, wanted: 512_345n })],
      ["below target", open({ inventory: 400_001n, wanted: 512_345n })],
      [
        "with a larger shock",
        open({ inventory: 500_001n, wanted: 512_345n, shock: 431_234_567_890_123_456n }),
      ],
      ["where shorts outweigh the wanted base", open({ inventory: 12_345n, wanted: -77_777n })],
    ];
    for (const [name, e] of cases) {
      it(`is exact ${name}: a little more breaks the rule of 5 %`, async () => {
        const most = await entry(e);
        expect(most).to.be.greaterThan(0n);
        // The slope w shock - 5 % is at least 5 % here, as in the bound above.
        expect(mul(fromWad(e.weight), fromWad(e.shock)) >= real(10n, 100n)).to.equal(true);
        expect(excess(e, fromWad(most)) <= noise(e)).to.equal(true);
        const more = most + slack(e, most);
        expect(more - most).to.be.lessThan(WAD / 10n ** 9n);
        expect(excess(e, fromWad(more)) > 0n).to.equal(true);
      });
    }

    it("is nothing where the pool is too far below target already", async () => {
      const e = open({ inventory: 212_345n, wanted: 512_345n });
      expect(excess(e, 0n) > 0n).to.equal(true);
      expect(await entry(e)).to.equal(0n);
    });

    it("has no limit where new equity adds less exposure than it can bear", async () => {
      const limitless = 2n ** 255n - 1n;
      const [inventory, wanted] = [512_345n, 512_345n];
      expect(await entry(open({ inventory, wanted, weight: 0n }))).to.equal(limitless);
      const edge = { inventory, wanted, shock: WAD / 5n };
      expect(await entry(open({ ...edge, weight: WAD / 4n }))).to.equal(limitless);
      expect(await entry(open({ ...edge, weight: WAD / 4n + 10n }))).to.be.lessThan(limitless);
    });

    it("is as much as there is on target at w = 0.5 and the least shock", async () => {
      const e: Exposure = {
        inventory: 2_500n * WAD,
        wanted: 2_500n * WAD,
        possible: 0n,
        equity: 10_000_000n * WAD,
        price: 2_000n * WAD,
        weight: WAD / 2n,
        shock: WAD / 5n,
      };
      // 5 % of equity less the reserve, divided by 0.5 x 20 % - 5 %.
      expect(await entry(e)).to.equal((500_000n * WAD - reserve(e.price)) * 20n);
    });

    it("reverts instead of wrapping beyond the type", async () => {
      await expect(math.toSharesDown(LARGEST, LARGEST - VIRTUAL_SHARES, 0n)).to.be.revert(ethers);
    });
  });
});
