import { expect } from "chai";
import { network } from "hardhat";
import { amountInUp, amountOutDown } from "../../../src/math/constantProductMath.ts";
import { seededRandom } from "../../support/traderFixture.ts";
import { FAR_DEADLINE, reservesOf, sqrtDown } from "./poolFixture.ts";
import {
  actions,
  deployVolatilePool,
  GAS,
  inBlock,
  moveTo,
  now,
  type Operation,
  PENDING,
  ratio,
  touch,
} from "./volatileFixture.ts";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { loadFixture, takeSnapshot, time } = networkHelpers;

const DEEP = process.env.BALLAST_DEEP === "1";
const SCALE = DEEP ? 20 : 1;
const HOUR = 3_600n;

/** A pool with the proposed bounds, a flash borrower and an LP, alice, who acts against it. */
async function fixture() {
  const f = await deployVolatilePool(connection);
  const borrower = await ethers.deployContract("MockFlashSwapCallee");
  for (const token of [f.token0, f.token1]) await token.transfer(borrower, 10n ** 29n);
  const [reserve0, reserve1] = await reservesOf(f.pool);
  await f.pool.connect(f.alice).addLiquidity(reserve0, reserve1, 0n, 0n, f.alice, FAR_DEADLINE);
  return { ...f, borrower, price: await ratio(f), start: (await now(f)) + 12n };
}
type Fixture = Awaited<ReturnType<typeof fixture>>;

describe("The fee that follows volatility", () => {
  /** Fee by its formula: f_min + m sqrt(variance rate), cut to millionths. */
  const formula = (rateWad: bigint, least: bigint, most: bigint, multiplierWad: bigint) => {
    const fee = least + (sqrtDown(rateWad * 10n ** 18n) * multiplierWad) / 10n ** 30n;
    return fee < most ? fee : most;
  };

  describe("over time", () => {
    it("stays within 5 bp and 100 bp and on the formula of the variance rate, whatever the price does", async () => {
      const f = await loadFixture(fixture);
      const random = seededRandom(500);
      let [least, most] = [10_000n, 500n];
      for (let i = 0; i < 40 * SCALE; i += 1) {
        const factor = 1 + (random(2_001) - 1_000) / 10 ** (4 + random(3));
        const at = (await now(f)) + BigInt(1 + random(10 ** (1 + random(4))));
        await inBlock(f, at, moveTo(f, f.bob)((await ratio(f)) * factor));
        const [, , rateWad] = await f.pool.observe();
        const fee = await f.pool.swapFee();
        expect(fee).to.equal(formula(rateWad, 500n, 10_000n, 173n * 10n ** 17n));
        [least, most] = [fee < least ? fee : least, fee > most ? fee : most];
      }
      expect([least < 600n, most]).to.deep.equal([true, 10_000n], "the path reaches both ends");
    });

    it("stays within any bounds and on the formula for any multiplier", async () => {
      const random = seededRandom(17_300);
      for (let i = 0; i < 5 * SCALE; i += 1) {
        const minSwapFee = BigInt(random(10_001));
        const maxSwapFee = minSwapFee + BigInt(random(40_001));
        const multiplierWad = BigInt(random(1_001)) * 10n ** 17n;
        const f = await deployVolatilePool(connection, { minSwapFee, maxSwapFee, multiplierWad });
        expect(await f.pool.swapFee()).to.equal(minSwapFee);
        for (let move = 0; move < 5; move += 1) {
          const target = (await ratio(f)) * Math.exp((random(201) - 100) / 10 ** (2 + random(3)));
          await inBlock(f, (await now(f)) + BigInt(1 + random(2_000)), moveTo(f, f.bob)(target));
          const fee = await f.pool.swapFee();
          const [, , rateWad] = await f.pool.observe();
          const fixed = minSwapFee === maxSwapFee;
          const expected = formula(rateWad, minSwapFee, maxSwapFee, multiplierWad);
          expect(fee).to.equal(fixed ? minSwapFee : expected);
        }
      }
    });

    it("rises with each move of a volatile stretch, to what the moves amount to", async () => {
      const f = await loadFixture(fixture);
      const { price, start } = f;
      await inBlock(f, start, touch(f));
      let last = await f.pool.swapFee();
      expect(last).to.equal(500n);
      for (let i = 1n; i <= 20n; i += 1n) {
        // 0.2 % up and down every minute is 0.002 / sqrt(60 s) = 145 % a year.
        await inBlock(f, start + 60n * i, moveTo(f, f.bob)(i % 2n === 0n ? price : price * 1.002));
        const fee = await f.pool.swapFee();
        if (i > 1n) expect(fee).to.be.greaterThan(last);
        last = fee;
      }
      // 19 moves are known: 19 minutes, which ended a minute ago, of 0.002^2 a minute.
      const known = 2 ** (-1 / 30) - 2 ** (-20 / 30);
      const seen = Math.log(1.002) * Math.sqrt(known / 60) * 17.3e6;
      expect(Math.abs(Number(last) - 500 - seen)).to.be.lessThan(1.1);
    });

    it("falls in calm: what exceeds the lower bound halves every hour, as the variance does every half hour", async () => {
      const f = await loadFixture(fixture);
      const { pool, price, start } = f;
      await inBlock(f, start, moveTo(f, f.bob)(price * 1.01));
      await inBlock(f, start + 12n, touch(f));
      const excess = Number(await pool.swapFee()) - 500;
      expect(excess).to.be.greaterThan(3_000);
      for (const [seconds, share] of [
        [HOUR / 2n, Math.SQRT1_2],
        [HOUR, 1 / 2],
        [2n * HOUR, 1 / 4],
        [10n * HOUR, 1 / 1_024],
      ] as const) {
        await time.setNextBlockTimestamp(start + 12n + seconds);
        const left = Number(await pool.swapFee(PENDING)) - 500;
        // One millionth for each of the two roundings.
        expect(Math.abs(left - excess * share)).to.be.at.most(2);
      }
    });
  });

  describe("within a block", () => {
    it("is the same after whatever happens in it, in quotes and in what is paid", async () => {
      const f = await loadFixture(fixture);
      const { pool, token0, price } = f;
      const random = seededRandom(1);
      const possible = Object.entries(actions(f, random));
      for (let block = 0n; block < 4 * SCALE; block += 1n) {
        const at = (await now(f)) + BigInt(1 + random(600));
        await time.setNextBlockTimestamp(at);
        const fee = await pool.swapFee(PENDING);
        const check = async (what: string) => {
          expect(await pool.swapFee(PENDING), what).to.equal(fee);
          const [reserve0, reserve1] = await pool.getReserves(PENDING);
          const [sold, bought] = [reserve0 / 7n, reserve1 / 9n];
          const out = await pool.getAmountOut(token0, sold, PENDING);
          expect(out, what).to.equal(amountOutDown(sold, reserve0, reserve1, fee));
          const due = await pool.getAmountIn(token0, bought, PENDING);
          expect(due, what).to.equal(amountInUp(bought, reserve0, reserve1, fee));
        };
        const chosen = Array.from({ length: 4 }, () => possible[random(possible.length)]!);
        const checked = chosen.map(
          ([name, operation]): Operation =>
            async () => {
              const sent = await operation();
              await check(name);
              return sent;
            },
        );
        const market = moveTo(f, f.bob)(price * (0.97 + random(61) / 1_000));
        await inBlock(f, at, ...checked, market, ...checked);
        expect(await pool.swapFee()).to.equal(fee);
      }
    });

    it("is one constant in quotes and in the check of k: the quoted output passes as a V2 swap, a unit more does not", async () => {
      const f = await loadFixture(fixture);
      const { pool, poolAddress, token0, token1, alice } = f;
      const random = seededRandom(2);
      const fees = new Set<bigint>();
      for (let i = 0; i < 20 * SCALE; i += 1) {
        const target = (await ratio(f)) * (1 + (random(201) - 100) / 10 ** (4 + random(2)));
        await inBlock(f, (await now(f)) + BigInt(1 + random(900)), moveTo(f, f.bob)(target));
        const zeroForOne = random(2) === 0;
        const tokenIn = zeroForOne ? token0 : token1;
        const amountIn =
          ((await tokenIn.balanceOf(pool)) * BigInt(1 + random(900_000))) / 10n ** 6n;
        await tokenIn.connect(alice).transfer(poolAddress, amountIn);
        const [reserve0, reserve1] = await reservesOf(pool);
        const [x, y] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
        const fee = await pool.swapFee();
        fees.add(fee);
        const out = amountOutDown(amountIn, x, y, fee);
        expect(await pool.getAmountOut(tokenIn, amountIn)).to.equal(out);
        const swap = (amount: bigint) =>
          pool.swap.staticCall(zeroForOne ? 0n : amount, zeroForOne ? amount : 0n, alice, "0x");
        await swap(out);
        await expect(swap(out + 1n)).to.be.revertedWithCustomError(
          pool,
          "ConstantProductPool_InvariantBroken",
        );
        await pool.connect(alice).skim(alice);
      }
      expect(fees.size).to.be.greaterThan(10);
    });

    it("makes a trade in parts pay no less than one trade, sold or bought", async () => {
      const f = await loadFixture(fixture);
      const { pool, token0, token1, alice, price } = f;
      const random = seededRandom(3);
      for (let i = 0; i < 10 * SCALE; i += 1) {
        const at = (await now(f)) + BigInt(1 + random(900));
        await inBlock(f, at, moveTo(f, f.bob)(price * (0.95 + random(101) / 1_000)));
        const [tokenIn, tokenOut] = random(2) === 0 ? [token0, token1] : [token1, token0];
        const selling = random(2) === 0;
        const held = await (selling ? tokenIn : tokenOut).balanceOf(pool);
        const parts = Array.from(
          { length: 2 + random(4) },
          () => (held * BigInt(1 + random(99_999))) / 10n ** 6n,
        );
        const whole = parts.reduce((sum, amount) => sum + amount, 0n);

        await time.setNextBlockTimestamp(at + 12n);
        const single = await (selling
          ? pool.getAmountOut(tokenIn, whole, PENDING)
          : pool.getAmountIn(tokenIn, whole, PENDING));
        const before = await (selling ? tokenOut : tokenIn).balanceOf(alice);
        const operations = parts.map(
          (amount): Operation =>
            () =>
              selling
                ? pool.connect(alice).swapExactInput(tokenIn, amount, 0n, alice, FAR_DEADLINE, GAS)
                : pool
                    .connect(alice)
                    .swapExactOutput(tokenIn, amount, 2n ** 111n, alice, FAR_DEADLINE, GAS),
        );
        await inBlock(f, at + 12n, ...operations);
        const after = await (selling ? tokenOut : tokenIn).balanceOf(alice);
        if (selling) expect(after - before).to.be.at.most(single);
        else expect(before - after).to.be.at.least(single);
      }
    });
  });

  describe("for whoever is about to trade", () => {
    /** Others trade the pool to these prices, times the first, in blocks twelve seconds apart; 0: nobody comes. */
    type Market = readonly number[];
    const STEP = 12n;

    /** Fee of a trade in the block after the market's last, with what the trader does before and after the others in each. */
    async function feeAfter(
      f: Fixture,
      market: Market,
      trader: (block: number) => { first?: readonly Operation[]; last?: readonly Operation[] },
    ): Promise<bigint> {
      const before = await takeSnapshot();
      const blocks = [...market, 0];
      let fee = 0n;
      for (const [block, factor] of blocks.entries()) {
        const { first = [], last = [] } = trader(block);
        const others = factor === 0 ? [] : [moveTo(f, f.bob)(f.price * factor)];
        const read: Operation = async () => {
          fee = await f.pool.swapFee(PENDING);
          return [];
        };
        const at = f.start + BigInt(block) * STEP;
        await inBlock(
          f,
          at,
          ...first,
          ...others,
          ...last,
          ...(block === market.length ? [read] : []),
        );
      }
      await before.restore();
      return fee;
    }

    it("cannot be lowered by more than 1e-6 by anything done in its block or in those before it", async () => {
      const f = await loadFixture(fixture);
      const random = seededRandom(4);
      const possible = Object.values(actions(f, random));
      const some = (most: number) =>
        Array.from({ length: random(most + 1) }, () => possible[random(possible.length)]!);
      let raised = 0;
      for (let i = 0; i < 12 * SCALE; i += 1) {
        const busy = 1 + random(9);
        const market = Array.from({ length: 6 }, () =>
          random(10) < busy ? 1 + (random(61) - 30) / 10 ** (3 + random(2)) : 0,
        );
        const honest = await feeAfter(f, market, () => ({}));
        const fee = await feeAfter(f, market, () => ({ first: some(2), last: some(2) }));
        expect(fee).to.be.at.least(honest - 1n, JSON.stringify(market));
        if (fee > honest) raised += 1;
      }
      expect(
        raised,
        "touching the pool between others' moves gives these more weight",
      ).to.be.greaterThan(0);
    });

    it("cannot be lowered by any one thing done before or after others' move, or before the trade", async () => {
      const f = await loadFixture(fixture);
      const market = [1.01, 0.997];
      const honest = await feeAfter(f, market, () => ({}));
      for (const [name, action] of Object.entries(actions(f, seededRandom(5)))) {
        for (const [place, when] of [
          ["first", 1],
          ["last", 1],
          ["first", 2],
        ] as const) {
          const fee = await feeAfter(f, market, (block) =>
            block === when ? { [place]: [action] } : {},
          );
          expect(fee, `${name} ${place} in block ${when}`).to.be.at.least(honest - 1n);
        }
      }
    });

    it("cannot be lowered by touching the pool in every block for an hour", async () => {
      const f = await loadFixture(fixture);
      const market = [1.004, 1, ...Array.from({ length: DEEP ? 3_000 : 300 }, () => 0)];
      const honest = await feeAfter(f, market, () => ({}));
      const fee = await feeAfter(f, market, () => ({ first: [touch(f)] }));
      expect(fee).to.be.at.least(honest - 1n);
    });

    it("cannot be lowered by deposits that each shift the price by just under 1e-9, the most that is no touch", async () => {
      const f = await loadFixture(fixture);
      const { pool, poolAddress, token0, token1, alice } = f;
      const crooked: Operation = async () => {
        const [reserve0, reserve1] = await pool.getReserves(PENDING);
        const [amount0, lean] = [reserve0 / 1_000n, (reserve1 * 98n) / 10n ** 11n];
        return [
          await token0.connect(alice).transfer(poolAddress, amount0, GAS),
          await token1.connect(alice).transfer(poolAddress, reserve1 / 1_000n - lean, GAS),
          await pool.mint(alice, GAS),
        ];
      };
      const deposits = Array.from({ length: DEEP ? 100 : 20 }, () => crooked);
      const shown = async () => Number((await pool.observe(PENDING))[1]) / 1e18;
      const shift: number[] = [];
      const measured: Operation = async () => {
        shift.push(await shown());
        return [];
      };
      const market = [1.01];
      const honest = await feeAfter(f, market, () => ({}));
      const fee = await feeAfter(f, market, (block) =>
        block === 0 ? {} : { first: [measured, ...deposits, measured] },
      );
      expect(fee).to.be.at.least(honest - 1n);
      expect(shift[0]! - shift[1]!).to.be.within(0, deposits.length * 1e-9);
    });

    it("can be lowered by undoing another's move in its block, which yields no more than trading in that block", async () => {
      const f = await loadFixture(fixture);
      const { pool, token0, token1, alice, price, start } = f;
      const moved = price * 1.02;
      for (const percent of [1n, 10n, 50n]) {
        const buy: Operation = async () => {
          const amount = ((await token1.balanceOf(pool)) * percent) / 100n;
          return pool.connect(alice).swapExactInput(token1, amount, 0n, alice, FAR_DEADLINE, GAS);
        };
        const outcome = async (at: readonly Operation[], later: readonly Operation[]) => {
          const before = await takeSnapshot();
          const had = [await token0.balanceOf(alice), await token1.balanceOf(alice)] as const;
          await inBlock(f, start, moveTo(f, f.bob)(moved), ...at);
          await inBlock(f, start + STEP, ...later);
          const gained0 = (await token0.balanceOf(alice)) - had[0];
          const gained1 = (await token1.balanceOf(alice)) - had[1];
          const fee = await pool.swapFee();
          await before.restore();
          return { value: Number(gained0) * moved + Number(gained1), fee };
        };
        const atOnce = await outcome([buy], []);
        const waiting = await outcome([], [buy]);
        const undoing = await outcome([moveTo(f, alice)(price)], [moveTo(f, alice)(moved), buy]);
        expect(undoing.fee < waiting.fee).to.equal(true);
        expect(undoing.value).to.be.at.most(atOnce.value);
      }
    });
  });
});
