import { expect } from "chai";
import { network } from "hardhat";
import {
  deployPool,
  FAR_DEADLINE,
  LOCK,
  libraryErrors,
  MAX_RESERVE,
  reservesOf,
  v2AmountIn,
  v2AmountOut,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const E18 = 10n ** 18n;

const seeded = () => deployPool(ethers);
const empty = () => deployPool(ethers, { empty: true });

describe("ConstantProductPool", () => {
  describe("selling an exact input", () => {
    for (const zeroForOne of [true, false]) {
      const direction = zeroForOne ? "token0 for token1" : "token1 for token0";
      it(`pays what the quote says and V2's formula gives, ${direction}`, async () => {
        const { pool, token0, token1, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
        const [tokenIn, tokenOut] = zeroForOne ? [token0, token1] : [token1, token0];
        const [x, y] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
        const amountIn = x / 137n + 11n;
        const amountOut = v2AmountOut(amountIn, x, y);
        expect(await pool.getAmountOut(tokenIn, amountIn)).to.equal(amountOut);

        const paidBefore = await tokenIn.balanceOf(alice);
        const receivedBefore = await tokenOut.balanceOf(bob);
        const args = [tokenIn, amountIn, amountOut, bob, FAR_DEADLINE] as const;
        expect(await pool.connect(alice).swapExactInput.staticCall(...args)).to.equal(amountOut);
        const swapped = pool.connect(alice).swapExactInput(...args);
        const [newX, newY] = [x + amountIn, y - amountOut];
        await expect(swapped)
          .to.emit(pool, "Swap")
          .withArgs(
            alice.address,
            zeroForOne ? amountIn : 0n,
            zeroForOne ? 0n : amountIn,
            zeroForOne ? 0n : amountOut,
            zeroForOne ? amountOut : 0n,
            bob.address,
          );
        await expect(swapped)
          .to.emit(pool, "Sync")
          .withArgs(zeroForOne ? newX : newY, zeroForOne ? newY : newX);
        expect(paidBefore - (await tokenIn.balanceOf(alice))).to.equal(amountIn);
        expect((await tokenOut.balanceOf(bob)) - receivedBefore).to.equal(amountOut);
        const block = await ethers.provider.getBlock("latest");
        expect(await pool.getReserves()).to.deep.equal([
          zeroForOne ? newX : newY,
          zeroForOne ? newY : newX,
          BigInt(block!.timestamp),
        ]);
      });
    }

    it("accepts its last second and refuses the next", async () => {
      const { pool, token0, alice } = await loadFixture(seeded);
      const now = BigInt(await networkHelpers.time.latest());
      await networkHelpers.time.setNextBlockTimestamp(now + 100n);
      await pool.connect(alice).swapExactInput(token0, 10n ** 9n, 0n, alice, now + 100n);
      await networkHelpers.time.setNextBlockTimestamp(now + 201n);
      await expect(
        pool.connect(alice).swapExactInput(token0, 10n ** 9n, 0n, alice, now + 200n, {
          gasLimit: 1_000_000n,
        }),
      )
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_Expired")
        .withArgs(now + 200n, now + 201n);
    });

    it("refuses an output below the caller's bound", async () => {
      const { pool, token0, alice } = await loadFixture(seeded);
      const out = await pool.getAmountOut(token0, 10n ** 9n);
      await expect(pool.swapExactInput(token0, 10n ** 9n, out + 1n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_OutputBelowMinimum")
        .withArgs(out, out + 1n);
    });

    it("refuses zero input, and input too small to buy one unit", async () => {
      const { pool, base, alice } = await loadFixture(seeded);
      for (const tooLittle of [0n, 1n, 1000n]) {
        expect(await pool.getAmountOut(base, tooLittle)).to.equal(0n);
        await expect(pool.swapExactInput(base, tooLittle, 0n, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput")
          .withArgs(0n, 0n);
      }
    });

    it("refuses tokens that are not the pool's", async () => {
      const { pool, factory, alice } = await loadFixture(seeded);
      const stranger = await factory.getAddress();
      for (const attempt of [
        () => pool.swapExactInput(stranger, 5n, 0n, alice, FAR_DEADLINE),
        () => pool.swapExactOutput(stranger, 5n, 5n, alice, FAR_DEADLINE),
        () => pool.getAmountOut(stranger, 5n),
        () => pool.getAmountIn(stranger, 5n),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_UnknownToken")
          .withArgs(stranger);
      }
    });

    it("refuses to trade before the first deposit", async () => {
      const { pool, token0, alice } = await loadFixture(empty);
      await expect(pool.swapExactInput(token0, 5n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductMath_ZeroReserve")
        .withArgs(0n, 0n);
    });

    it("leaves what strangers sent out of the reserves and out of the price", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, alice } =
        await loadFixture(seeded);
      await token0.transfer(poolAddress, 12_345n);
      await token1.transfer(poolAddress, 6_789n);
      const amountIn = reserve0 / 50n;
      const amountOut = v2AmountOut(amountIn, reserve0, reserve1);
      await pool.connect(alice).swapExactInput(token0, amountIn, amountOut, alice, FAR_DEADLINE);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 + amountIn, reserve1 - amountOut]);
      expect(await token0.balanceOf(poolAddress)).to.equal(reserve0 + amountIn + 12_345n);
    });

    it("never pays more for two slices than for the whole", async () => {
      const { pool, token0, reserve0, alice } = await loadFixture(seeded);
      const [first, second] = [reserve0 / 31n + 7n, reserve0 / 17n + 3n];
      const whole = await pool.getAmountOut(token0, first + second);
      const part = await pool.getAmountOut(token0, first);
      await pool.connect(alice).swapExactInput(token0, first, part, alice, FAR_DEADLINE);
      const rest = await pool.getAmountOut(token0, second);
      expect(part + rest <= whole, `${part} + ${rest} beats ${whole}`).to.equal(true);
    });
  });

  describe("buying an exact output", () => {
    for (const zeroForOne of [true, false]) {
      const direction = zeroForOne ? "token1 with token0" : "token0 with token1";
      it(`costs what the quote says and V2's formula gives, ${direction}`, async () => {
        const { pool, token0, token1, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
        const [tokenIn, tokenOut] = zeroForOne ? [token0, token1] : [token1, token0];
        const [x, y] = zeroForOne ? [reserve0, reserve1] : [reserve1, reserve0];
        const amountOut = y / 91n + 5n;
        const amountIn = v2AmountIn(amountOut, x, y);
        expect(await pool.getAmountIn(tokenIn, amountOut)).to.equal(amountIn);

        const paidBefore = await tokenIn.balanceOf(alice);
        const receivedBefore = await tokenOut.balanceOf(bob);
        const args = [tokenIn, amountOut, amountIn, bob, FAR_DEADLINE] as const;
        expect(await pool.connect(alice).swapExactOutput.staticCall(...args)).to.equal(amountIn);
        await expect(pool.connect(alice).swapExactOutput(...args))
          .to.emit(pool, "Swap")
          .withArgs(
            alice.address,
            zeroForOne ? amountIn : 0n,
            zeroForOne ? 0n : amountIn,
            zeroForOne ? 0n : amountOut,
            zeroForOne ? amountOut : 0n,
            bob.address,
          );
        expect(paidBefore - (await tokenIn.balanceOf(alice))).to.equal(amountIn);
        expect((await tokenOut.balanceOf(bob)) - receivedBefore).to.equal(amountOut);
        const reserves = await reservesOf(pool);
        expect(zeroForOne ? reserves : reserves.reverse()).to.deep.equal([
          x + amountIn,
          y - amountOut,
        ]);
      });
    }

    it("refuses an input above the caller's bound", async () => {
      const { pool, token0, alice } = await loadFixture(seeded);
      const cost = await pool.getAmountIn(token0, 1_000_003n);
      await expect(pool.swapExactOutput(token0, 1_000_003n, cost - 1n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_InputAboveMaximum")
        .withArgs(cost, cost - 1n);
    });

    it("refuses zero, the whole reserve, and an expired call", async () => {
      const { pool, token0, reserve1, alice } = await loadFixture(seeded);
      await expect(
        pool.swapExactOutput(token0, 0n, MAX_RESERVE, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductMath_ZeroAmount");
      for (const wanted of [reserve1, reserve1 + 1n, 2n ** 256n - 1n]) {
        await expect(pool.swapExactOutput(token0, wanted, MAX_RESERVE, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(pool, "ConstantProductMath_OutputExceedsReserve")
          .withArgs(wanted, reserve1);
      }
      await expect(
        pool.swapExactOutput(token0, 5n, MAX_RESERVE, alice, 1n),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_Expired");
    });
  });

  describe("adding liquidity", () => {
    it("gives the first depositor sqrt(a b) - 1000 and locks 1000, which the supply includes", async () => {
      const { pool, poolAddress, token0, token1, alice, bob } = await loadFixture(empty);
      const args = [E18, 4n * E18, E18, 4n * E18, bob, FAR_DEADLINE] as const;
      expect(await pool.connect(alice).addLiquidity.staticCall(...args)).to.deep.equal([
        E18,
        4n * E18,
        2n * E18 - 1000n,
      ]);
      await expect(pool.connect(alice).addLiquidity(...args))
        .to.emit(pool, "Mint")
        .withArgs(alice.address, E18, 4n * E18);
      expect(await pool.balanceOf(bob)).to.equal(1_999_999_999_999_999_000n);
      expect(await pool.balanceOf(LOCK)).to.equal(1000n);
      expect(await pool.totalSupply()).to.equal(2n * E18);
      expect(await token0.balanceOf(poolAddress)).to.equal(E18);
      expect(await token1.balanceOf(poolAddress)).to.equal(4n * E18);
      expect(await reservesOf(pool)).to.deep.equal([E18, 4n * E18]);
    });

    it("refuses a first deposit worth no more than the lock", async () => {
      const { pool, alice } = await loadFixture(empty);
      await expect(pool.addLiquidity(1_000_000n, 1n, 0n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductMath_InitialLiquidityTooLow")
        .withArgs(1000n, 1000n);
      await pool.addLiquidity(1001n, 1001n, 0n, 0n, alice, FAR_DEADLINE);
      expect(await pool.balanceOf(alice)).to.equal(1n);
    });

    it("lets the first depositor set the price even after a stranger sent one token and synced", async () => {
      const { pool, poolAddress, token0, alice } = await loadFixture(empty);
      await token0.transfer(poolAddress, 1n);
      await pool.sync();
      await pool.connect(alice).addLiquidity(7n * E18, 3n * E18, 0n, 0n, alice, FAR_DEADLINE);
      expect(await reservesOf(pool)).to.deep.equal([7n * E18 + 1n, 3n * E18]);
    });

    for (const excess of ["token0", "token1"] as const) {
      it(`takes the ratio of the reserves and no more, with ${excess} in excess`, async () => {
        const { pool, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
        const supply = await pool.totalSupply();
        const [scale0, scale1] = excess === "token0" ? [5n, 7n] : [7n, 5n];
        const [desired0, desired1] = [reserve0 / scale0 + 1n, reserve1 / scale1 + 1n];
        const expected0 = excess === "token0" ? (desired1 * reserve0) / reserve1 : desired0;
        const expected1 = excess === "token0" ? desired1 : (desired0 * reserve1) / reserve0;
        const share0 = (expected0 * supply) / reserve0;
        const share1 = (expected1 * supply) / reserve1;
        const minted = share0 < share1 ? share0 : share1;
        const args = [desired0, desired1, expected0, expected1, bob, FAR_DEADLINE] as const;
        expect(await pool.connect(alice).addLiquidity.staticCall(...args)).to.deep.equal([
          expected0,
          expected1,
          minted,
        ]);
        await pool.connect(alice).addLiquidity(...args);
        expect(await pool.balanceOf(bob)).to.equal(minted);
        expect(await pool.totalSupply()).to.equal(supply + minted);
        expect(await reservesOf(pool)).to.deep.equal([reserve0 + expected0, reserve1 + expected1]);
      });
    }

    it("refuses amounts below the caller's bounds", async () => {
      const { pool, token0, token1, reserve0, reserve1, alice } = await loadFixture(seeded);
      const [half0, half1] = [reserve0 / 2n, reserve1 / 2n];
      const [taken0, taken1] = [(half1 * reserve0) / reserve1, (half0 * reserve1) / reserve0];
      await expect(pool.addLiquidity(reserve0, half1, taken0 + 1n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_AmountBelowMinimum")
        .withArgs(await token0.getAddress(), taken0, taken0 + 1n);
      await expect(pool.addLiquidity(half0, reserve1, 0n, taken1 + 1n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_AmountBelowMinimum")
        .withArgs(await token1.getAddress(), taken1, taken1 + 1n);
    });

    it("refuses zero amounts, amounts too small for one unit, and an expired call", async () => {
      const { pool, alice } = await loadFixture(seeded);
      for (const [a, b] of [
        [0n, 5n],
        [5n, 0n],
        [0n, 0n],
        [1n, 1n],
      ] as const) {
        await expect(
          pool.addLiquidity(a, b, 0n, 0n, alice, FAR_DEADLINE),
        ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroLiquidity");
      }
      await expect(pool.addLiquidity(5n, 5n, 0n, 0n, alice, 1n)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_Expired",
      );
    });
  });

  describe("removing liquidity", () => {
    it("pays the share of the reserves, rounded down, without an approval", async () => {
      const { pool, reserve0, reserve1, token0, token1, deployer, bob } = await loadFixture(seeded);
      const supply = await pool.totalSupply();
      const liquidity = supply / 3n + 1n;
      const [out0, out1] = [(reserve0 * liquidity) / supply, (reserve1 * liquidity) / supply];
      const [before0, before1] = [await token0.balanceOf(bob), await token1.balanceOf(bob)];
      const args = [liquidity, out0, out1, bob, FAR_DEADLINE] as const;
      expect(await pool.removeLiquidity.staticCall(...args)).to.deep.equal([out0, out1]);
      await expect(pool.removeLiquidity(...args))
        .to.emit(pool, "Burn")
        .withArgs(deployer.address, out0, out1, bob.address);
      expect((await token0.balanceOf(bob)) - before0).to.equal(out0);
      expect((await token1.balanceOf(bob)) - before1).to.equal(out1);
      expect(await pool.totalSupply()).to.equal(supply - liquidity);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 - out0, reserve1 - out1]);
    });

    it("refuses amounts below the caller's bounds", async () => {
      const { pool, token0, token1, reserve0, reserve1, alice } = await loadFixture(seeded);
      const supply = await pool.totalSupply();
      const [out0, out1] = [
        (reserve0 * (supply / 2n)) / supply,
        (reserve1 * (supply / 2n)) / supply,
      ];
      await expect(pool.removeLiquidity(supply / 2n, out0 + 1n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_AmountBelowMinimum")
        .withArgs(await token0.getAddress(), out0, out0 + 1n);
      await expect(pool.removeLiquidity(supply / 2n, 0n, out1 + 1n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_AmountBelowMinimum")
        .withArgs(await token1.getAddress(), out1, out1 + 1n);
    });

    it("refuses zero, dust that redeems nothing of a token, more than owned, and an expired call", async () => {
      const { pool, deployer, alice } = await loadFixture(seeded);
      await expect(
        pool.removeLiquidity(0n, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput");
      await expect(
        pool.removeLiquidity(1n, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput");
      const owned = await pool.balanceOf(deployer);
      await expect(
        pool.removeLiquidity(owned + 1n, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "InsufficientBalance");
      // These come back to little when multiplied in 256 bits.
      for (const tooMuch of [2n ** 255n + 10n ** 12n, 2n ** 256n - 1n]) {
        await expect(
          pool.removeLiquidity(tooMuch, 0n, 0n, alice, FAR_DEADLINE),
        ).to.be.revertedWithCustomError(libraryErrors, "MulDivFailed");
      }
      await expect(pool.removeLiquidity(owned, 0n, 0n, alice, 1n)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_Expired",
      );
    });

    it("leaves a donation to those who stay", async () => {
      const { pool, poolAddress, token0, deployer, bob } = await loadFixture(seeded);
      await token0.transfer(poolAddress, 10n ** 20n);
      const before = await pool.removeLiquidity.staticCall(10n ** 12n, 0n, 0n, bob, FAR_DEADLINE);
      await pool.skim(deployer);
      const after = await pool.removeLiquidity.staticCall(10n ** 12n, 0n, 0n, bob, FAR_DEADLINE);
      expect(before).to.deep.equal(after);
    });

    it("makes a deposit and its withdrawal gain nothing, even at reserves of a few units", async () => {
      const { pool, token0, token1, alice, bob } = await loadFixture(empty);
      await pool.addLiquidity(1009n, 1013n, 0n, 0n, alice, FAR_DEADLINE);
      for (const [a, b] of [
        [7n, 9n],
        [30n, 30n],
        [997n, 5000n],
      ] as const) {
        const [before0, before1] = [await token0.balanceOf(bob), await token1.balanceOf(bob)];
        await pool.connect(bob).addLiquidity(a, b, 0n, 0n, bob, FAR_DEADLINE);
        const owned = await pool.balanceOf(bob);
        await pool.connect(bob).removeLiquidity(owned, 0n, 0n, bob, FAR_DEADLINE);
        expect((await token0.balanceOf(bob)) <= before0, "token0 gained").to.equal(true);
        expect((await token1.balanceOf(bob)) <= before1, "token1 gained").to.equal(true);
      }
    });

    it("never lets the share price fall in forty withdrawals of a few units each", async () => {
      const { pool, alice } = await loadFixture(empty);
      await pool.addLiquidity(1_000_003n, 1009n, 0n, 0n, alice, FAR_DEADLINE);
      let [x, y] = await reservesOf(pool);
      let supply = await pool.totalSupply();
      for (let round = 0; round < 40; round++) {
        await pool
          .connect(alice)
          .removeLiquidity(BigInt(33 + (round % 3)), 0n, 0n, alice, FAR_DEADLINE);
        const [newX, newY] = await reservesOf(pool);
        const newSupply = await pool.totalSupply();
        expect(
          newX * newY * supply ** 2n >= x * y * newSupply ** 2n,
          "k / supply^2 falls",
        ).to.equal(true);
        [x, y, supply] = [newX, newY, newSupply];
      }
    });
  });
});
