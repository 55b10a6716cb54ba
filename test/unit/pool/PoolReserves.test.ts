import { expect } from "chai";
import type { Provider } from "ethers";
import { network } from "hardhat";
import {
  deployPool,
  FAR_DEADLINE,
  MAX_RESERVE,
  reservesOf,
  sqrtDown,
  v2AmountOut,
} from "./poolFixture.ts";

/** The reserves' word holds 31 bits of time, `getReserves` answers with 32: both run over, in 2038 and in 2106. */
const HALF = 2n ** 31n;
const FULL = 2n ** 32n;

/** A chain of its own for every test, since the clocks of chains do not run backwards. */
async function onNewChain(options?: Parameters<typeof deployPool>[1]) {
  const { ethers, networkHelpers } = await network.create();
  const setup = await deployPool(ethers, options);
  return { ...setup, ethers, networkHelpers, time: networkHelpers.time };
}

/** Bit that says whether kLast is in use, between the reserves and the time. */
const MARK = 2n ** 224n;

/** The word of the reserves as it lies in storage: the first of the pool's slots whose low bits are the reserves. */
async function storedWord(
  provider: Provider,
  poolAddress: string,
  [reserve0, reserve1]: readonly [bigint, bigint],
): Promise<bigint> {
  for (let slot = 0; slot < 8; slot++) {
    const word = BigInt(await provider.getStorage(poolAddress, slot));
    if (word % 2n ** 224n === (reserve1 << 112n) + reserve0) return word;
  }
  throw new Error("no slot holds the reserves");
}

describe("The word of a pool's reserves", () => {
  for (const wrap of [HALF, FULL, FULL + HALF]) {
    it(`tells the second of the last trade around the second ${wrap}, modulo 2^32`, async () => {
      const { pool, token0, token1, alice, networkHelpers, time } = await onNewChain();
      for (const second of [wrap - 13n, wrap - 1n, wrap, wrap + 1n, wrap + 12n]) {
        await time.setNextBlockTimestamp(second);
        const tokenIn = second % 2n === 0n ? token0 : token1;
        await pool.swapExactInput(tokenIn, 10n ** 12n, 0n, alice, FAR_DEADLINE);
        expect((await pool.getReserves())[2], `touched at ${second}`).to.equal(second % FULL);
      }
      await networkHelpers.mine(2, { interval: 1000 });
      expect((await pool.getReserves())[2], "read later").to.equal((wrap + 12n) % FULL);
    });

    it(`counts the seconds between two trades on both sides of the second ${wrap}`, async () => {
      const { pool, token0, alice, time } = await onNewChain();
      const tradeAt = async (second: bigint) => {
        await time.setNextBlockTimestamp(second);
        await pool.swapExactInput(token0, 10n ** 12n, 0n, alice, FAR_DEADLINE);
        return pool.observe();
      };
      // The price that stands over the wrap shows once it has ended.
      for (const [before, after] of [
        [wrap - 1n, wrap],
        [wrap + 5n, wrap + 6n],
        [wrap + 7n, wrap + 100_007n],
      ] as const) {
        const first = await tradeAt(before);
        const second = await tradeAt(after);
        expect(second.timestamp - first.timestamp).to.equal(after - before);
        expect(second.cumulativeLogPriceWad - first.cumulativeLogPriceWad).to.equal(
          second.logPriceWad * (after - before),
        );
      }
    });

    it(`lets a pool be born in the second ${wrap} and charges its fee there`, async () => {
      const { factory, pool, token0, reserve0, reserve1, alice, time } = await onNewChain({
        empty: true,
      });
      expect(await factory.minSwapFee()).to.equal(3000n);
      await time.setNextBlockTimestamp(wrap);
      await pool.addLiquidity(reserve0, reserve1, 0n, 0n, alice, FAR_DEADLINE);
      expect((await pool.getReserves())[2]).to.equal(wrap % FULL);
      expect(await pool.swapFee()).to.equal(3000n);
      const [x, y] = await reservesOf(pool);
      const out = v2AmountOut(10n ** 12n, x, y);
      expect(await pool.getAmountOut(token0, 10n ** 12n)).to.equal(out);
      await pool.swapExactInput(token0, 10n ** 12n, out, alice, FAR_DEADLINE);
    });
  }

  it("keeps time, both reserves and the mark of the protocol's share apart when all their bits are set", async () => {
    const setup = await onNewChain({ empty: true });
    const { factory, pool, poolAddress, token0, token1, deployer, bob, ethers, time } = setup;
    for (const token of [token0, token1]) {
      await token.mint(deployer.address, MAX_RESERVE);
      await token.transfer(poolAddress, MAX_RESERVE);
    }
    for (const marked of [false, true]) {
      const snapshot = await setup.networkHelpers.takeSnapshot();
      if (marked) await factory.setFeeTo(bob);
      await time.setNextBlockTimestamp(HALF - 1n);
      await pool.mint(deployer);
      const word = await storedWord(ethers.provider, poolAddress, [MAX_RESERVE, MAX_RESERVE]);
      expect(word).to.equal(2n ** 256n - 1n - (marked ? 0n : MARK));
      expect(await pool.getReserves()).to.deep.equal([MAX_RESERVE, MAX_RESERVE, HALF - 1n]);
      expect(await pool.kLast()).to.equal(marked ? MAX_RESERVE ** 2n : 0n);
      // 2^31 seconds, but one, later: the longest gap that is still told apart.
      await time.setNextBlockTimestamp(FULL - 2n);
      await pool.sync();
      expect(await pool.getReserves()).to.deep.equal([MAX_RESERVE, MAX_RESERVE, FULL - 2n]);
      await snapshot.restore();
    }
  });

  it("carries the mark of the protocol's share through every operation that is no change of liquidity", async () => {
    const setup = await onNewChain();
    const { factory, pool, poolAddress, token0, token1, reserve0, reserve1, alice, bob } = setup;
    const isMarked = async () => {
      const word = await storedWord(setup.ethers.provider, poolAddress, await reservesOf(pool));
      return (word & MARK) !== 0n;
    };
    const amount = reserve0 / 1000n;
    const others = [
      () => pool.swapExactInput(token0, amount, 0n, alice, FAR_DEADLINE),
      () => pool.swapExactOutput(token1, amount, MAX_RESERVE, alice, FAR_DEADLINE),
      async () => {
        await token0.transfer(poolAddress, amount);
        return pool.swapPrefunded(token0, 0n, alice);
      },
      async () => {
        await token0.transfer(poolAddress, amount);
        return pool.swap(0n, 1n, alice, "0x");
      },
      async () => {
        await token0.transfer(poolAddress, amount);
        return pool.sync();
      },
      () => pool.skim(alice),
    ];
    const unmarkedK = await pool.kLast();
    for (const operate of others) {
      await operate();
      expect(await isMarked(), "marked while the share was off").to.equal(false);
    }
    expect(unmarkedK).to.equal(0n);
    await factory.setFeeTo(bob);
    for (const operate of others) {
      await operate();
      expect(await isMarked(), "marked before liquidity changed").to.equal(false);
    }
    await pool.addLiquidity(reserve0, reserve1, 0n, 0n, alice, FAR_DEADLINE);
    const kLast = await pool.kLast();
    const [x, y] = await reservesOf(pool);
    expect(kLast).to.equal(x * y);
    for (const operate of others) {
      await operate();
      expect(await isMarked(), "mark lost").to.equal(true);
      expect(await pool.kLast()).to.equal(kLast);
    }
    const [newX, newY] = await reservesOf(pool);
    const [root, rootLast] = [sqrtDown(newX * newY), sqrtDown(kLast)];
    const due = ((await pool.totalSupply()) * (root - rootLast)) / (root * 5n + rootLast);
    await pool.removeLiquidity(10n ** 12n, 0n, 0n, alice, FAR_DEADLINE);
    expect(await pool.balanceOf(bob)).to.equal(due);
  });
});
