import { expect } from "chai";
import fc from "fast-check";
import { afterTrade, arbitrageTrade } from "../../../src/simulation/arbitrage.ts";
import { parseDecimal, WAD } from "../../../src/units.ts";

const BASE = 18;
const QUOTE = 6;
const price = parseDecimal("194.61", 18);
const balanced = (swapFee: bigint) => ({
  reserveBase: (20_000_000n * 10n ** 18n * WAD) / price,
  reserveQuote: 20_000_000n * 10n ** 6n,
  swapFee,
});
/** Spot price as a fraction of `outside`, in parts per billion. */
const spotPpb = (pool: { reserveBase: bigint; reserveQuote: bigint }, outside: bigint) =>
  (pool.reserveQuote * 10n ** 12n * WAD * 10n ** 9n) / (pool.reserveBase * outside);

describe("arbitrage", () => {
  it("does nothing inside the fee band", () => {
    for (const move of [9_971n, 10_000n, 10_029n]) {
      expect(arbitrageTrade(balanced(3_000n), (price * move) / 10_000n, BASE, QUOTE)).to.equal(
        undefined,
      );
    }
  });

  it("sells base after a fall and buys after a rise, to the near edge of the band", () => {
    for (const [move, sellBase, edgePpb] of [
      [5_000n, true, 1_003_009_027n],
      [15_000n, false, 997_000_000n],
    ] as const) {
      const outside = (price * move) / 10_000n;
      const trade = arbitrageTrade(balanced(3_000n), outside, BASE, QUOTE);
      expect(trade?.sellBase).to.equal(sellBase);
      // The fee stays in the pool, so that spot ends inside the band by less than the fee on the trade.
      const spot = Number(spotPpb(afterTrade(balanced(3_000n), trade!), outside));
      expect(spot).to.be.closeTo(Number(edgePpb), 1_500_000);
    }
  });

  it("leaves nothing for a second trade", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        (move, fee) => {
          const pool = balanced(BigInt(fee));
          const outside = (price * BigInt(move)) / 10_000n;
          const trade = arbitrageTrade(pool, outside, BASE, QUOTE);
          if (trade === undefined) return;
          const again = arbitrageTrade(afterTrade(pool, trade), outside, BASE, QUOTE);
          // Rounding may leave a few units, worth less than a millionth of the reserves.
          expect(
            again === undefined ||
              again.amountIn * 10n ** 9n < (again.sellBase ? pool.reserveBase : pool.reserveQuote),
          ).to.equal(true);
        },
      ),
      { seed: 20200312 },
    );
  });

  it("is the best of its neighbors", () => {
    const outside = (price * 9n) / 10n;
    const pool = balanced(3_000n);
    const best = arbitrageTrade(pool, outside, BASE, QUOTE)!;
    const profit = (amountIn: bigint) => {
      const after = afterTrade(pool, { sellBase: true, amountIn });
      return pool.reserveQuote - after.reserveQuote - (amountIn * outside) / WAD / 10n ** 12n;
    };
    for (const factor of [98n, 99n, 101n, 102n]) {
      expect(
        profit(best.amountIn) > profit((best.amountIn * factor) / 100n),
        `factor ${factor} %`,
      ).to.equal(true);
    }
  });
});
