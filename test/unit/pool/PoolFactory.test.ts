import { expect } from "chai";
import { getCreate2Address, solidityPackedKeccak256, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { createPool, deployFactory } from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();

async function factoryWithTokens() {
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await deployFactory(ethers, 3000n);
  const base = await ethers.deployContract("MockERC20", ["Base", "BASE", 18n]);
  const quote = await ethers.deployContract("MockERC20", ["Quote", "QUOTE", 6n]);
  return { factory, base, quote, deployer: deployer!, alice: alice!, bob: bob! };
}

/** Two good tokens, one of a lower and one of a higher address than the given one. */
async function partnersAround(address: string): Promise<[string, string]> {
  let [lower, higher] = ["", ""];
  while (lower === "" || higher === "") {
    const token = await ethers.deployContract("MockERC20", ["Good", "GOOD", 18n]);
    const candidate = await token.getAddress();
    if (BigInt(candidate) < BigInt(address)) lower = candidate;
    else higher = candidate;
  }
  return [lower, higher];
}

describe("PoolFactory", () => {
  describe("creating a pool", () => {
    it("registers the pool under both orders of its tokens and counts it", async () => {
      const { factory, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      expect(await factory.allPairsLength()).to.equal(0n);
      const { poolAddress } = await createPool(ethers, factory, base, quote);
      expect(poolAddress).to.not.equal(ZeroAddress);
      expect(await factory.getPair(base, quote)).to.equal(poolAddress);
      expect(await factory.getPair(quote, base)).to.equal(poolAddress);
      expect(await factory.allPairs(0n)).to.equal(poolAddress);
      expect(await factory.allPairsLength()).to.equal(1n);
    });

    it("announces the pool with its tokens in order of their addresses", async () => {
      const { factory, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      const [low, high] = [await base.getAddress(), await quote.getAddress()].sort((a, b) =>
        BigInt(a) < BigInt(b) ? -1 : 1,
      );
      const expected = await factory.createPair.staticCall(high!, low!);
      await expect(factory.createPair(high!, low!))
        .to.emit(factory, "PairCreated")
        .withArgs(low, high, expected, 1n);
    });

    it("puts the pool at the address that follows from the two tokens and one init code hash", async () => {
      const { factory, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      const hash = await factory.poolInitCodeHash();
      const third = await ethers.deployContract("MockERC20", ["Third", "THIRD", 8n]);
      for (const other of [quote, third]) {
        const { pool, poolAddress } = await createPool(ethers, factory, base, other);
        const salt = solidityPackedKeccak256(
          ["address", "address"],
          [await pool.token0(), await pool.token1()],
        );
        expect(getCreate2Address(await factory.getAddress(), salt, hash)).to.equal(poolAddress);
      }
      const { bytecode } = await ethers.getContractFactory("ConstantProductPool");
      expect(ethers.keccak256(bytecode)).to.equal(hash);
    });

    it("gives the pool its tokens and its fee, and shows parameters to nobody afterwards", async () => {
      const { factory, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      const { pool, token0, token1 } = await createPool(ethers, factory, base, quote);
      expect(await pool.factory()).to.equal(await factory.getAddress());
      expect(await pool.token0()).to.equal(await token0.getAddress());
      expect(await pool.token1()).to.equal(await token1.getAddress());
      expect(await pool.swapFee()).to.equal(3000n);
      expect(await factory.poolParameters()).to.deep.equal([
        ZeroAddress,
        ZeroAddress,
        0n,
        0n,
        0n,
        ethers.ZeroHash,
      ]);
    });

    it("accepts tokens of 0 and of 18 decimals", async () => {
      const { factory, base } = await networkHelpers.loadFixture(factoryWithTokens);
      const whole = await ethers.deployContract("MockERC20", ["Whole", "WHOLE", 0n]);
      const { pool } = await createPool(ethers, factory, base, whole);
      expect(await pool.MINIMUM_LIQUIDITY()).to.equal(1000n);
    });

    it("refuses a token with itself", async () => {
      const { factory, base } = await networkHelpers.loadFixture(factoryWithTokens);
      await expect(factory.createPair(base, base))
        .to.be.revertedWithCustomError(factory, "PoolFactory_IdenticalTokens")
        .withArgs(await base.getAddress());
    });

    it("refuses the zero address as a token, in either place", async () => {
      const { factory, base } = await networkHelpers.loadFixture(factoryWithTokens);
      await expect(factory.createPair(base, ZeroAddress)).to.be.revertedWithCustomError(
        factory,
        "PoolFactory_ZeroToken",
      );
      await expect(factory.createPair(ZeroAddress, base)).to.be.revertedWithCustomError(
        factory,
        "PoolFactory_ZeroToken",
      );
    });

    it("refuses a second pool of the same tokens, in either order", async () => {
      const { factory, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      const { poolAddress } = await createPool(ethers, factory, base, quote);
      for (const [a, b] of [
        [base, quote],
        [quote, base],
      ] as const) {
        await expect(factory.createPair(a, b))
          .to.be.revertedWithCustomError(factory, "PoolFactory_PairExists")
          .withArgs(poolAddress);
      }
    });

    it("refuses tokens of more than 18 decimals, whichever of the two it is", async () => {
      const { factory } = await networkHelpers.loadFixture(factoryWithTokens);
      for (const decimals of [19n, 24n, 255n]) {
        const token = await ethers.deployContract("MockERC20", ["Fine", "FINE", decimals]);
        const address = await token.getAddress();
        for (const partner of await partnersAround(address)) {
          await expect(factory.createPair(partner, address))
            .to.be.revertedWithCustomError(factory, "PoolFactory_TooManyDecimals")
            .withArgs(address, decimals, 18n);
        }
      }
    });

    it("refuses accounts without code and contracts without decimals, whichever of the two it is", async () => {
      const { factory, alice } = await networkHelpers.loadFixture(factoryWithTokens);
      for (const token of [alice.address, await factory.getAddress()]) {
        for (const partner of await partnersAround(token)) {
          await expect(factory.createPair(partner, token))
            .to.be.revertedWithCustomError(factory, "PoolFactory_TokenWithoutDecimals")
            .withArgs(token);
        }
      }
    });
  });

  describe("fee parameters", () => {
    it("accepts every fixed fee from zero to one percent", async () => {
      const { deployer } = await networkHelpers.loadFixture(factoryWithTokens);
      for (const fee of [0n, 500n, 10_000n]) {
        const factory = await ethers.deployContract("PoolFactory", [
          deployer.address,
          fee,
          fee,
          17_300_000_000_000_000_000n,
        ]);
        expect(await factory.minSwapFee()).to.equal(fee);
        expect(await factory.maxSwapFee()).to.equal(fee);
        expect(await factory.volatilityFeeMultiplierWad()).to.equal(17_300_000_000_000_000_000n);
      }
    });

    it("refuses bounds in the wrong order, a lower bound above 1 % and an upper bound above 5 %", async () => {
      const { factory, deployer } = await networkHelpers.loadFixture(factoryWithTokens);
      for (const [min, max] of [
        [501n, 500n],
        [10_001n, 10_001n],
        [500n, 50_001n],
      ]) {
        await expect(ethers.deployContract("PoolFactory", [deployer.address, min!, max!, 0n]))
          .to.be.revertedWithCustomError(factory, "PoolFactory_SwapFeeOutOfBounds")
          .withArgs(min, max, 10_000n, 50_000n);
      }
    });

    it("accepts every variable fee from nothing to five percent", async () => {
      const { deployer, base, quote } = await networkHelpers.loadFixture(factoryWithTokens);
      for (const [min, max] of [
        [0n, 1n],
        [500n, 10_000n],
        [10_000n, 50_000n],
      ] as const) {
        const factory = await ethers.deployContract("PoolFactory", [
          deployer.address,
          min,
          max,
          17_300_000_000_000_000_000n,
        ]);
        expect(await factory.minSwapFee()).to.equal(min);
        expect(await factory.maxSwapFee()).to.equal(max);
        const { pool } = await createPool(ethers, factory, base, quote);
        expect(await pool.swapFee()).to.equal(min);
      }
    });

    it("refuses a volatility multiplier above 100 square-root seconds", async () => {
      const { factory, deployer } = await networkHelpers.loadFixture(factoryWithTokens);
      const limit = 100n * 10n ** 18n;
      await ethers.deployContract("PoolFactory", [deployer.address, 500n, 500n, limit]);
      await expect(ethers.deployContract("PoolFactory", [deployer.address, 500n, 500n, limit + 1n]))
        .to.be.revertedWithCustomError(factory, "PoolFactory_VolatilityFeeMultiplierTooHigh")
        .withArgs(limit + 1n, limit);
    });
  });

  describe("the protocol's share of fees", () => {
    it("is off at first and set by the setter alone", async () => {
      const { factory, deployer, alice, bob } = await networkHelpers.loadFixture(factoryWithTokens);
      expect(await factory.feeTo()).to.equal(ZeroAddress);
      await expect(factory.connect(alice).setFeeTo(alice))
        .to.be.revertedWithCustomError(factory, "PoolFactory_NotFeeToSetter")
        .withArgs(alice.address, deployer.address);
      await expect(factory.setFeeTo(bob)).to.emit(factory, "FeeToSet").withArgs(bob.address);
      expect(await factory.feeTo()).to.equal(bob.address);
    });

    it("changes hands, and the former setter has no say any more", async () => {
      const { factory, deployer, alice } = await networkHelpers.loadFixture(factoryWithTokens);
      await expect(factory.connect(alice).setFeeToSetter(alice))
        .to.be.revertedWithCustomError(factory, "PoolFactory_NotFeeToSetter")
        .withArgs(alice.address, deployer.address);
      await expect(factory.setFeeToSetter(alice))
        .to.emit(factory, "FeeToSetterSet")
        .withArgs(alice.address);
      expect(await factory.feeToSetter()).to.equal(alice.address);
      await expect(factory.setFeeTo(deployer)).to.be.revertedWithCustomError(
        factory,
        "PoolFactory_NotFeeToSetter",
      );
      await factory.connect(alice).setFeeTo(alice);
      expect(await factory.feeTo()).to.equal(alice.address);
    });
  });
});
