import { expect } from "chai";
import { network } from "hardhat";
import {
  deployPool,
  FAR_DEADLINE,
  MAX_RESERVE,
  reservesOf,
  v2AmountIn,
  v2AmountOut,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const empty = () => deployPool(ethers, { empty: true });

describe("ConstantProductPool at its limits", () => {
  describe("the 112 bits of a reserve", () => {
    async function nearlyFull() {
      const setup = await empty();
      const { token0, token1, poolAddress, deployer } = setup;
      for (const token of [token0, token1]) await token.mint(deployer.address, 2n ** 113n);
      await token0.transfer(poolAddress, MAX_RESERVE - 10n ** 15n);
      await token1.transfer(poolAddress, MAX_RESERVE - 10n ** 15n);
      await setup.pool.mint(deployer.address);
      return { ...setup, reserve: MAX_RESERVE - 10n ** 15n };
    }

    it("can be filled to the last unit, and the check of k holds there", async () => {
      const { pool, poolAddress, token0, reserve, alice } = await loadFixture(nearlyFull);
      const amountIn = 10n ** 15n;
      const out = v2AmountOut(amountIn, reserve, reserve);
      await token0.transfer(poolAddress, amountIn);
      await expect(pool.swap(0n, out + 1n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      await pool.swap(0n, out, alice, "0x");
      expect(await reservesOf(pool)).to.deep.equal([MAX_RESERVE, reserve - out]);
    });

    it("are not exceeded by the first deposit, of either token", async () => {
      const { pool, token0, token1, deployer, alice } = await loadFixture(empty);
      for (const token of [token0, token1]) await token.mint(deployer.address, 2n ** 113n);
      const tooMuch = MAX_RESERVE + 1n;
      for (const [amount0, amount1] of [
        [tooMuch, 1_000_003n],
        [1_000_003n, tooMuch],
        [2n ** 256n - 1n, 1_000_003n],
        [1_000_003n, 2n ** 256n - 1n],
      ] as const) {
        // What is desired is an upper bound; the lower one tells whether the rest will do.
        await expect(pool.addLiquidity(amount0, amount1, amount0, amount1, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_AmountBelowMinimum")
          .withArgs(amount0 > amount1 ? token0 : token1, MAX_RESERVE, (minimum: bigint) =>
            [amount0, amount1].includes(minimum),
          );
        const snapshot = await networkHelpers.takeSnapshot();
        await pool.addLiquidity(amount0, amount1, 0n, 0n, alice, FAR_DEADLINE);
        expect(await reservesOf(pool)).to.deep.equal(
          amount0 > amount1 ? [MAX_RESERVE, amount1] : [amount0, MAX_RESERVE],
        );
        await snapshot.restore();
      }
    });

    it("are never exceeded", async () => {
      const { pool, poolAddress, token0, reserve, alice } = await loadFixture(nearlyFull);
      const room = 10n ** 15n;
      const expectOverflow = (attempt: Promise<unknown>) =>
        expect(attempt)
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(
            (amount: bigint) => amount > room,
            (limit: bigint) => limit <= MAX_RESERVE,
          );
      await pool.swapExactInput.staticCall(token0, room, 0n, alice, FAR_DEADLINE);
      for (const tooMuch of [room + 1n, MAX_RESERVE, 2n ** 256n - 1n]) {
        await expectOverflow(pool.swapExactInput(token0, tooMuch, 0n, alice, FAR_DEADLINE));
        await expectOverflow(pool.getAmountOut(token0, tooMuch));
        await expectOverflow(pool.addLiquidity(tooMuch, tooMuch, 0n, 0n, alice, FAR_DEADLINE));
      }
      const cost = v2AmountIn(reserve / 2n, reserve, reserve);
      await expectOverflow(pool.swapExactOutput(token0, reserve / 2n, cost, alice, FAR_DEADLINE));
      await expectOverflow(pool.getAmountIn(token0, reserve / 2n));
      await token0.transfer(poolAddress, room + 1n);
      await expectOverflow(pool.sync());
      await expectOverflow(pool.mint(alice));
      await expectOverflow(pool.swap(0n, 1n, alice, "0x"));
      await expectOverflow(pool.swapPrefunded(token0, 0n, alice));
      // Nobody is locked in: what comes in counts after what goes out, and the excess is anyone's.
      await pool.removeLiquidity(10n ** 12n, 0n, 0n, alice, FAR_DEADLINE);
      await pool.transfer(poolAddress, 10n ** 12n);
      const snapshot = await networkHelpers.takeSnapshot();
      await pool.burn(alice);
      await snapshot.restore();
      await token0.transfer(poolAddress, 10n ** 30n);
      await expectOverflow(pool.burn(alice));
      await pool.skim(alice);
      await pool.burn(alice);
    });
  });

  describe("the fee", () => {
    /** A pool whose fee has reached the value: fixed up to 1 %, above that by a wild move in the block before. */
    async function withFee(swapFee: bigint) {
      if (swapFee <= 10_000n) return deployPool(ethers, { swapFee });
      const setup = await deployPool(ethers, {
        swapFee: 10_000n,
        maxSwapFee: swapFee,
        volatilityFeeMultiplierWad: 100n * 10n ** 18n,
      });
      const { pool, token0, reserve0, alice } = setup;
      for (const share of [3n, 2n]) {
        await pool.swapExactInput(token0, reserve0 / share, 0n, alice, FAR_DEADLINE);
      }
      return setup;
    }

    for (const swapFee of [0n, 1n, 500n, 3000n, 9999n, 10_000n, 30_000n, 50_000n]) {
      it(`of ${swapFee} millionths is the same in quotes, in sales and in the check of k`, async () => {
        const { pool, poolAddress, token0, token1, alice } = await withFee(swapFee);
        for (const zeroForOne of [true, false]) {
          const snapshot = await networkHelpers.takeSnapshot();
          const tokenIn = zeroForOne ? token0 : token1;
          const reserves = await reservesOf(pool);
          const [x, y] = zeroForOne ? reserves : [...reserves].reverse();
          // The fee is that of this block: the one of the transfer may begin with another.
          const amountIn = x! / 23n + 1n;
          await tokenIn.transfer(poolAddress, amountIn);
          expect(await pool.swapFee()).to.equal(swapFee);
          const kept = amountIn * (1_000_000n - swapFee);
          const out = (kept * y!) / (x! * 1_000_000n + kept);
          expect(await pool.getAmountOut(tokenIn, amountIn)).to.equal(out);
          const swap = (amount: bigint) =>
            pool.swap(zeroForOne ? 0n : amount, zeroForOne ? amount : 0n, alice, "0x");
          await expect(swap(out + 1n)).to.be.revertedWithCustomError(
            pool,
            "ConstantProductPool_InvariantBroken",
          );
          expect(await pool.swapPrefunded.staticCall(tokenIn, 0n, alice)).to.equal(out);
          await swap(out);
          await snapshot.restore();
        }
      });

      it(`of ${swapFee} millionths lets nobody take 99 % of a reserve, or anything, for one unit`, async () => {
        const { pool, poolAddress, token0, token1, base, alice } = await withFee(swapFee);
        for (const tokenIn of [token0, token1]) {
          const snapshot = await networkHelpers.takeSnapshot();
          const zeroForOne = tokenIn === token0;
          const reserves = await reservesOf(pool);
          const reserveOut = reserves[zeroForOne ? 1 : 0];
          await tokenIn.transfer(poolAddress, 1n);
          const quoted = await pool.getAmountOut(tokenIn, 1n);
          // One unit of the token with 6 decimals is worth many of the one with 18; the other way it is worth none.
          expect(quoted > 0n).to.equal(tokenIn !== base);
          for (const amount of [(reserveOut * 99n) / 100n, reserveOut / 1000n, quoted + 1n]) {
            await expect(
              pool.swap(zeroForOne ? 0n : amount, zeroForOne ? amount : 0n, alice, "0x"),
              `${amount} of ${reserveOut}`,
            ).to.be.revertedWithCustomError(pool, "ConstantProductPool_InvariantBroken");
          }
          await snapshot.restore();
        }
      });
    }
  });
});
