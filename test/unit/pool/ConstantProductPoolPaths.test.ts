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
  reservesOf,
  transferErrors,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

type Token = MockERC20;
type Hop = readonly [Token, ConstantProductPool, Token];
type Chain = Awaited<ReturnType<typeof chain>>;

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

/** Tokens of different scales in a chain of three pools; the third closes a circle with `a` as well. */
async function chain() {
  const [deployer, alice, bob] = await ethers.getSigners();
  const factory = await deployFactory(ethers, 3000n);
  const a = await ethers.deployContract("MockERC20", ["A", "A", 18n]);
  const b = await ethers.deployContract("MockERC20", ["B", "B", 6n]);
  const c = await ethers.deployContract("MockFeeOnTransferERC20", ["C", "C", 8n, 0n]);
  const d = await ethers.deployContract("MockERC20", ["D", "D", 18n]);
  const ab = await seedPool(factory, a, b, 1_234_567_890_123_456_789n, 2_345_678_901_234n);
  const bc = await seedPool(factory, b, c, 7_654_321_098_765n, 1_357_913_579_135_791n);
  const cd = await seedPool(factory, c, d, 24_680_246_802_468n, 9_876_543_210_987_654_321n);
  const ca = await seedPool(factory, c, a, 5_555_432_112_345_678n, 7_777_654_321_123_456_789n);
  return {
    factory,
    ...{ a, b, c, d, ab, bc, cd, ca },
    deployer: deployer!,
    alice: alice!,
    bob: bob!,
  };
}

/** Which token goes into which pool, hop by hop. */
const hops = ({ a, b, c, d, ab, bc, cd, ca }: Chain): Record<string, readonly Hop[]> => ({
  "one hop": [[a, ab, b]],
  "one hop back": [[b, ab, a]],
  "two hops": [
    [a, ab, b],
    [b, bc, c],
  ],
  "two hops back": [
    [c, bc, b],
    [b, ab, a],
  ],
  "three hops": [
    [a, ab, b],
    [b, bc, c],
    [c, cd, d],
  ],
  "three hops back": [
    [d, cd, c],
    [c, bc, b],
    [b, ab, a],
  ],
  "a circle that ends with the token it began with": [
    [a, ab, b],
    [b, bc, c],
    [c, ca, a],
  ],
  "a circle that comes through the first pool a second time": [
    [a, ab, b],
    [b, bc, c],
    [c, ca, a],
    [a, ab, b],
  ],
});

const NAMES = Object.keys(hops({} as Chain));

const pathOf = (route: readonly Hop[]): string[] => [
  ...route.map(([tokenIn]) => tokenIn.target as string),
  route.at(-1)![2].target as string,
];

/** Every pool's reserves, and whether its balances are exactly those. */
async function stateOf({ ab, bc, cd, ca }: Chain) {
  const states = [];
  for (const pool of [ab, bc, cd, ca]) {
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

describe("ConstantProductPool by paths", () => {
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
      await c.setTransferTax(35_000n);
      const quoted = await bc.getAmountOut(c, 965_000_000n);
      await c.connect(alice).transfer(bc, 10n ** 9n);
      await expect(bc.swapPrefunded(c, quoted + 1n, bob))
        .to.be.revertedWithCustomError(bc, "ConstantProductPool_OutputBelowMinimum")
        .withArgs(quoted, quoted + 1n);
      const before = await b.balanceOf(bob);
      await bc.swapPrefunded(c, quoted, bob);
      expect((await b.balanceOf(bob)) - before).to.equal(quoted);
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

    it("refuses tokens that are not the pool's, and the pool and its tokens as recipients", async () => {
      const { ab, a, b, c, alice } = await loadFixture(chain);
      await a.transfer(ab, 10n ** 15n);
      await expect(ab.swapPrefunded(c, 0n, alice))
        .to.be.revertedWithCustomError(ab, "ConstantProductPool_UnknownToken")
        .withArgs(await c.getAddress());
      for (const to of [ab, a, b]) {
        await expect(ab.swapPrefunded(a, 0n, to))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_InvalidRecipient")
          .withArgs(await to.getAddress());
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

  describe("selling along a path", () => {
    for (const name of NAMES) {
      it(`equals separate swaps over ${name}`, async () => {
        const setup = await loadFixture(chain);
        const { alice, bob } = setup;
        const route = hops(setup)[name]!;
        const [first, last] = [route[0]![0], route.at(-1)![2]];
        const amountIn = (await first.balanceOf(route[0]![1])) / 53n + 7n;
        const owned = async () => [await first.balanceOf(alice), await last.balanceOf(bob)];

        const start = await networkHelpers.takeSnapshot();
        let amount = amountIn;
        for (const [index, [tokenIn, pool]] of route.entries()) {
          const to = index === route.length - 1 ? bob : alice;
          const args = [tokenIn, amount, 0n, to, FAR_DEADLINE] as const;
          amount = await pool.connect(alice).swapExactInput.staticCall(...args);
          await pool.connect(alice).swapExactInput(...args);
        }
        const separate = { pools: await stateOf(setup), owned: await owned() };
        await start.restore();

        const pool = route[0]![1].connect(alice);
        const args = [pathOf(route), amountIn, amount, bob, FAR_DEADLINE] as const;
        expect(await pool.swapExactInputPath.staticCall(...args)).to.equal(amount);
        await pool.swapExactInputPath(...args);
        expect({ pools: await stateOf(setup), owned: await owned() }).to.deep.equal(separate);
        for (const { reserves, balances } of separate.pools) {
          expect(balances, "something is left over").to.deep.equal(reserves);
        }
      });
    }

    it("names the caller in the first pool's event, and the pools before and after it in the others", async () => {
      const { a, b, c, ab, bc, alice, bob } = await loadFixture(chain);
      const middle = await ab.getAmountOut(a, 10n ** 15n);
      const out = await bc.getAmountOut(b, middle);
      const sold = ab
        .connect(alice)
        .swapExactInputPath([a, b, c], 10n ** 15n, out, bob, FAR_DEADLINE);
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

    it("gives what strangers left in the pools after the first to whoever comes by, and does not touch it in the first", async () => {
      const setup = await loadFixture(chain);
      const { a, b, c, ab, bc, alice, bob } = setup;
      await a.transfer(ab, 10n ** 14n);
      await b.transfer(ab, 10n ** 9n);
      await b.transfer(bc, 5n * 10n ** 9n);
      await c.transfer(bc, 333n);
      const middle = await ab.getAmountOut(a, 10n ** 15n);
      const out = await bc.getAmountOut(b, middle + 5n * 10n ** 9n);
      const before = await c.balanceOf(bob);
      await ab.connect(alice).swapExactInputPath([a, b, c], 10n ** 15n, out, bob, FAR_DEADLINE);
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
      const { b, c, d, bc, cd, alice, bob } = await loadFixture(chain);
      await c.setTransferTax(20_000n);
      const middle = await bc.getAmountOut(b, 10n ** 9n);
      const out = await cd.getAmountOut(c, middle - (middle * 20_000n) / 1_000_000n);
      const before = await d.balanceOf(bob);
      await bc.connect(alice).swapExactInputPath([b, c, d], 10n ** 9n, out, bob, FAR_DEADLINE);
      expect((await d.balanceOf(bob)) - before).to.equal(out);
      await expect(
        cd.connect(alice).swapExactInputPath([c, d], 10n ** 9n, 0n, bob, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(cd, "ConstantProductPool_BalanceBelowReserve");
    });

    it("refuses to return through the pool it has just left", async () => {
      const { a, b, c, ab, bc, alice } = await loadFixture(chain);
      await expect(ab.swapExactInputPath([a, b, a], 10n ** 15n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(ab, "ConstantProductPool_InvalidRecipient")
        .withArgs(await ab.getAddress());
      await expect(ab.swapExactInputPath([a, b, c, b], 10n ** 15n, 0n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(bc, "ConstantProductPool_InvalidRecipient")
        .withArgs(await bc.getAddress());
    });

    it("refuses a path that does not begin with the pool's two tokens", async () => {
      const { a, b, c, d, ab, alice } = await loadFixture(chain);
      for (const path of [
        [c, a],
        [a, c],
        [a, c, b],
        [c, d],
        [a, a],
        [b, b, a],
      ]) {
        const firstTwo = path.slice(0, 2).map(({ target }) => target);
        await expect(ab.swapExactInputPath(path, 10n ** 15n, 0n, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_UnknownToken")
          .withArgs((named: string) => firstTwo.includes(named));
      }
      for (const path of [[], [a]]) {
        await expect(ab.swapExactInputPath(path, 10n ** 15n, 0n, alice, FAR_DEADLINE)).to.be.revert(
          ethers,
        );
      }
    });

    it("refuses a path through a pool that does not exist or has no liquidity, and takes nothing", async () => {
      const { factory, a, b, c, d, ab, alice } = await loadFixture(chain);
      const before = await a.balanceOf(alice);
      for (const path of [
        [a, b, d],
        [a, b, b],
        [a, b, c, b, d],
        [a, b, alice],
      ]) {
        await expect(
          ab.connect(alice).swapExactInputPath(path, 10n ** 15n, 0n, alice, FAR_DEADLINE),
        ).to.be.revert(ethers);
      }
      await createPool(ethers, factory, b, d);
      await expect(
        ab.connect(alice).swapExactInputPath([a, b, d], 10n ** 15n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(ab, "ConstantProductMath_ZeroReserve");
      expect(await a.balanceOf(alice)).to.equal(before);
    });

    it("refuses an output below the caller's bound, an output of nothing anywhere, and an expired call", async () => {
      const { a, b, c, d, ab, bc, cd, alice } = await loadFixture(chain);
      const amountIn = 10n ** 15n;
      const out = await cd.getAmountOut(
        c,
        await bc.getAmountOut(b, await ab.getAmountOut(a, amountIn)),
      );
      const path = [a, b, c, d];
      await expect(ab.swapExactInputPath(path, amountIn, out + 1n, alice, FAR_DEADLINE))
        .to.be.revertedWithCustomError(cd, "ConstantProductPool_OutputBelowMinimum")
        .withArgs(out, out + 1n);
      for (const tooLittle of [0n, 1000n]) {
        await expect(ab.swapExactInputPath(path, tooLittle, 0n, alice, FAR_DEADLINE))
          .to.be.revertedWithCustomError(ab, "ConstantProductPool_ZeroOutput")
          .withArgs(0n, 0n);
      }
      // One unit of c buys none of b.
      await expect(
        cd.swapExactInputPath([d, c, b], 500_000n, 0n, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(bc, "ConstantProductPool_ZeroOutput");

      const now = BigInt(await networkHelpers.time.latest());
      await networkHelpers.time.setNextBlockTimestamp(now + 100n);
      await ab.swapExactInputPath(path, amountIn, 0n, alice, now + 100n);
      await networkHelpers.time.setNextBlockTimestamp(now + 201n);
      await expect(
        ab.swapExactInputPath(path, amountIn, 0n, alice, now + 200n, { gasLimit: 1_000_000n }),
      )
        .to.be.revertedWithCustomError(ab, "ConstantProductPool_Expired")
        .withArgs(now + 200n, now + 201n);
    });

    it("gives nothing to the last pool or its tokens", async () => {
      const { a, b, c, ab, bc } = await loadFixture(chain);
      for (const [path, refused] of [
        [
          [a, b],
          [ab, a, b],
        ],
        [
          [a, b, c],
          [bc, b, c],
        ],
      ] as const) {
        for (const to of refused) {
          await expect(ab.swapExactInputPath([...path], 10n ** 15n, 0n, to, FAR_DEADLINE))
            .to.be.revertedWithCustomError(ab, "ConstantProductPool_InvalidRecipient")
            .withArgs(await to.getAddress());
        }
      }
    });

    it("takes nothing without the caller's allowance", async () => {
      const { a, b, c, ab, alice, bob } = await loadFixture(chain);
      await a.connect(alice).approve(ab, 10n ** 15n - 1n);
      await expect(
        ab.connect(alice).swapExactInputPath([a, b, c], 10n ** 15n, 0n, bob, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(transferErrors, "TransferFromFailed");
    });
  });
});
