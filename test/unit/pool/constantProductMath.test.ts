import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import * as twin from "../../../src/math/constantProductMath.ts";
import { Revert } from "../../../src/math/revert.ts";
import { MAX_RESERVE, sqrtDown } from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();

const deep = process.env.BALLAST_DEEP === "1";
const PROPERTY_RUNS = deep ? 100_000 : 2_000;
const PARITY_RUNS = deep ? 2_000 : 150;
const SEED = 0xba11a57;
const V2_FEE = 3000n;
const MAX_SUPPLY = 2n ** 144n - 1n;

type Name =
  | "amountOutDown"
  | "amountInUp"
  | "quoteDown"
  | "optimalAmounts"
  | "initialLiquidityDown"
  | "liquidityDown"
  | "withdrawalDown"
  | "protocolFeeLiquidityDown"
  | "isSamePrice"
  | "invariantHolds";

/** The argument lists of the twin's functions, all of which take bigints alone. */
const call = twin as unknown as Record<Name, (...args: bigint[]) => bigint | boolean | bigint[]>;

/** Token amounts at every scale: wei, thousands, and up to the full 112 bits. */
const amount = fc.oneof(
  fc.bigInt(0n, 3n),
  fc.bigInt(1n, 1000n),
  fc.bigInt(1n, 10n ** 12n),
  fc.bigInt(10n ** 15n, 10n ** 24n),
  fc.bigInt(1n, MAX_RESERVE),
  fc.bigInt(MAX_RESERVE - 1000n, MAX_RESERVE),
);
const reserve = amount.map((value) => (value === 0n ? 1n : value));
const fee = fc.oneof(fc.constantFrom(0n, V2_FEE, 50_000n), fc.bigInt(0n, 50_000n));
const supply = fc.oneof(reserve, fc.bigInt(1n, MAX_SUPPLY));

function outcome(run: () => bigint | boolean | bigint[]): string {
  try {
    return String(run());
  } catch (error) {
    if (error instanceof Revert) return `error ${error.message}`;
    throw error;
  }
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/uniswap_v2.json", import.meta.url), "utf8"),
) as {
  groups: {
    swap_exact_in_max_out: {
      cases: { amountIn: string; reserveIn: string; reserveOut: string; maxAmountOut: string }[];
    };
    swap_to_price: {
      cases: {
        truePrice: string;
        side: string;
        reserve0: string;
        reserve1: string;
        amountIn: string;
        amountOut: string;
      }[];
    };
  };
};

describe("constantProductMath", () => {
  describe("against Uniswap V2's figures, with the fee 3000", () => {
    for (const { amountIn, reserveIn, reserveOut, maxAmountOut } of vectors.groups
      .swap_exact_in_max_out.cases) {
      it(`${amountIn} into ${reserveIn} : ${reserveOut} gives ${maxAmountOut} and not one unit more`, () => {
        const [a, x, y] = [BigInt(amountIn), BigInt(reserveIn), BigInt(reserveOut)];
        const out = BigInt(maxAmountOut);
        expect(twin.amountOutDown(a, x, y, V2_FEE)).to.equal(out);
        expect(twin.invariantHolds(x + a, y - out, a, 0n, x, y, V2_FEE)).to.equal(true);
        expect(twin.invariantHolds(x + a, y - out - 1n, a, 0n, x, y, V2_FEE)).to.equal(false);
      });
    }

    for (const { truePrice, side, reserve0, reserve1, amountIn, amountOut } of vectors.groups
      .swap_to_price.cases) {
      it(`arbitrage to the price ${truePrice} with ${side} gives ${amountOut}`, () => {
        const [x, y] = side === "token0 in" ? [reserve0, reserve1] : [reserve1, reserve0];
        expect(twin.amountOutDown(BigInt(amountIn), BigInt(x), BigInt(y), V2_FEE)).to.equal(
          BigInt(amountOut),
        );
      });
    }

    it("gives the figures of the V2 library's own tests", () => {
      const e18 = 10n ** 18n;
      expect(twin.quoteDown(1n, 100n, 200n)).to.equal(2n);
      expect(twin.amountOutDown(2n, 100n, 100n, V2_FEE)).to.equal(1n);
      expect(twin.amountOutDown(2n, 10_000n, 10_000n, V2_FEE)).to.equal(1n);
      expect(twin.amountInUp(e18, 5n * e18, 10n * e18, V2_FEE)).to.equal(557_227_237_267_357_629n);
      expect(() => twin.quoteDown(0n, 100n, 200n)).to.throw("ConstantProductMath_ZeroAmount()");
      expect(twin.amountOutDown(0n, 100n, 100n, V2_FEE)).to.equal(0n);
      for (const [x, y] of [
        [0n, 100n],
        [100n, 0n],
      ] as const) {
        expect(() => twin.amountOutDown(2n, x, y, V2_FEE)).to.throw(
          `ConstantProductMath_ZeroReserve(${x}, ${y})`,
        );
      }
      expect(() => twin.amountInUp(0n, 100n, 100n, V2_FEE)).to.throw(
        "ConstantProductMath_ZeroAmount()",
      );
      expect(() => twin.amountInUp(1n, 0n, 100n, V2_FEE)).to.throw(
        "ConstantProductMath_ZeroReserve(0, 100)",
      );
      expect(() => twin.amountInUp(1n, 100n, 0n, V2_FEE)).to.throw(
        "ConstantProductMath_OutputExceedsReserve(1, 0)",
      );
    });

    it("gives the figures of the V2 SDK's tests, also with a 3.5 % tax in and a 4 % tax out", () => {
      expect(twin.initialLiquidityDown(1001n, 1001n)).to.equal(1n);
      expect(() => twin.initialLiquidityDown(1_000_000n, 1n)).to.throw(
        "ConstantProductMath_InitialLiquidityTooLow(1000, 1000)",
      );
      expect(twin.withdrawalDown(500n, 1000n, 1000n)).to.equal(500n);
      expect(twin.amountOutDown(100n, 10_000n, 10_000n, V2_FEE)).to.equal(98n);
      const received = 100n - (100n * 35n + 999n) / 1000n;
      const sent = twin.amountOutDown(received, 10_000n, 10_000n, V2_FEE);
      expect(sent - (sent * 40n + 999n) / 1000n).to.equal(90n);
    });

    it("equals V2's integer formulas, with 997 and 1000, to the unit", () => {
      fc.assert(
        fc.property(amount, reserve, reserve, (a, x, y) => {
          fc.pre(a > 0n);
          expect(twin.amountOutDown(a, x, y, V2_FEE)).to.equal(
            (a * 997n * y) / (x * 1000n + a * 997n),
          );
          fc.pre(a < y);
          expect(twin.amountInUp(a, x, y, V2_FEE)).to.equal(
            (x * a * 1000n) / ((y - a) * 997n) + 1n,
          );
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });
  });

  describe("for reserves from one unit to the full 112 bits and every allowed fee", () => {
    it("k never falls in a quoted swap, and the quote is the largest output that the check of k lets pass", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, fee, (a, x, y, f) => {
          const out = twin.amountOutDown(a, x, y, f);
          expect(out < y, "output below the reserve").to.equal(true);
          expect((x + a) * (y - out) >= x * y, "k falls").to.equal(true);
          expect(twin.invariantHolds(x + a, y - out, a, 0n, x, y, f)).to.equal(true);
          expect(twin.invariantHolds(y - out, x + a, 0n, a, y, x, f)).to.equal(true);
          expect(twin.invariantHolds(x + a, y - out - 1n, a, 0n, x, y, f)).to.equal(false);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("the input quoted for an output buys it, and two units less do not", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, fee, (x, y, wanted, f) => {
          fc.pre(y > 1n);
          const out = (wanted % (y - 1n)) + 1n;
          const input = twin.amountInUp(out, x, y, f);
          expect(twin.amountOutDown(input, x, y, f) >= out).to.equal(true);
          if (input > 2n)
            expect(twin.amountOutDown(input - 2n, x, y, f) < out, "overpriced").to.equal(true);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("slices never beat the whole, sold or bought", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, reserve, fee, (a, b, x, y, f) => {
          const first = twin.amountOutDown(a, x, y, f);
          const second = twin.amountOutDown(b, x + a, y - first, f);
          expect(
            first + second <= twin.amountOutDown(a + b, x, y, f),
            "two sales beat one",
          ).to.equal(true);

          fc.pre(y > 2n);
          const part = (a % (y - 2n)) + 1n;
          const rest = (b % (y - part)) + 1n;
          fc.pre(part + rest < y);
          const cost = twin.amountInUp(part, x, y, f);
          const costOfRest = twin.amountInUp(rest, x + cost, y - part, f);
          expect(
            cost + costOfRest >= twin.amountInUp(part + rest, x, y, f),
            "two purchases beat one",
          ).to.equal(true);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("a round trip never gains", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, fee, (a, x, y, f) => {
          const out = twin.amountOutDown(a, x, y, f);
          fc.pre(out > 0n);
          expect(twin.amountOutDown(out, y - out, x + a, f) <= a).to.equal(true);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("k / supply^2 never falls in a deposit or a withdrawal, and neither takes more than offered", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, reserve, supply, (want0, want1, x, y, s) => {
          const [a, b] = twin.optimalAmounts(want0, want1, x, y);
          expect(a <= want0 && b <= want1, "more taken than offered").to.equal(true);
          const minted = twin.liquidityDown(a, b, x, y, s);
          expect(
            (x + a) * (y + b) * s * s >= x * y * (s + minted) ** 2n,
            "k / supply^2 falls in a deposit",
          ).to.equal(true);

          const burned = want0 % s;
          const [out0, out1] = [
            twin.withdrawalDown(burned, x, s),
            twin.withdrawalDown(burned, y, s),
          ];
          expect(
            (x - out0) * (y - out1) * s * s >= x * y * (s - burned) ** 2n,
            "k / supply^2 falls in a withdrawal",
          ).to.equal(true);

          if (s + minted > MAX_SUPPLY) return;
          const back0 = twin.withdrawalDown(minted, x + a, s + minted);
          const back1 = twin.withdrawalDown(minted, y + b, s + minted);
          expect(back0 <= a && back1 <= b, "deposit and withdrawal gain").to.equal(true);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("a price counts as the same below one part in 1e9 of difference, in either order, and never without one", () => {
      const e27 = 10n ** 27n;
      for (const [shift, same] of [
        [0n, true],
        [10n ** 18n - 10n ** 12n, true],
        [10n ** 18n + 10n ** 12n, false],
        [-(10n ** 18n) + 10n ** 12n, true],
        [-(10n ** 18n) - 10n ** 12n, false],
      ] as const) {
        expect(twin.isSamePrice(e27, 2n * e27, e27 - shift, 2n * e27), `${shift}`).to.equal(same);
        expect(twin.isSamePrice(2n * e27, e27, 2n * e27, e27 - shift), `${shift}`).to.equal(same);
      }
      fc.assert(
        fc.property(reserve, reserve, reserve, (x, y, scale) => {
          fc.pre(x * y >= 10n ** 9n);
          expect(twin.isSamePrice(x * scale, y * scale, x, y)).to.equal(true);
          expect(twin.isSamePrice(0n, y, x, y)).to.equal(false);
          expect(twin.isSamePrice(x, y, 0n, y)).to.equal(false);
          expect(twin.isSamePrice(x, y, x, 0n)).to.equal(false);
          expect(twin.isSamePrice(x, 0n, x, y)).to.equal(false);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("the largest deposit in the ratio takes all of one token, and of the other what V2's router would", () => {
      // Also within a unit of the ratio, where no division leaves a rest.
      const nearRatio = fc
        .tuple(reserve, reserve, fc.bigInt(1n, 9n), fc.bigInt(-1n, 1n))
        .map(([x, y, times, nudge]) => [x * times, y * times + nudge, x, y] as const);
      const anywhere = fc.tuple(reserve, reserve, reserve, reserve);
      fc.assert(
        fc.property(fc.oneof(anywhere, nearRatio), ([want0, want1, x, y]) => {
          const [a, b] = twin.optimalAmounts(want0, want1, x, y);
          const fitting = (want0 * y) / x <= want1;
          expect([a, b]).to.deep.equal(
            fitting ? [want0, (want0 * y) / x] : [(want1 * x) / y, want1],
          );
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });

    it("the protocol's mint is worth at most one sixth of the growth of sqrt(k)", () => {
      fc.assert(
        fc.property(reserve, reserve, reserve, supply, (x, y, kRoot, s) => {
          const minted = twin.protocolFeeLiquidityDown(x, y, kRoot * kRoot, s);
          const k = x * y;
          if (k <= kRoot * kRoot) {
            expect(minted).to.equal(0n);
            return;
          }
          // With root = floor(sqrt(k)): minted / (s + minted) <= (root - kRoot) / (6 root).
          const root = sqrtDown(k);
          expect(minted * 6n * root <= (root - kRoot) * (s + minted)).to.equal(true);
          const next = minted + 1n;
          expect(next * 6n * root > (root - kRoot) * (s + next), "less than due").to.equal(true);
        }),
        { seed: SEED, numRuns: PROPERTY_RUNS },
      );
    });
  });

  describe("the Solidity library and its twin agree, errors included, on", () => {
    const any = amount;
    const cases: Record<Name, fc.Arbitrary<bigint[]>> = {
      amountOutDown: fc.tuple(any, any, any, fee),
      amountInUp: fc.tuple(any, any, any, fee),
      quoteDown: fc.tuple(any, any, any),
      optimalAmounts: fc.tuple(any, any, any, any),
      initialLiquidityDown: fc.tuple(any, any),
      liquidityDown: fc.tuple(any, any, any, any, supply),
      withdrawalDown: fc.tuple(any, any, supply),
      protocolFeeLiquidityDown: fc.tuple(
        reserve,
        reserve,
        fc.oneof(
          fc.constant(0n),
          reserve.map((root) => root * root),
          fc.bigInt(1n, 10n ** 12n),
        ),
        supply,
      ),
      isSamePrice: fc
        .tuple(any, any, fc.bigInt(1n, 10n ** 6n), fc.bigInt(-3n, 3n), fc.boolean())
        .map(([x, y, scale, nudge, exact]) => {
          // At the edge of one part in 1e9, or anywhere.
          const other = x + (exact ? nudge : x / 10n ** 9n + nudge);
          const [a, b] = [x / scale, y / scale];
          return [a * scale, b * scale, exact ? a : other < 0n ? 0n : other, exact ? b : y];
        }),
      invariantHolds: fc
        .tuple(reserve, reserve, fc.bigInt(-1n, 1n), reserve, fee, fc.boolean())
        .map(([a, y, nudge, x, f, forward]) => {
          // At the edge of what passes, where a difference of one unit decides.
          const [input, reserveIn] = [a / 2n + 1n, x / 2n + 1n];
          const out = twin.amountOutDown(input, reserveIn, y, f) + nudge;
          const balanceOut = out > y ? 0n : y - out;
          return forward
            ? [reserveIn + input, balanceOut, input, 0n, reserveIn, y, f]
            : [balanceOut, reserveIn + input, 0n, input, y, reserveIn, f];
        }),
    };

    for (const name of Object.keys(cases) as Name[]) {
      it(name, async () => {
        const harness = await networkHelpers.loadFixture(deployHarness);
        const inputs = fc.sample(cases[name], { seed: SEED, numRuns: PARITY_RUNS });
        for (const args of inputs) {
          const expected = outcome(() => call[name](...args));
          const actual = await harness
            .getFunction(name)
            .staticCall(...args)
            .then(String, (error: Error) => error.message);
          if (expected.startsWith("error ")) {
            expect(actual, `${name}(${args})`).to.include(`'${expected.slice("error ".length)}'`);
          } else {
            expect(actual, `${name}(${args})`).to.equal(expected);
          }
        }
      });
    }
  });
});

async function deployHarness() {
  return ethers.deployContract("ConstantProductMathHarness");
}
