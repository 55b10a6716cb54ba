import { readFileSync } from "node:fs";
import { expect } from "chai";
import { Signature, ZeroAddress } from "ethers";
import { network } from "hardhat";
import {
  createPool,
  deployFactory,
  deployPool,
  FAR_DEADLINE,
  fund,
  LOCK,
  MAX_RESERVE,
  reservesOf,
  sqrtDown,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const E18 = 10n ** 18n;

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/uniswap_v2.json", import.meta.url), "utf8"),
) as {
  groups: {
    swap_exact_in_max_out: {
      cases: { amountIn: string; reserveIn: string; reserveOut: string; maxAmountOut: string }[];
    };
  };
};

const seeded = () => deployPool(ethers);
const empty = () => deployPool(ethers, { empty: true });

/** Uniswap V2's formulas with 997/1000, written down independently of the project's library. */
const v2AmountOut = (a: bigint, x: bigint, y: bigint) => (a * 997n * y) / (x * 1000n + a * 997n);
const v2AmountIn = (b: bigint, x: bigint, y: bigint) => (x * b * 1000n) / ((y - b) * 997n) + 1n;

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
      await expect(
        pool.swapExactInput(base, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroAmount");
      await expect(pool.getAmountOut(base, 0n)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroAmount",
      );
      expect(await pool.getAmountOut(base, 1000n)).to.equal(0n);
      await expect(pool.swapExactInput(base, 1000n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput")
        .withArgs(0n, 0n);
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
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroAmount");
      for (const wanted of [reserve1, reserve1 + 1n, 2n ** 256n - 1n]) {
        await expect(pool.swapExactOutput(token0, wanted, MAX_RESERVE, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_InsufficientReserve")
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
      ] as const) {
        await expect(
          pool.addLiquidity(a, b, 0n, 0n, alice, FAR_DEADLINE),
        ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroAmount");
      }
      await expect(
        pool.addLiquidity(1n, 1n, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroLiquidity");
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
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroAmount");
      await expect(
        pool.removeLiquidity(1n, 0n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput");
      const owned = await pool.balanceOf(deployer);
      await expect(pool.removeLiquidity(owned + 1n, 0n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(pool, "ERC20InsufficientBalance")
        .withArgs(deployer.address, owned, owned + 1n);
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

  describe("Uniswap V2's pair functions", () => {
    it("mint gives the first depositor V2's figures", async () => {
      const { pool, poolAddress, token0, token1, alice } = await loadFixture(empty);
      await token0.transfer(poolAddress, E18);
      await token1.transfer(poolAddress, 4n * E18);
      await expect(pool.connect(alice).mint(alice))
        .to.emit(pool, "Mint")
        .withArgs(alice.address, E18, 4n * E18);
      expect(await pool.totalSupply()).to.equal(2_000_000_000_000_000_000n);
      expect(await pool.balanceOf(alice)).to.equal(1_999_999_999_999_999_000n);
    });

    it("mint counts the smaller share and leaves the excess to all holders", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, alice } =
        await loadFixture(seeded);
      const supply = await pool.totalSupply();
      await token0.transfer(poolAddress, reserve0 / 2n);
      await token1.transfer(poolAddress, reserve1 / 3n);
      await pool.mint(alice);
      expect(await pool.balanceOf(alice)).to.equal(((reserve1 / 3n) * supply) / reserve1);
      expect(await reservesOf(pool)).to.deep.equal([
        reserve0 + reserve0 / 2n,
        reserve1 + reserve1 / 3n,
      ]);
    });

    it("mint refuses when a token is missing", async () => {
      const { pool, poolAddress, token0, alice } = await loadFixture(seeded);
      await token0.transfer(poolAddress, 10n ** 9n);
      await expect(pool.mint(alice))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroLiquidity")
        .withArgs(10n ** 9n, 0n);
    });

    it("burn of everything leaves V2's 500 and 2000 units behind the lock", async () => {
      const { pool, poolAddress, token0, token1, alice, bob } = await loadFixture(empty);
      await pool.connect(alice).addLiquidity(E18, 4n * E18, 0n, 0n, alice, FAR_DEADLINE);
      const before = await token0.balanceOf(bob);
      await pool.connect(alice).transfer(poolAddress, await pool.balanceOf(alice));
      await expect(pool.connect(alice).burn(bob))
        .to.emit(pool, "Burn")
        .withArgs(alice.address, E18 - 500n, 4n * E18 - 2000n, bob.address);
      expect((await token0.balanceOf(bob)) - before).to.equal(E18 - 500n);
      expect(await token0.balanceOf(poolAddress)).to.equal(500n);
      expect(await token1.balanceOf(poolAddress)).to.equal(2000n);
      expect(await pool.totalSupply()).to.equal(1000n);
      expect(await reservesOf(pool)).to.deep.equal([500n, 2000n]);
    });

    it("burn refuses when no LP tokens were sent", async () => {
      const { pool, alice } = await loadFixture(seeded);
      await expect(pool.burn(alice)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroAmount",
      );
    });

    for (const { amountIn, reserveIn, reserveOut, maxAmountOut } of vectors.groups
      .swap_exact_in_max_out.cases) {
      it(`swap pays ${maxAmountOut} for ${amountIn} on ${reserveIn} : ${reserveOut} and refuses one unit more`, async () => {
        const { pool, poolAddress, token0, deployer, alice } = await loadFixture(empty);
        await pool.addLiquidity(BigInt(reserveIn), BigInt(reserveOut), 0n, 0n, alice, FAR_DEADLINE);
        await token0.transfer(poolAddress, BigInt(amountIn));
        const out = BigInt(maxAmountOut);
        await expect(pool.swap(0n, out + 1n, alice, "0x"))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_InvariantBroken")
          .withArgs(
            BigInt(reserveIn) + BigInt(amountIn),
            BigInt(reserveOut) - out - 1n,
            BigInt(amountIn),
            0n,
            BigInt(reserveIn),
            BigInt(reserveOut),
          );
        await expect(pool.swap(0n, out, alice, "0x"))
          .to.emit(pool, "Swap")
          .withArgs(deployer.address, BigInt(amountIn), 0n, 0n, out, alice.address);
      });
    }

    it("swap takes back its own token when 0.3 % is added, and not a unit less", async () => {
      const { pool, poolAddress, token0, reserve0, alice } = await loadFixture(seeded);
      const out = reserve0 / 7n;
      const due = (out * 1000n + 996n) / 997n;
      await token0.transfer(poolAddress, due - 1n);
      await expect(pool.swap(out, 0n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      await token0.transfer(poolAddress, 1n);
      await pool.swap(out, 0n, alice, "0x");
      expect(await token0.balanceOf(poolAddress)).to.equal(reserve0 - out + due);
    });

    it("swap refuses to pay 99 % of a reserve for one unit", async () => {
      const { pool, poolAddress, token0, reserve1, alice } = await loadFixture(seeded);
      await token0.transfer(poolAddress, 1n);
      await expect(
        pool.swap(0n, (reserve1 * 99n) / 100n, alice, "0x"),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_InvariantBroken");
    });

    it("swap refuses no output, outputs of a whole reserve, and outputs for nothing", async () => {
      const { pool, reserve0, reserve1, alice } = await loadFixture(seeded);
      await expect(pool.swap(0n, 0n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroOutput",
      );
      await expect(pool.swap(reserve0, 0n, alice, "0x"))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_InsufficientReserve")
        .withArgs(reserve0, reserve0);
      await expect(pool.swap(0n, reserve1, alice, "0x"))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_InsufficientReserve")
        .withArgs(reserve1, reserve1);
      await expect(pool.swap(5n, 7n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroAmount",
      );
    });

    it("skim sends the excess and sync books it", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, bob } =
        await loadFixture(seeded);
      await token0.transfer(poolAddress, 111n);
      await token1.transfer(poolAddress, 222n);
      const [before0, before1] = [await token0.balanceOf(bob), await token1.balanceOf(bob)];
      await pool.skim(bob);
      expect((await token0.balanceOf(bob)) - before0).to.equal(111n);
      expect((await token1.balanceOf(bob)) - before1).to.equal(222n);
      expect(await reservesOf(pool)).to.deep.equal([reserve0, reserve1]);

      await token0.transfer(poolAddress, 333n);
      await expect(pool.sync())
        .to.emit(pool, "Sync")
        .withArgs(reserve0 + 333n, reserve1);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 + 333n, reserve1]);
    });

    it("gives nothing to the pool itself or to its tokens, by any function", async () => {
      const { pool, poolAddress, token0, token1 } = await loadFixture(seeded);
      for (const to of [poolAddress, await token0.getAddress(), await token1.getAddress()]) {
        for (const attempt of [
          () => pool.swapExactInput(token0, 10n ** 9n, 0n, to, FAR_DEADLINE),
          () => pool.swapExactOutput(token0, 10n ** 3n, MAX_RESERVE, to, FAR_DEADLINE),
          () => pool.addLiquidity(10n ** 9n, 10n ** 9n, 0n, 0n, to, FAR_DEADLINE),
          () => pool.removeLiquidity(10n ** 12n, 0n, 0n, to, FAR_DEADLINE),
          () => pool.mint(to),
          () => pool.burn(to),
          () => pool.swap(1n, 0n, to, "0x"),
          () => pool.skim(to),
        ]) {
          await expect(attempt())
            .to.be.revertedWithCustomError(pool, "ConstantProductPool_InvalidRecipient")
            .withArgs(to);
        }
      }
    });
  });

  describe("flash swaps", () => {
    async function withBorrower() {
      const setup = await seeded();
      const borrower = await ethers.deployContract("MockFlashSwapCallee");
      await setup.token0.transfer(borrower, 10n ** 30n / 2n);
      await setup.token1.transfer(borrower, 10n ** 30n / 2n);
      return { ...setup, borrower };
    }

    it("hand the output to the borrower before it pays, and tell it who called and how much", async () => {
      const { pool, poolAddress, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const out = reserve1 / 10n;
      const due = v2AmountIn(out, reserve0, reserve1);
      await borrower.arm(due, 0n, ZeroAddress, "0x");
      const address = await borrower.getAddress();
      await expect(borrower.borrow(pool, 0n, out))
        .to.emit(borrower, "Called")
        .withArgs(poolAddress, address, 0n, out);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 + due, reserve1 - out]);
    });

    it("are refused when the payment is two units short of the quote", async () => {
      const { pool, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const out = reserve1 / 10n;
      const due = v2AmountIn(out, reserve0, reserve1);
      await borrower.arm(due - 2n, 0n, ZeroAddress, "0x");
      await expect(borrower.borrow(pool, 0n, out)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
    });

    it("of both tokens at once must bring back both with the fee on each", async () => {
      const { pool, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const [out0, out1] = [reserve0 / 11n, reserve1 / 13n];
      await borrower.arm(out0, out1, ZeroAddress, "0x");
      await expect(borrower.borrow(pool, out0, out1)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      const [due0, due1] = [(out0 * 1000n + 996n) / 997n, (out1 * 1000n + 996n) / 997n];
      await borrower.arm(due0, due1, ZeroAddress, "0x");
      await borrower.borrow(pool, out0, out1);
      expect(await reservesOf(pool)).to.deep.equal([
        reserve0 - out0 + due0,
        reserve1 - out1 + due1,
      ]);
    });

    it("lock every function that changes state and every price, until they end", async () => {
      const { pool, poolAddress, borrower, token0, reserve0, reserve1, alice } =
        await loadFixture(withBorrower);
      const locked = pool.interface.getError("ReentrancyGuardReentrantCall")!.selector;
      const tokenIn = await token0.getAddress();
      const deadline = FAR_DEADLINE;
      const out = reserve1 / 1000n;
      const due = v2AmountIn(out, reserve0, reserve1);
      const to = alice.address;
      const calls = [
        pool.interface.encodeFunctionData("swapExactInput", [tokenIn, 9n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("swapExactOutput", [tokenIn, 9n, 99n, to, deadline]),
        pool.interface.encodeFunctionData("addLiquidity", [9n, 9n, 0n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("removeLiquidity", [9n, 0n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("mint", [to]),
        pool.interface.encodeFunctionData("burn", [to]),
        pool.interface.encodeFunctionData("swap", [1n, 0n, to, "0x"]),
        pool.interface.encodeFunctionData("skim", [to]),
        pool.interface.encodeFunctionData("sync"),
        pool.interface.encodeFunctionData("getReserves"),
        pool.interface.encodeFunctionData("getAmountOut", [tokenIn, 9n]),
        pool.interface.encodeFunctionData("getAmountIn", [tokenIn, 9n]),
      ];
      for (const data of calls) {
        const snapshot = await networkHelpers.takeSnapshot();
        await borrower.arm(due, 0n, poolAddress, data);
        await borrower.borrow(pool, 0n, out);
        expect(await borrower.succeeded(), data).to.equal(false);
        expect(await borrower.result(), data).to.equal(locked);
        await snapshot.restore();
      }
      expect(await pool.getReserves()).to.have.lengthOf(3);
    });
  });

  describe("the protocol's share of fees", () => {
    it("mints one sixth of the growth of sqrt(k) at the next change of liquidity, as V2 does", async () => {
      const { factory, pool, token0, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
      await factory.setFeeTo(bob);
      await pool.addLiquidity(reserve0, reserve1, 0n, 0n, alice, FAR_DEADLINE);
      const kLast = await pool.kLast();
      const [x0, y0] = await reservesOf(pool);
      expect(kLast).to.equal(x0 * y0);

      for (const share of [3n, 5n, 11n]) {
        await pool.swapExactInput(token0, reserve0 / share, 0n, alice, FAR_DEADLINE);
      }
      const [x, y] = await reservesOf(pool);
      const supply = await pool.totalSupply();
      const root = sqrtDown(x * y);
      const rootLast = sqrtDown(kLast);
      const due = (supply * (root - rootLast)) / (root * 5n + rootLast);
      expect(due > 0n).to.equal(true);

      const removed = await pool.balanceOf(alice);
      await pool.connect(alice).removeLiquidity(removed, 0n, 0n, alice, FAR_DEADLINE);
      expect(await pool.balanceOf(bob)).to.equal(due);
      expect(await pool.totalSupply()).to.equal(supply + due - removed);
      const [xAfter, yAfter] = await reservesOf(pool);
      expect([xAfter, yAfter]).to.deep.equal([
        x - (x * removed) / (supply + due),
        y - (y * removed) / (supply + due),
      ]);
      expect(await pool.kLast()).to.equal(xAfter * yAfter);
    });

    it("is the same by the native and by the V2 functions", async () => {
      const outcomes: bigint[][] = [];
      for (const native of [true, false]) {
        const { factory, pool, poolAddress, token0, token1, reserve0, reserve1, alice, bob } =
          await loadFixture(seeded);
        await factory.setFeeTo(bob);
        const add = async (a: bigint, b: bigint) => {
          if (native) return pool.addLiquidity(a, b, 0n, 0n, alice, FAR_DEADLINE);
          await token0.transfer(poolAddress, a);
          await token1.transfer(poolAddress, b);
          return pool.mint(alice);
        };
        await add(reserve0, reserve1);
        await pool.swapExactInput(token0, reserve0, 0n, alice, FAR_DEADLINE);
        const [x, y] = await reservesOf(pool);
        await add(x / 9n, ((x / 9n) * y) / x);
        await pool.swapExactInput(token1, reserve1, 0n, alice, FAR_DEADLINE);
        if (native) {
          await pool.connect(alice).removeLiquidity(10n ** 12n, 0n, 0n, alice, FAR_DEADLINE);
        } else {
          await pool.connect(alice).transfer(poolAddress, 10n ** 12n);
          await pool.burn(alice);
        }
        const reserves = await reservesOf(pool);
        outcomes.push([
          ...reserves,
          await pool.kLast(),
          await pool.totalSupply(),
          await pool.balanceOf(alice),
          await pool.balanceOf(bob),
        ]);
      }
      expect(outcomes[0]).to.deep.equal(outcomes[1]);
      expect(outcomes[0]![5]! > 0n, "no share was minted").to.equal(true);
    });

    it("charges nothing for growth while it is off", async () => {
      const { factory, pool, token0, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
      const add = () => pool.addLiquidity(reserve0 / 2n, reserve1, 0n, 0n, alice, FAR_DEADLINE);
      const trade = () => pool.swapExactInput(token0, reserve0 / 10n, 0n, alice, FAR_DEADLINE);
      await trade();
      await factory.setFeeTo(bob);
      await add();
      expect(await pool.balanceOf(bob), "charged for the time before").to.equal(0n);
      await factory.setFeeTo(ZeroAddress);
      await add();
      expect(await pool.kLast()).to.equal(0n);
      await trade();
      await factory.setFeeTo(bob);
      await add();
      expect(await pool.balanceOf(bob), "charged for the time between").to.equal(0n);
      await trade();
      await add();
      expect((await pool.balanceOf(bob)) > 0n, "not charged while on").to.equal(true);
    });
  });

  describe("the LP token", () => {
    it("has a name, a symbol and 18 decimals", async () => {
      const { pool } = await loadFixture(seeded);
      expect(await pool.name()).to.equal("Ballast LP");
      expect(await pool.symbol()).to.equal("BLP-LP");
      expect(await pool.decimals()).to.equal(18n);
    });

    it("takes signed approvals by ERC-2612, once each", async () => {
      const { pool, poolAddress, deployer, bob } = await loadFixture(seeded);
      const { chainId } = await ethers.provider.getNetwork();
      const value = 123_456_789n;
      const signature = Signature.from(
        await deployer.signTypedData(
          { name: "Ballast LP", version: "1", chainId, verifyingContract: poolAddress },
          {
            Permit: [
              { name: "owner", type: "address" },
              { name: "spender", type: "address" },
              { name: "value", type: "uint256" },
              { name: "nonce", type: "uint256" },
              { name: "deadline", type: "uint256" },
            ],
          },
          {
            owner: deployer.address,
            spender: bob.address,
            value,
            nonce: 0n,
            deadline: FAR_DEADLINE,
          },
        ),
      );
      const { v, r, s } = signature;
      await pool.permit(deployer, bob, value, FAR_DEADLINE, v, r, s);
      expect(await pool.allowance(deployer, bob)).to.equal(value);
      expect(await pool.nonces(deployer)).to.equal(1n);
      await pool.connect(bob).transferFrom(deployer, bob, value);
      expect(await pool.balanceOf(bob)).to.equal(value);
      await expect(
        pool.permit(deployer, bob, value, FAR_DEADLINE, v, r, s),
      ).to.be.revertedWithCustomError(pool, "ERC2612InvalidSigner");
      expect(await pool.PERMIT_TYPEHASH()).to.equal(
        ethers.id(
          "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
        ),
      );
    });
  });

  describe("unusual tokens", () => {
    async function withTaxedToken() {
      const [deployer, alice] = await ethers.getSigners();
      const factory = await deployFactory(ethers, 3000n);
      const taxed = await ethers.deployContract("MockFeeOnTransferERC20", ["Tax", "TAX", 18n, 0n]);
      const plain = await ethers.deployContract("MockERC20", ["Plain", "PLAIN", 6n]);
      const { pool, poolAddress } = await createPool(ethers, factory, taxed, plain);
      await fund(ethers, taxed, poolAddress);
      await fund(ethers, plain, poolAddress);
      await pool.addLiquidity(
        1_234_567_890_123n,
        1_234_567_890_123n,
        0n,
        0n,
        deployer!.address,
        FAR_DEADLINE,
      );
      return { pool, poolAddress, taxed, plain, deployer: deployer!, alice: alice! };
    }

    it("that take a fee on transfer are refused by the native functions", async () => {
      const { pool, taxed, alice } = await loadFixture(withTaxedToken);
      await taxed.setTransferTax(10_000n);
      for (const attempt of [
        () => pool.swapExactInput(taxed, 10n ** 9n, 0n, alice, FAR_DEADLINE),
        () => pool.swapExactOutput(taxed, 10n ** 9n, MAX_RESERVE, alice, FAR_DEADLINE),
        () => pool.addLiquidity(10n ** 9n, 10n ** 9n, 0n, 0n, alice, FAR_DEADLINE),
      ]) {
        await expect(attempt()).to.be.revertedWithCustomError(
          pool,
          "ConstantProductPool_BalanceBelowReserve",
        );
      }
    });

    it("that take a fee on transfer trade by the V2 function for what arrived", async () => {
      const { pool, poolAddress, taxed, alice } = await loadFixture(withTaxedToken);
      await taxed.setTransferTax(35_000n);
      await taxed.transfer(poolAddress, 10n ** 9n);
      const arrived = 965_000_000n;
      const reserve = 1_234_567_890_123n;
      const out = v2AmountOut(arrived, reserve, reserve);
      const taxedIsToken0 = (await pool.token0()) === (await taxed.getAddress());
      const swap = (amount: bigint) =>
        pool.swap(taxedIsToken0 ? 0n : amount, taxedIsToken0 ? amount : 0n, alice, "0x");
      await expect(swap(out + 1n)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      await swap(out);
      const [a, b] = await reservesOf(pool);
      expect(taxedIsToken0 ? [a, b] : [b, a]).to.deep.equal([reserve + arrived, reserve - out]);
    });

    it("that shrank the pool's balance block native trades until a sync, and nobody profits", async () => {
      const { pool, poolAddress, taxed, plain, alice } = await loadFixture(withTaxedToken);
      const before = 1_234_567_890_123n;
      await taxed.shrink(poolAddress, before / 3n);
      for (const attempt of [
        () => pool.swapExactInput(plain, 10n ** 9n, 0n, alice, FAR_DEADLINE),
        () => pool.swapExactInput(taxed, 10n ** 9n, 0n, alice, FAR_DEADLINE),
        () => pool.removeLiquidity(10n ** 9n, 0n, 0n, alice, FAR_DEADLINE),
        () => pool.skim(alice),
        () => pool.mint(alice),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_BalanceBelowReserve")
          .withArgs(
            await taxed.getAddress(),
            (balance: bigint) => balance > 0n,
            (reserve: bigint) => reserve > 0n,
          );
      }
      await pool.sync();
      const out = v2AmountOut(10n ** 9n, before, before - before / 3n);
      expect(await pool.getAmountOut(plain, 10n ** 9n)).to.equal(out);
      await pool.swapExactInput(plain, 10n ** 9n, out, alice, FAR_DEADLINE);
    });

    it("that return nothing from transfers work", async () => {
      const [deployer, alice] = await ethers.getSigners();
      const factory = await deployFactory(ethers, 3000n);
      const silent = await ethers.deployContract("MockNoReturnERC20");
      const plain = await ethers.deployContract("MockERC20", ["Plain", "PLAIN", 18n]);
      const { pool, poolAddress } = await createPool(ethers, factory, silent, plain);
      await silent.mint(deployer!, 10n ** 15n);
      await silent.approve(poolAddress, 10n ** 15n);
      await fund(ethers, plain, poolAddress);
      await pool.addLiquidity(10n ** 12n, 10n ** 12n, 0n, 0n, deployer!, FAR_DEADLINE);
      const out = v2AmountOut(10n ** 9n, 10n ** 12n, 10n ** 12n);
      await pool.swapExactInput(silent, 10n ** 9n, out, alice!, FAR_DEADLINE);
      await pool.swapExactInput(plain, 10n ** 9n, 0n, alice!, FAR_DEADLINE);
      await pool.removeLiquidity(10n ** 9n, 0n, 0n, alice!, FAR_DEADLINE);
      expect((await silent.balanceOf(alice!)) > 0n).to.equal(true);
    });

    for (const early of [true, false]) {
      const moment = early ? "before" : "after";
      it(`that call out ${moment} moving balances find the pool locked, also to readers`, async () => {
        const [deployer, alice] = await ethers.getSigners();
        const factory = await deployFactory(ethers, 3000n);
        const hooked = await ethers.deployContract("MockHookERC20", ["Hook", "HOOK", 18n]);
        const plain = await ethers.deployContract("MockERC20", ["Plain", "PLAIN", 6n]);
        const { pool, poolAddress } = await createPool(ethers, factory, hooked, plain);
        await fund(ethers, hooked, poolAddress);
        await fund(ethers, plain, poolAddress);
        const amount = 10n ** 12n;
        await pool.addLiquidity(amount, amount, 0n, 0n, deployer!, FAR_DEADLINE);
        const locked = pool.interface.getError("ReentrancyGuardReentrantCall")!.selector;
        const data = [
          pool.interface.encodeFunctionData("sync"),
          pool.interface.encodeFunctionData("getReserves"),
        ];
        const entries = [
          () => pool.swapExactInput(hooked, 1_000_003n, 0n, alice!, FAR_DEADLINE),
          () => pool.swapExactInput(plain, 1_000_003n, 0n, alice!, FAR_DEADLINE),
          () => pool.swapExactOutput(hooked, 1_000_003n, amount, alice!, FAR_DEADLINE),
          () => pool.addLiquidity(1_000_003n, 1_000_033n, 0n, 0n, alice!, FAR_DEADLINE),
          () => pool.removeLiquidity(1_000_003n, 0n, 0n, alice!, FAR_DEADLINE),
          () => pool.skim(alice!),
        ];
        for (const enter of entries) {
          for (const attempt of data) {
            await hooked.arm(poolAddress, attempt, early);
            await enter();
            expect(await hooked.called()).to.equal(true);
            expect(await hooked.succeeded()).to.equal(false);
            expect(await hooked.result()).to.equal(locked);
          }
        }
      });
    }
  });

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
      const { pool, alice } = await loadFixture(empty);
      const tooMuch = MAX_RESERVE + 1n;
      for (const [amount0, amount1] of [
        [tooMuch, 1_000_003n],
        [1_000_003n, tooMuch],
        [2n ** 256n - 1n, 2n],
        [2n, 2n ** 256n - 1n],
      ] as const) {
        await expect(pool.addLiquidity(amount0, amount1, 0n, 0n, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(amount0 > amount1 ? amount0 : amount1, MAX_RESERVE);
      }
    });

    it("are never exceeded", async () => {
      const { pool, poolAddress, token0, reserve, alice } = await loadFixture(nearlyFull);
      const room = 10n ** 15n;
      for (const attempt of [
        () => pool.swapExactInput(token0, room + 1n, 0n, alice, FAR_DEADLINE),
        () => pool.getAmountOut(token0, room + 1n),
        () => pool.addLiquidity(room + 1n, room + 1n, 0n, 0n, alice, FAR_DEADLINE),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(room + 1n, room);
      }
      await expect(pool.getAmountOut(token0, 2n ** 256n - 1n))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
        .withArgs(2n ** 256n - 1n, room);
      await pool.swapExactInput.staticCall(token0, room, 0n, alice, FAR_DEADLINE);
      const cost = v2AmountIn(reserve / 2n, reserve, reserve);
      for (const attempt of [
        () => pool.swapExactOutput(token0, reserve / 2n, cost, alice, FAR_DEADLINE),
        () => pool.getAmountIn(token0, reserve / 2n),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(cost, room);
      }
      await token0.transfer(poolAddress, room + 1n);
      for (const attempt of [
        () => pool.sync(),
        () => pool.mint(alice),
        () => pool.swap(0n, 1n, alice, "0x"),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(MAX_RESERVE + 1n, MAX_RESERVE);
      }
    });
  });

  describe("the fee", () => {
    it("is one constant in quotes and in the check of k, at 0, at 1 and at 10,000 millionths", async () => {
      for (const swapFee of [0n, 1n, 10_000n]) {
        const { pool, poolAddress, token0, reserve0, reserve1, alice } = await deployPool(ethers, {
          swapFee,
        });
        expect(await pool.swapFee()).to.equal(swapFee);
        const amountIn = reserve0 / 23n + 1n;
        const kept = amountIn * (1_000_000n - swapFee);
        const out = (kept * reserve1) / (reserve0 * 1_000_000n + kept);
        expect(await pool.getAmountOut(token0, amountIn)).to.equal(out);
        await token0.transfer(poolAddress, amountIn);
        await expect(pool.swap(0n, out + 1n, alice, "0x")).to.be.revertedWithCustomError(
          pool,
          "ConstantProductPool_InvariantBroken",
        );
        await pool.swap(0n, out, alice, "0x");
      }
    });
  });
});
