import { readFileSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import { deployPool, FAR_DEADLINE, reservesOf, sqrtDown } from "../unit/pool/poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

/** Fixed point of this file: 30 digits, so that its own rounding is far below every tolerance. */
const ONE = 10n ** 30n;
/** Scale of fees. */
const MILLION = 10n ** 6n;

type Vector = { r: string; il: string };
const { entries } = JSON.parse(
  readFileSync(new URL("../vectors/closed_form.json", import.meta.url), "utf8"),
) as { entries: { impermanent_loss: { vectors: Vector[] } } };
const vectors = entries.impermanent_loss.vectors;

const zeroFee = () => deployPool(ethers, { swapFee: 0n });
const withFee = () => deployPool(ethers, { swapFee: 3000n });

/** Reads a decimal string; digits after the 30th are cut, 21 places below the tolerance. */
function fromDecimal(text: string): bigint {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`cannot read ${text}`);
  const value = BigInt(whole) * ONE + BigInt(fraction.slice(0, 30).padEnd(30, "0"));
  return sign === "-" ? -value : value;
}

const abs = (value: bigint) => (value < 0n ? -value : value);

describe("divergence of a liquidity position from holding", () => {
  it("trades move the reserves of a zero-fee pool along k, up to the rounding of each trade", async () => {
    const { pool, token0, token1, reserve0, reserve1, alice } = await loadFixture(zeroFee);
    const k = reserve0 * reserve1;
    const sizes = [3n, 19n, 211n, 5n, 1_000_003n, 7n];
    for (const [index, size] of sizes.entries()) {
      const [before0, before1] = await reservesOf(pool);
      const zeroForOne = index % 2 === 0;
      const [tokenIn, reserveIn] = zeroForOne ? [token0, before0] : [token1, before1];
      await pool.swapExactInput(tokenIn, reserveIn / size, 0n, alice, FAR_DEADLINE);
      const [after0, after1] = await reservesOf(pool);
      // The output is short of the curve by less than one unit, so k grows by less than one unit of it times the new input reserve.
      const gain = after0 * after1 - before0 * before1;
      expect(gain >= 0n, "k falls").to.equal(true);
      expect(gain < (zeroForOne ? after0 : after1), "k grows by more than rounding").to.equal(true);
    }
    const [end0, end1] = await reservesOf(pool);
    const drift = ((end0 * end1 - k) * ONE) / k;
    // Each of the six trades adds at most 1 / (output reserve), and no reserve falls below 1e11 units.
    expect(drift <= (6n * ONE) / 10n ** 11n, `k drifted by ${drift} of 1e30`).to.equal(true);
  });

  for (const { r, il } of vectors) {
    it(`arbitrage to ${r} times the price costs a zero-fee position ${il} of holding, to 1e-9`, async () => {
      const { pool, token0, token1, reserve0, reserve1, alice } = await loadFixture(zeroFee);
      const ratio = fromDecimal(r);
      // At the price r P0, in token1 per token0, the curve's reserves are (x / sqrt r, y sqrt r).
      const root = sqrtDown(ratio * ONE);
      if (ratio > ONE) {
        const target1 = (reserve1 * root) / ONE;
        await pool.swapExactInput(token1, target1 - reserve1, 0n, alice, FAR_DEADLINE);
      } else {
        const target0 = (reserve0 * ONE) / root;
        await pool.swapExactInput(token0, target0 - reserve0, 0n, alice, FAR_DEADLINE);
      }
      // Values in units of y0 at the price r P0: x counts (x / x0) r, y counts y / y0.
      const [x, y] = await reservesOf(pool);
      const value = (x * ratio) / reserve0 + (y * ONE) / reserve1;
      const held = ratio + ONE;
      const loss = (value * ONE) / held - ONE;
      const error = abs(loss - fromDecimal(il));
      expect(error <= ONE / 10n ** 9n, `off by ${error} of 1e30`).to.equal(true);
      expect(loss < 0n).to.equal(true);
    });
  }

  describe("with a fee of 0.3 %", () => {
    /** Trades this often are each a few per mille of the reserves; the others a few per cent. */
    const small = [311n, 257n, 401n, 353n, 283n, 449n, 271n, 503n, 331n, 379n, 293n, 467n];
    const large = [29n, 17n, 101n, 13n, 53n, 37n, 11n, 71n];

    /**
     * Trades one `size`-th of a reserve after the other and reads back the Swap events. Every trade comes back with the fee part of
     * its input in millionths of a unit, and the reserves that it left.
     */
    async function trade(sizes: readonly bigint[]) {
      const { pool, token0, token1, reserve0, reserve1, alice } = await loadFixture(withFee);
      const from = await ethers.provider.getBlockNumber();
      for (const [index, size] of sizes.entries()) {
        const zeroForOne = index % 3 !== 1;
        const [x, y] = await reservesOf(pool);
        const [tokenIn, reserveIn] = zeroForOne ? [token0, x] : [token1, y];
        await pool.swapExactInput(tokenIn, reserveIn / size, 0n, alice, FAR_DEADLINE);
      }
      let [x, y] = [reserve0, reserve1];
      const swaps = await pool.queryFilter(pool.filters.Swap(), from + 1);
      const trades = swaps.map(({ args }) => {
        x += args.amount0In - args.amount0Out;
        y += args.amount1In - args.amount1Out;
        return { x, y, fee0: args.amount0In * 3000n, fee1: args.amount1In * 3000n };
      });
      return { trades, reserve0, reserve1, end: await reservesOf(pool) };
    }

    /**
     * What the position is worth at the final price p = y / x above the same position without fees, in token1 units scaled by 1e30:
     * 2 sqrt(k p) - 2 sqrt(k0 p) = 2 y - 2 sqrt(k0 p). By the closed form the second term is holding less the divergence loss.
     */
    function gainOverClosedForm(reserve0: bigint, reserve1: bigint, x: bigint, y: bigint): bigint {
      return 2n * y * ONE - 2n * sqrtDown((reserve0 * reserve1 * y * ONE * ONE) / x);
    }

    it("the Swap events account for every unit of the reserves", async () => {
      const { trades, end } = await trade(large);
      expect(trades).to.have.lengthOf(large.length);
      const last = trades.at(-1)!;
      expect([last.x, last.y]).to.deep.equal(end);
    });

    it("a trade without its fee part stays on the curve it met, up to one unit of output", async () => {
      const { trades, reserve0, reserve1 } = await trade(large);
      let k = reserve0 * reserve1;
      for (const { x, y, fee0, fee1 } of trades) {
        const [bare0, bare1] = [x * MILLION - fee0, y * MILLION - fee1];
        const gain = bare0 * bare1 - k * MILLION * MILLION;
        expect(gain >= 0n, "below the curve").to.equal(true);
        // One unit of output less would be below the curve.
        expect(gain < (fee0 > 0n ? bare0 : bare1) * MILLION, "above the curve").to.equal(true);
        k = x * y;
      }
    });

    it("what the position gains over the closed form is each fee at the geometric mean of its price and the final one", async () => {
      // A fee g of token0 that leaves (x, y) has raised sqrt(k) from sqrt((x - g) y) to sqrt(x y). At the final price p that is worth
      //   2 sqrt(p) (sqrt(x y) - sqrt((x - g) y)) = g sqrt(p y / x) 2 / (1 + sqrt(1 - g / x)),
      // and the last factor lies between 1 and 1 + g / x: that is the compounding. Likewise a fee of token1, at sqrt(p x / y).
      // Rounding an output down adds less than one unit of it, at the same mean price. Nothing else enters: the bounds are strict.
      for (const sizes of [small, large]) {
        const { trades, reserve0, reserve1, end } = await trade(sizes);
        const [endX, endY] = end;
        let [low, high] = [0n, 0n];
        for (const { x, y, fee0, fee1 } of trades) {
          const mean0 = sqrtDown((endY * y * ONE * ONE) / (endX * x));
          const mean1 = sqrtDown((endY * x * ONE * ONE) / (endX * y));
          const fee = (fee0 * mean0 + fee1 * mean1) / MILLION;
          const compounding =
            fee0 > 0n ? (fee * fee0) / (x * MILLION) : (fee * fee1) / (y * MILLION);
          low += fee;
          high += fee + compounding + (fee0 > 0n ? mean1 : mean0);
        }
        const gain = gainOverClosedForm(reserve0, reserve1, endX, endY);
        // The integer roots of this test are each short by less than one of 1e30, times at most 2e21 units.
        const ownRounding = 10n ** 24n;
        expect(gain >= low - ownRounding, `${gain} below ${low}`).to.equal(true);
        expect(gain <= high + ownRounding, `${gain} above ${high}`).to.equal(true);
        // The bounds are tight enough to tell the fees of one trade from none: 1 in 1000 of all fees.
        expect((high - low) * 1000n < low, "bounds too wide to say anything").to.equal(true);
      }
    });

    it("and so it is the fees at the final price, to within half the price's excursion", async () => {
      // Marking at the final price p instead of sqrt(p p') changes a fee by the factor sqrt(p / p') or its inverse, p' being the price
      // it was paid at: by at most half of the largest excursion |p / p' - 1|, to first order. The bound takes the root itself.
      const { trades, reserve0, reserve1, end } = await trade(small);
      const [endX, endY] = end;
      let [marked, tolerance] = [0n, 0n];
      for (const { x, y, fee0, fee1 } of trades) {
        const atEnd = (((fee0 * endY) / endX + fee1) * ONE) / MILLION;
        const move = (endY * x * ONE) / (endX * y);
        const root = sqrtDown(move * ONE);
        const inverse = (ONE * ONE) / root;
        const excursion =
          abs(root - ONE) > abs(inverse - ONE) ? abs(root - ONE) : abs(inverse - ONE);
        const share = fee0 > 0n ? (fee0 * ONE) / (x * MILLION) : (fee1 * ONE) / (y * MILLION);
        marked += atEnd;
        // Twice the share covers the compounding, and the rounding of an output, which is smaller.
        tolerance += (atEnd * (excursion + 2n * share)) / ONE;
      }
      const gain = gainOverClosedForm(reserve0, reserve1, endX, endY);
      expect(abs(gain - marked) <= tolerance, `${gain} is not ${marked}`).to.equal(true);
      expect(tolerance * 50n < marked, "tolerance above 2 % of the fees").to.equal(true);
    });

    it("so holding, less the closed-form loss, plus the compounded fees is the position, to 1e-9", async () => {
      const { trades, reserve0, reserve1, end } = await trade(large);
      const [x, y] = end;
      // Each fee multiplies k by (reserve with it) / (reserve without it); rounding an output adds less than 1 / reserve to ln k:
      // with eight trades at reserves above 1e12 units the value is off by less than 4e-12 of itself.
      let growth = ONE;
      for (const { x: atX, y: atY, fee0, fee1 } of trades) {
        growth = (growth * atX * MILLION) / (atX * MILLION - fee0);
        growth = (growth * atY * MILLION) / (atY * MILLION - fee1);
      }
      const held = (reserve0 * y * ONE) / x + reserve1 * ONE;
      const ratio = (y * reserve0 * ONE) / (x * reserve1);
      const impermanentLoss = (2n * sqrtDown(ratio * ONE) * ONE) / (ONE + ratio) - ONE;
      const withoutFees = held + (held * impermanentLoss) / ONE;
      const withFees = (withoutFees * sqrtDown(growth * ONE)) / ONE;
      const value = 2n * y * ONE;
      expect(abs(value - withFees) * 10n ** 9n <= value, `${value} is not ${withFees}`).to.equal(
        true,
      );
      // Without the fees the identity is off by far more than its tolerance.
      expect((value - withoutFees) * 10n ** 4n > value, "no fees to see").to.equal(true);
    });
  });
});
