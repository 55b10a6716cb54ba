import { expect } from "chai";
import { network } from "hardhat";
import { deployPool, FAR_DEADLINE, reservesOf, sqrtDown } from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture, time } = networkHelpers;

const E18 = 10n ** 18n;
const HOUR = 3600n;
const MIN_FEE = 500n;

/** A pool without liquidity whose fee follows volatility. */
const empty = () =>
  deployPool(ethers, {
    swapFee: MIN_FEE,
    maxSwapFee: 10_000n,
    volatilityFeeMultiplierWad: 17_300_000_000_000_000_000n,
    empty: true,
  });

type Setup = Awaited<ReturnType<typeof empty>>;

/** A stranger gives the pool tokens and has them booked, so that there is a price before there is liquidity. */
async function giveAndSync({ pool, poolAddress, token0, token1, bob }: Setup, [a, b]: bigint[]) {
  await token0.connect(bob).transfer(poolAddress, a!);
  await token1.connect(bob).transfer(poolAddress, b!);
  await pool.connect(bob).sync();
}

/** Prices far apart, for hours: what would be a wild history if anybody had owned it. */
async function wildPast(setup: Setup) {
  for (const gift of [
    [10n ** 9n, 1n],
    [0n, 10n ** 12n],
    [10n ** 15n, 0n],
  ]) {
    await giveAndSync(setup, gift);
    await time.increase(HOUR);
  }
}

describe("The first deposit", () => {
  for (const likeV2 of [false, true]) {
    const way = likeV2 ? "by Uniswap V2's function" : "by the native function";
    const deposit = async (
      { pool, poolAddress, token0, token1, alice }: Setup,
      a: bigint,
      b: bigint,
    ) => {
      if (!likeV2) {
        return pool.connect(alice).addLiquidity(a, b, a, b, alice, FAR_DEADLINE);
      }
      await token0.connect(alice).transfer(poolAddress, a);
      await token1.connect(alice).transfer(poolAddress, b);
      return pool.connect(alice).mint(alice);
    };

    it(`chooses its own ratio whatever strangers have booked, and owns what they gave, ${way}`, async () => {
      const setup = await loadFixture(empty);
      const { pool, alice } = setup;
      await giveAndSync(setup, [10n ** 9n, 77n]);
      await deposit(setup, E18, 4n * E18);
      expect(await reservesOf(pool)).to.deep.equal([E18 + 10n ** 9n, 4n * E18 + 77n]);
      expect(await pool.balanceOf(alice)).to.equal(2n * E18 - 1000n);
      expect(await pool.totalSupply()).to.equal(2n * E18);
    });

    it(`loses nothing to a price that strangers set before, ${way}`, async () => {
      const setup = await loadFixture(empty);
      const { pool, alice, bob, token0, token1 } = setup;
      await giveAndSync(setup, [3n * E18, 0n]);
      await deposit(setup, E18, E18);
      // Whoever corrects the price leaves the depositor at least the product of what it put in.
      await pool.connect(bob).swapExactInput(token1, E18 / 2n, 0n, bob, FAR_DEADLINE);
      const [before0, before1] = [await token0.balanceOf(alice), await token1.balanceOf(alice)];
      const owned = await pool.balanceOf(alice);
      await pool.connect(alice).removeLiquidity(owned, 0n, 0n, alice, FAR_DEADLINE);
      const [got0, got1] = [
        (await token0.balanceOf(alice)) - before0,
        (await token1.balanceOf(alice)) - before1,
      ];
      expect(sqrtDown(got0 * got1) >= E18, `${got0} x ${got1}`).to.equal(true);
    });

    it(`begins the history and the lowest fee, whatever prices strangers made before, ${way}`, async () => {
      const setup = await loadFixture(empty);
      const { pool } = setup;
      await wildPast(setup);
      await deposit(setup, E18, 4n * E18);
      const born = BigInt(await time.latest());
      expect(await pool.observe()).to.deep.equal([0n, 0n, 0n, born]);
      expect(await pool.swapFee()).to.equal(MIN_FEE);
      expect((await pool.getReserves())[2]).to.equal(born);
      await expectCalmSince(setup, born);
    });

    it(`begins the history also when it keeps the very price that strangers made before, ${way}`, async () => {
      const setup = await loadFixture(empty);
      const { pool } = setup;
      await giveAndSync(setup, [E18, 4n * E18]);
      await time.increase(HOUR);
      await deposit(setup, E18, 4n * E18);
      const born = BigInt(await time.latest());
      expect(await pool.observe()).to.deep.equal([0n, 0n, 0n, born]);
      expect(await pool.swapFee()).to.equal(MIN_FEE);
      expect((await pool.getReserves())[2]).to.equal(born);
      await expectCalmSince(setup, born);
    });
  }

  it("comes after tokens that were sent but not booked, and neither counts nor prices them", async () => {
    const { pool, poolAddress, token0, alice, bob } = await loadFixture(empty);
    await token0.connect(bob).transfer(poolAddress, 5n * E18);
    await pool.connect(alice).addLiquidity(E18, 4n * E18, 0n, 0n, alice, FAR_DEADLINE);
    expect(await reservesOf(pool)).to.deep.equal([E18, 4n * E18]);
    expect(await pool.balanceOf(alice)).to.equal(2n * E18 - 1000n);
  });

  it("of an attacker who then inflates the price of a share loses more than the next depositor can", async () => {
    const { pool, poolAddress, token0, token1, alice, bob } = await loadFixture(empty);
    const attacker = pool.connect(alice);
    const before = [await token0.balanceOf(alice), await token1.balanceOf(alice)];
    await attacker.addLiquidity(1001n, 1001n, 0n, 0n, alice, FAR_DEADLINE);
    await token0.connect(alice).transfer(poolAddress, E18);
    await token1.connect(alice).transfer(poolAddress, E18);
    await attacker.sync();
    // A share is now worth E18 / 1001. The victim deposits two of them, less one unit: one share's worth is lost to rounding.
    const offer = (2n * E18) / 1001n;
    const [spent0, , minted] = await pool
      .connect(bob)
      .addLiquidity.staticCall(offer, offer, 0n, 0n, bob, FAR_DEADLINE);
    await pool.connect(bob).addLiquidity(offer, offer, 0n, 0n, bob, FAR_DEADLINE);
    const worth = ((await reservesOf(pool))[0] * minted) / (await pool.totalSupply());
    await attacker.removeLiquidity(await pool.balanceOf(alice), 0n, 0n, alice, FAR_DEADLINE);
    const after = [await token0.balanceOf(alice), await token1.balanceOf(alice)];
    const victimLoss = spent0 - worth;
    const attackerLoss = before[0]! - after[0]!;
    expect(attackerLoss > 500n * victimLoss, `${attackerLoss} against ${victimLoss}`).to.equal(
      true,
    );
    expect(attackerLoss).to.equal(before[1]! - after[1]!);
  });

  /** Since the second `born` the price has stood still at 4: no variance, the lowest fee, and ln 4 for every second since. */
  async function expectCalmSince({ pool, token0, alice }: Setup, born: bigint): Promise<void> {
    await time.setNextBlockTimestamp(born + 100n);
    await pool.connect(alice).swapExactInput(token0, 1000n, 0n, alice, FAR_DEADLINE);
    const { cumulativeLogPriceWad, logPriceWad, varianceRateWad } = await pool.observe();
    expect(varianceRateWad).to.equal(0n);
    expect(await pool.swapFee()).to.equal(MIN_FEE);
    const distance = Math.abs(Number(logPriceWad) / 1e18 - Math.log(4));
    expect(distance < 2e-3, `${logPriceWad} is not ln 4`).to.equal(true);
    expect(cumulativeLogPriceWad).to.equal(logPriceWad * 100n);
  }
});
