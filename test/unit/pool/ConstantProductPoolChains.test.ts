import { expect } from "chai";
import { network } from "hardhat";
import type {
  ConstantProductPool,
  MockERC20,
  PoolFactory,
} from "../../../typechain-types/index.ts";
import {
  createPool,
  deployFactory,
  FAR_DEADLINE,
  fund,
  libraryErrors,
  reservesOf,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

type Token = MockERC20;
type Chain = Awaited<ReturnType<typeof chain>>;
/** A token sold, the pools it goes through, and the token bought. */
type Route = readonly [Token, ConstantProductPool, Token, ConstantProductPool, Token];

/** A pool of two tokens with reserves that follow the order of the arguments; users may sell either token to it. */
async function seedPool(
  factory: PoolFactory,
  tokenA: Token,
  tokenB: Token,
  reserveA: bigint,
  reserveB: bigint,
): Promise<ConstantProductPool> {
  const { pool, poolAddress, token0 } = await createPool(ethers, factory, tokenA, tokenB);
  for (const token of [tokenA, tokenB]) await fund(ethers, token, poolAddress);
  const [deployer] = await ethers.getSigners();
  const [reserve0, reserve1] = token0 === tokenA ? [reserveA, reserveB] : [reserveB, reserveA];
  await pool.addLiquidity(reserve0, reserve1, 0n, 0n, deployer!, FAR_DEADLINE);
  return pool;
}

/** Tokens of different scales and pools of a with b, and of b with c. */
async function chain() {
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await deployFactory(ethers, 3000n);
  const a = await ethers.deployContract("MockERC20", ["A", "A", 18n]);
  const b = await ethers.deployContract("MockFeeOnTransferERC20", ["B", "B", 6n, 0n]);
  const c = await ethers.deployContract("MockERC20", ["C", "C", 8n]);
  const d = await ethers.deployContract("MockERC20", ["D", "D", 18n]);
  const ab = await seedPool(factory, a, b, 1_234_567_890_123_456_789n, 2_345_678_901_234n);
  const bc = await seedPool(factory, b, c, 7_654_321_098_765n, 1_357_913_579_135_791n);
  return { factory, a, b, c, d, ab, bc, deployer: deployer!, alice: alice!, bob: bob! };
}

const ROUTES: Record<string, (setup: Chain) => Route> = {
  "two pools": ({ a, ab, b, bc, c }) => [a, ab, b, bc, c],
  "two pools the other way": ({ a, ab, b, bc, c }) => [c, bc, b, ab, a],
  "one pool, there and back": ({ a, ab, b }) => [a, ab, b, ab, a],
};

/** Every pool's reserves, and whether its balances are exactly those. */
async function stateOf({ ab, bc }: Chain) {
  const states = [];
  for (const pool of [ab, bc]) {
    const reserves = await reservesOf(pool);
    const tokens = [await pool.token0(), await pool.token1()];
    const balances = [];
    for (const address of tokens) {
      const token = await ethers.getContractAt("MockERC20", address);
      balances.push(await token.balanceOf(pool));
    }
    states.push({ reserves, balances });
  }
  return states;
}

describe("ConstantProductPool in chains", () => {
  describe("selling what has been sent ahead", () => {
    for (const back of [false, true]) {
      it(`pays the same as a swap that pulls, ${back ? "token1 for token0" : "token0 for token1"}`, async () => {
        const { ab, a, b, alice, bob } = await loadFixture(chain);
        const [tokenIn, tokenOut] = ((await ab.token0()) === a.target) === back ? [b, a] : [a, b];
        const amount = (await tokenIn.balanceOf(ab)) / 71n + 3n;
        const start = await networkHelpers.takeSnapshot();
        await ab.connect(alice).swapExactInput(tokenIn, amount, 0n, bob, FAR_DEADLINE);
        const pulled = { reserves: await reservesOf(ab), out: await tokenOut.balanceOf(bob) };
        await start.restore();

        const quoted = await ab.getAmountOut(tokenIn, amount);
        await tokenIn.connect(alice).transfer(ab, amount);
        const args = [tokenIn, quoted, bob] as const;
        expect(await ab.connect(alice).swapPrefunded.staticCall(...args)).to.equal(quoted);
        await expect(ab.connect(alice).swapPrefunded(...args))
          .to.emit(ab, "Swap")
          .withArgs(
            alice.address,
            back ? 0n : amount,
            back ? amount : 0n,
            back ? quoted : 0n,
            back ? 0n : quoted,
            bob.address,
          );
        expect(await reservesOf(ab)).to.deep.equal(pulled.reserves);
        expect(await tokenOut.balanceOf(bob)).to.equal(pulled.out);
      });
    }

    it("counts all that exceeds the reserve, whoever sent it, and leaves the other token's excess alone", async () => {
      const { ab, a, b, deployer, alice, bob } = await loadFixture(chain);
      await a.connect(deployer).transfer(ab, 111_111n);
      await b.connect(deployer).transfer(ab, 222n);
      const quoted = await ab.getAmountOut(a, 10n ** 15n + 111_111n);
      await a.connect(alice).transfer(ab, 10n ** 15n);
      const before = await b.balanceOf(bob);
      await ab.connect(alice).swapPrefunded(a, quoted, bob);
      expect((await b.balanceOf(bob)) - before).to.equal(quoted);
      const [reserve0, reserve1] = await reservesOf(ab);
      const [reserveA, reserveB] =
        (await ab.token0()) === a.target ? [reserve0, reserve1] : [reserve1, reserve0];
      expect(await a.balanceOf(ab)).to.equal(reserveA);
      expect(await b.balanceOf(ab)).to.equal(reserveB + 222n);
    });

    it("takes a fee on transfer as it comes: the output is for what arrived", async () => {
      const { bc, b, c, alice, bob } = await loadFixture(chain);
      await b.setTransferTax(35_000n);
      const quoted = await bc.getAmountOut(b, 965_000_000n);
      await b.connect(alice).transfer(bc, 10n ** 9n);
      await expect(bc.swapPrefunded(b, quoted + 1n, bob))
        .to.be.revertedWithCustomError(bc, "ConstantProductPool_OutputBelowMinimum")
        .withArgs(quoted, quoted + 1n);
      const before = await c.balanceOf(bob);
      await bc.swapPrefunded(b, quoted, bob);
      expect((await c.balanceOf(bob)) - before).to.equal(quoted);
    });

    it("refuses when nothing was sent, or too little to buy one unit", async () => {
      const { ab, a, alice } = await loadFixture(chain);
      for (const sent of [0n, 1n, 1000n]) {
        await a.transfer(ab, sent);
        await expect(ab.swapPrefunded(a, 0n, alice))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_ZeroOutput")
          .withArgs(0n, 0n);
      }
    });

    it("refuses tokens that are not the pool's", async () => {
      const { ab, a, c, alice } = await loadFixture(chain);
      await a.transfer(ab, 10n ** 15n);
      for (const stranger of [c, ab, alice]) {
        await expect(ab.swapPrefunded(stranger, 0n, alice))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_UnknownToken")
          .withArgs(await stranger.getAddress());
      }
    });

    it("refuses before the first deposit", async () => {
      const { factory, a, d, alice } = await loadFixture(chain);
      const { pool, poolAddress } = await createPool(ethers, factory, a, d);
      await a.transfer(poolAddress, 10n ** 15n);
      await expect(pool.swapPrefunded(a, 0n, alice))
        .to.be.revertedWithCustomError(pool, "ConstantProductMath_ZeroReserve")
        .withArgs(0n, 0n);
    });
  });

  describe("selling across two pools", () => {
    for (const [name, routeOf] of Object.entries(ROUTES)) {
      it(`equals separate swaps through ${name}`, async () => {
        const setup = await loadFixture(chain);
        const { alice, bob } = setup;
        const [tokenIn, first, middle, second, tokenOut] = routeOf(setup);
        const amountIn = (await tokenIn.balanceOf(first)) / 53n + 7n;
        const owned = async () => [await tokenIn.balanceOf(alice), await tokenOut.balanceOf(bob)];

        const start = await networkHelpers.takeSnapshot();
        const half = await first.getAmountOut(tokenIn, amountIn);
        await first.connect(alice).swapExactInput(tokenIn, amountIn, half, alice, FAR_DEADLINE);
        const out = await second.getAmountOut(middle, half);
        await second.connect(alice).swapExactInput(middle, half, out, bob, FAR_DEADLINE);
        const separate = { pools: await stateOf(setup), owned: await owned() };
        await start.restore();

        const args = [tokenIn, tokenOut, amountIn, out, bob, FAR_DEADLINE] as const;
        const pool = first.connect(alice);
        expect(await pool.swapExactInputAcrossTwoPools.staticCall(...args)).to.equal(out);
        await pool.swapExactInputAcrossTwoPools(...args);
        expect({ pools: await stateOf(setup), owned: await owned() }).to.deep.equal(separate);
        for (const { reserves, balances } of separate.pools) {
          expect(balances, "something is left over").to.deep.equal(reserves);
        }
      });
    }

    it("names the caller in the first pool's event, and each pool in the other's", async () => {
      const { a, b, c, ab, bc, alice, bob } = await loadFixture(chain);
      const middle = await ab.getAmountOut(a, 10n ** 15n);
      const out = await bc.getAmountOut(b, middle);
      const sold = ab
        .connect(alice)
        .swapExactInputAcrossTwoPools(a, c, 10n ** 15n, out, bob, FAR_DEADLINE);
      const inFirst = (await ab.token0()) === a.target;
      await expect(sold)
        .to.emit(ab, "Swap")
        .withArgs(
          alice.address,
          ...(inFirst ? [10n ** 15n, 0n, 0n, middle] : [0n, 10n ** 15n, middle, 0n]),
          await bc.getAddress(),
        );
      const inSecond = (await bc.token0()) === b.target;
      await expect(sold)
        .to.emit(bc, "Swap")
        .withArgs(
          await ab.getAddress(),
          ...(inSecond ? [middle, 0n, 0n, out] : [0n, middle, out, 0n]),
          bob.address,
        );
    });

    it("gives what strangers left in the second pool to whoever comes by, and does not touch it in the first", async () => {
      const setup = await loadFixture(chain);
      const { a, b, c, ab, bc, alice, bob } = setup;
      await a.transfer(ab, 10n ** 14n);
      await b.transfer(ab, 10n ** 9n);
      await b.transfer(bc, 5n * 10n ** 9n);
      await c.transfer(bc, 333n);
      const middle = await ab.getAmountOut(a, 10n ** 15n);
      const out = await bc.getAmountOut(b, middle + 5n * 10n ** 9n);
      const before = await c.balanceOf(bob);
      const args = [a, c, 10n ** 15n, out, bob, FAR_DEADLINE] as const;
      await ab.connect(alice).swapExactInputAcrossTwoPools(...args);
      expect((await c.balanceOf(bob)) - before).to.equal(out);
      const [first, second] = await stateOf(setup);
      const leftOver = ({ reserves, balances }: NonNullable<typeof first>) =>
        balances.map((balance, index) => balance - reserves[index]!);
      const aFirst = (await ab.token0()) === a.target;
      expect(leftOver(first!)).to.deep.equal(
        aFirst ? [10n ** 14n, 10n ** 9n] : [10n ** 9n, 10n ** 14n],
      );
      const bFirst = (await bc.token0()) === b.target;
      expect(leftOver(second!)).to.deep.equal(bFirst ? [0n, 333n] : [333n, 0n]);
    });

    it("passes on what arrives of a token that takes a fee in the middle, and refuses one that does at the start", async () => {
      const { factory, a, b, c, d, ab, bc, alice, bob } = await loadFixture(chain);
      await b.setTransferTax(20_000n);
      const middle = await ab.getAmountOut(a, 10n ** 15n);
      const out = await bc.getAmountOut(b, middle - (middle * 20_000n) / 1_000_000n);
      const before = await c.balanceOf(bob);
      const args = [a, c, 10n ** 15n, out, bob, FAR_DEADLINE] as const;
      await ab.connect(alice).swapExactInputAcrossTwoPools(...args);
      expect((await c.balanceOf(bob)) - before).to.equal(out);
      await seedPool(factory, c, d, 10n ** 12n, 10n ** 12n);
      await expect(
        bc.connect(alice).swapExactInputAcrossTwoPools(b, d, 10n ** 9n, 0n, bob, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(bc, "ConstantProductPool_BalanceBelowReserve");
    });

    it("refuses to begin with a token that is not the pool's", async () => {
      const { a, c, d, ab, alice } = await loadFixture(chain);
      for (const stranger of [c, d, ab]) {
        await expect(
          ab.swapExactInputAcrossTwoPools(stranger, a, 10n ** 15n, 0n, alice, FAR_DEADLINE),
        ).to.be.revert(ethers);
      }
      await expect(ab.swapExactInputAcrossTwoPools(c, a, 10n ** 15n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(ab, "ConstantProductPool_UnknownToken")
        .withArgs(await c.getAddress());
    });

    it("refuses a second pool that does not exist or has no liquidity, and takes nothing", async () => {
      const { factory, a, b, d, ab, alice } = await loadFixture(chain);
      const before = await a.balanceOf(alice);
      const sellFor = (tokenOut: Token | typeof alice) =>
        ab
          .connect(alice)
          .swapExactInputAcrossTwoPools(a, tokenOut, 10n ** 15n, 0n, alice, FAR_DEADLINE);
      for (const tokenOut of [b, d, alice]) {
        await expect(sellFor(tokenOut))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_PoolMissing")
          .withArgs(await b.getAddress(), await tokenOut.getAddress());
      }
      await createPool(ethers, factory, b, d);
      await expect(sellFor(d)).to.be.revertedWithCustomError(ab, "ConstantProductMath_ZeroReserve");
      expect(await a.balanceOf(alice)).to.equal(before);
    });

    it("refuses an output below the caller's bound, an output of nothing in either pool, and an expired call", async () => {
      const { a, b, c, ab, bc, alice } = await loadFixture(chain);
      const amountIn = 10n ** 15n;
      const out = await bc.getAmountOut(b, await ab.getAmountOut(a, amountIn));
      const sell = (amount: bigint, minimum: bigint, deadline = FAR_DEADLINE) =>
        ab.swapExactInputAcrossTwoPools(a, c, amount, minimum, alice, deadline, {
          gasLimit: 1_000_000n,
        });
      await expect(sell(amountIn, out + 1n))
        .to.be.revertedWithCustomError(bc, "ConstantProductPool_OutputBelowMinimum")
        .withArgs(out, out + 1n);
      for (const tooLittle of [0n, 1000n]) {
        await expect(sell(tooLittle, 0n))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_ZeroOutput")
          .withArgs(0n, 0n);
      }
      // 100 units of c are worth half a unit of b.
      await expect(
        bc.swapExactInputAcrossTwoPools(c, a, 100n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(bc, "ConstantProductPool_ZeroOutput");

      const now = BigInt(await networkHelpers.time.latest());
      await networkHelpers.time.setNextBlockTimestamp(now + 100n);
      await sell(amountIn, 0n, now + 100n);
      await networkHelpers.time.setNextBlockTimestamp(now + 201n);
      await expect(sell(amountIn, 0n, now + 200n))
        .to.be.revertedWithCustomError(ab, "ConstantProductPool_Expired")
        .withArgs(now + 200n, now + 201n);
    });

    it("takes nothing without the caller's allowance", async () => {
      const { a, c, ab, alice, bob } = await loadFixture(chain);
      await a.connect(alice).approve(ab, 10n ** 15n - 1n);
      await expect(
        ab.connect(alice).swapExactInputAcrossTwoPools(a, c, 10n ** 15n, 0n, bob, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(libraryErrors, "TransferFromFailed");
    });
  });
});
