import { expect } from "chai";
import { network } from "hardhat";
import {
  createPool,
  deployFactory,
  deployPool,
  FAR_DEADLINE,
  fund,
  MAX_RESERVE,
  reservesOf,
  v2AmountIn,
  v2AmountOut,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const empty = () => deployPool(ethers, { empty: true });

describe("ConstantProductPool at its limits", () => {
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
      for (const attempt of [() => pool.sync(), () => pool.swap(0n, 1n, alice, "0x")]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(MAX_RESERVE + 1n, MAX_RESERVE);
      }
      for (const attempt of [() => pool.mint(alice), () => pool.swapPrefunded(token0, 0n, alice)]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_ReserveOverflow")
          .withArgs(room + 1n, room);
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
