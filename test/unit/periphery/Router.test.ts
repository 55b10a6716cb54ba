import { expect } from "chai";
import { zeroPadValue } from "ethers";
import { network } from "hardhat";
import {
  balancesOf,
  deployRouter,
  expectNothingHeld,
  FAR_DEADLINE,
  FIXED_FEE,
  type Fixture,
  MAX_UINT256,
  PENDING,
  pathOf,
  poolOf,
  quoteIn,
  quoteOut,
  stirPrices,
  TOKENS,
  type TokenName,
  VARIABLE_FEE,
} from "./routerFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture, time } = networkHelpers;

const fixedFee = () => deployRouter(ethers, FIXED_FEE);
async function variableFee(): Promise<Fixture> {
  const deployed = await deployRouter(ethers, VARIABLE_FEE);
  await stirPrices(deployed, (seconds) => time.increase(seconds));
  return deployed;
}

/** One, two, three and four hops, by rising and by falling address, across 18, 6 and 8 decimals. */
const PATHS: readonly (readonly TokenName[])[] = [
  ["a", "b"],
  ["b", "a"],
  ["c", "d"],
  ["a", "b", "c"],
  ["weth", "a", "b"],
  ["d", "c", "b"],
  ["a", "b", "c", "d"],
  ["weth", "b", "c", "d"],
  ["d", "c", "b", "a", "weth"],
];

/** Odd amounts: a thousandth or so of a reserve. */
const AMOUNTS: Record<TokenName, bigint> = {
  a: 1_111_222_333_444_555_667n,
  b: 1_234_567_891n,
  c: 77_777_777_777n,
  d: 7_070_707_070_707_070_707n,
  weth: 123_456_789_012_345_679n,
};

describe("Router, swaps of tokens", () => {
  let setup: Fixture;
  const load = async (fixture: () => Promise<Fixture>) => {
    setup = await loadFixture(fixture);
    return setup;
  };
  afterEach(() => expectNothingHeld(ethers, setup));

  for (const fixture of [fixedFee, variableFee]) {
    describe(fixture === fixedFee ? "at a fixed fee" : "at a fee that follows volatility", () => {
      it("goes through pools with the fee in question", async () => {
        await load(fixture);
        const fee = await (await poolOf(ethers, setup, "a", "b")).swapFee(PENDING);
        if (fixture === fixedFee) expect(fee).to.equal(3_000n);
        else expect(fee > 500n && fee < 10_000n, `the fee is ${fee}`).to.equal(true);
      });

      for (const names of PATHS) {
        const [first, last] = [names[0]!, names.at(-1)!];
        const route = names.join(" > ");

        it(`sells an exact input for what the pools quote one by one: ${route}`, async () => {
          const { router, tokens, alice, bob } = await load(fixture);
          await time.setNextBlockTimestamp((await time.latest()) + 1_009);
          const amountIn = AMOUNTS[first];
          const amounts = await quoteOut(ethers, setup, names, amountIn);
          const path = await pathOf(setup, names);
          expect(await router.getAmountsOut(amountIn, path, PENDING)).to.deep.equal(amounts);

          const args = [amountIn, amounts.at(-1)!, path, bob, FAR_DEADLINE] as const;
          const swap = router.connect(alice).swapExactTokensForTokens;
          expect(await swap.staticCall(...args, PENDING)).to.deep.equal(amounts);
          const swapped = swap(...args);
          await expect(swapped).to.changeTokenBalance(ethers, tokens[first], alice, -amountIn);
          await expect(swapped).to.changeTokenBalance(ethers, tokens[last], bob, amounts.at(-1)!);
          await expectHops(swapped, names, amounts, bob.address);
        });

        it(`buys an exact output for what the pools quote one by one: ${route}`, async () => {
          const { router, tokens, alice, bob } = await load(fixture);
          await time.setNextBlockTimestamp((await time.latest()) + 1_009);
          const amountOut = AMOUNTS[last];
          const amounts = await quoteIn(ethers, setup, names, amountOut);
          const path = await pathOf(setup, names);
          expect(await router.getAmountsIn(amountOut, path, PENDING)).to.deep.equal(amounts);

          const args = [amountOut, amounts[0]!, path, bob, FAR_DEADLINE] as const;
          const swap = router.connect(alice).swapTokensForExactTokens;
          expect(await swap.staticCall(...args, PENDING)).to.deep.equal(amounts);
          const swapped = swap(...args);
          await expect(swapped).to.changeTokenBalance(ethers, tokens[first], alice, -amounts[0]!);
          await expect(swapped).to.changeTokenBalance(ethers, tokens[last], bob, amountOut);
          await expectHops(swapped, names, amounts, bob.address);
        });
      }
    });
  }

  it("does with an exact input what the user could do pool by pool", async () => {
    const names = ["a", "b", "c", "d"] as const;
    const { router, tokens, alice } = await load(fixedFee);
    const path = await pathOf(setup, names);
    const before = await balancesOf(ethers, setup, alice);
    const snapshot = await networkHelpers.takeSnapshot();

    let amount = AMOUNTS.a;
    for (let i = 0; i + 1 < names.length; i++) {
      const [tokenIn, tokenOut] = [tokens[names[i]!], tokens[names[i + 1]!]];
      const pool = await poolOf(ethers, setup, names[i]!, names[i + 1]!);
      await tokenIn.connect(alice).approve(pool, MAX_UINT256);
      const held = await tokenOut.balanceOf(alice);
      await pool.connect(alice).swapExactInput(tokenIn, amount, 0n, alice, FAR_DEADLINE);
      amount = (await tokenOut.balanceOf(alice)) - held;
    }
    const byHand = await balancesOf(ethers, setup, alice);
    const states = await poolStates();
    await snapshot.restore();

    await router
      .connect(alice)
      .swapExactTokensForTokens(AMOUNTS.a, amount, path, alice, FAR_DEADLINE);
    const byRouter = await balancesOf(ethers, setup, alice);
    for (const name of TOKENS) expect(byRouter[name], name).to.equal(byHand[name]);
    expect(byRouter.d - before.d).to.equal(amount);
    expect(await poolStates()).to.deep.equal(states);
  });

  it("sells what strangers left in the first pool along with the caller's input", async () => {
    const { router, tokens, alice, bob } = await load(fixedFee);
    const pool = await poolOf(ethers, setup, "a", "b");
    await tokens.a.connect(bob).transfer(pool, 1_000_003n);
    const path = await pathOf(setup, ["a", "b"]);
    const whole = await pool.getAmountOut(tokens.a, AMOUNTS.a + 1_000_003n);
    const swap = router.connect(alice).swapExactTokensForTokens;
    expect(await swap.staticCall(AMOUNTS.a, 0n, path, alice, FAR_DEADLINE)).to.deep.equal([
      AMOUNTS.a,
      whole,
    ]);
  });

  describe("refuses", () => {
    it("an exact input that yields less than the caller's bound, by the last pool's own error", async () => {
      const { router, alice } = await load(fixedFee);
      for (const names of PATHS) {
        const path = await pathOf(setup, names);
        const amountIn = AMOUNTS[names[0]!];
        const out = (await quoteOut(ethers, setup, names, amountIn)).at(-1)!;
        const pool = await poolOf(ethers, setup, names.at(-2)!, names.at(-1)!);
        await expect(
          router
            .connect(alice)
            .swapExactTokensForTokens(amountIn, out + 1n, path, alice, FAR_DEADLINE),
        )
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_OutputBelowMinimum")
          .withArgs(out, out + 1n);
      }
    });

    it("an exact output that costs more than the caller's bound", async () => {
      const { router, alice } = await load(fixedFee);
      for (const names of PATHS) {
        const path = await pathOf(setup, names);
        const amountOut = AMOUNTS[names.at(-1)!];
        const cost = (await quoteIn(ethers, setup, names, amountOut))[0]!;
        await expect(
          router
            .connect(alice)
            .swapTokensForExactTokens(amountOut, cost - 1n, path, alice, FAR_DEADLINE),
        )
          .to.be.revertedWithCustomError(router, "Router_InputAboveMaximum")
          .withArgs(cost, cost - 1n);
      }
    });

    it("calls after their deadline, and accepts them in its last second", async () => {
      const { router, alice } = await load(fixedFee);
      const path = await pathOf(setup, ["a", "b"]);
      const now = BigInt(await time.latest());
      await time.setNextBlockTimestamp(now + 100n);
      await router.connect(alice).swapExactTokensForTokens(AMOUNTS.a, 0n, path, alice, now + 100n);
      for (const [step, attempt] of [
        router.swapExactTokensForTokens,
        router.swapTokensForExactTokens,
        router.swapTokensForExactETH,
        router.swapExactTokensForETH,
        router.swapExactTokensForTokensSupportingFeeOnTransferTokens,
        router.swapExactTokensForETHSupportingFeeOnTransferTokens,
      ].entries()) {
        const at = now + 200n + BigInt(step);
        await time.setNextBlockTimestamp(at);
        await expect(
          attempt(AMOUNTS.a, MAX_UINT256, path, alice, at - 1n, { gasLimit: 1_000_000n }),
        )
          .to.be.revertedWithCustomError(router, "Router_Expired")
          .withArgs(at - 1n, at);
      }
    });

    it("paths of less than two tokens", async () => {
      const { router, alice } = await load(fixedFee);
      for (const path of [[], await pathOf(setup, ["a"])]) {
        for (const attempt of [
          () => router.swapExactTokensForTokens(5n, 0n, path, alice, FAR_DEADLINE),
          () => router.swapTokensForExactTokens(5n, MAX_UINT256, path, alice, FAR_DEADLINE),
          () =>
            router.swapExactTokensForTokensSupportingFeeOnTransferTokens(
              5n,
              0n,
              path,
              alice,
              FAR_DEADLINE,
            ),
          () => router.getAmountsOut(5n, path),
          () => router.getAmountsIn(5n, path),
        ]) {
          await expect(attempt())
            .to.be.revertedWithCustomError(router, "Router_PathTooShort")
            .withArgs(path.length);
        }
      }
    });

    it("paths between tokens without a pool, at any hop, and from a token to itself", async () => {
      const { router, alice } = await load(fixedFee);
      for (const [names, tokenA, tokenB] of [
        [["a", "c"], "a", "c"],
        [["a", "b", "d"], "b", "d"],
        [["a", "d", "c"], "a", "d"],
        [["a", "b", "c", "weth"], "c", "weth"],
        [["a", "a"], "a", "a"],
        [["a", "b", "b"], "b", "b"],
      ] as const) {
        const path = await pathOf(setup, names);
        const [addressA, addressB] = await pathOf(setup, [tokenA, tokenB]);
        for (const attempt of [
          () => router.swapExactTokensForTokens(10n ** 12n, 0n, path, alice, FAR_DEADLINE),
          () => router.swapTokensForExactTokens(1_003n, MAX_UINT256, path, alice, FAR_DEADLINE),
          () => router.getAmountsOut(10n ** 12n, path),
          () => router.getAmountsIn(1_003n, path),
        ]) {
          await expect(attempt())
            .to.be.revertedWithCustomError(router, "Router_PoolMissing")
            .withArgs(addressA, addressB);
        }
      }
    });

    it("exact outputs over the same pool twice in a row, by the error of that pool", async () => {
      const { router, alice } = await load(fixedFee);
      const path = await pathOf(setup, ["a", "b", "a"]);
      const pool = await poolOf(ethers, setup, "a", "b");
      await expect(
        router.swapTokensForExactTokens(10n ** 15n, MAX_UINT256, path, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroAmount");
    });

    it("itself as the recipient", async () => {
      const { router, routerAddress } = await load(fixedFee);
      const path = await pathOf(setup, ["a", "b"]);
      for (const attempt of [
        router.swapExactTokensForTokens,
        router.swapTokensForExactTokens,
        router.swapExactTokensForTokensSupportingFeeOnTransferTokens,
      ]) {
        await expect(attempt(1_003n, MAX_UINT256, path, router, FAR_DEADLINE))
          .to.be.revertedWithCustomError(router, "Router_InvalidRecipient")
          .withArgs(routerAddress);
      }
    });

    it("callers without the tokens or without an allowance", async () => {
      const { router, tokens, alice } = await load(fixedFee);
      await tokens.a.connect(alice).approve(router, AMOUNTS.a - 1n);
      const path = await pathOf(setup, ["a", "b"]);
      // Solady's `TransferFromFailed()`, which no ABI names.
      await expect(
        router.connect(alice).swapExactTokensForTokens(AMOUNTS.a, 0n, path, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(
        await ethers.getContractAt(["error TransferFromFailed()"], router),
        "TransferFromFailed",
      );
    });
  });

  describe("a path that comes back to a pool later", () => {
    const names = ["a", "b", "weth", "a", "b"] as const;

    it("sells an exact input at what each hop finds", async () => {
      const { router, tokens, alice } = await load(fixedFee);
      const path = await pathOf(setup, names);
      const [, , , quoted] = await quoteOut(ethers, setup, names, AMOUNTS.a);
      const swap = router.connect(alice).swapExactTokensForTokens;
      const amounts = await swap.staticCall(AMOUNTS.a, 0n, path, alice, FAR_DEADLINE);
      expect(amounts[3]).to.equal(quoted);
      const last = amounts[4] ?? 0n;
      await expect(swap(AMOUNTS.a, last, path, alice, FAR_DEADLINE)).to.changeTokenBalance(
        ethers,
        tokens.b,
        alice,
        last,
      );
    });

    it("sells an exact input over the same pool twice in a row, for less than went in", async () => {
      const { router, alice } = await load(fixedFee);
      const path = await pathOf(setup, ["a", "b", "a"]);
      const swap = router.connect(alice).swapExactTokensForTokens;
      const [amountIn = 0n, , amountOut = 0n] = await swap.staticCall(
        10n ** 15n,
        0n,
        path,
        alice,
        FAR_DEADLINE,
      );
      expect(amountOut).to.be.within((amountIn * 993n) / 1000n, amountIn - 1n);
    });

    it("bounds what a cycle pays out, not what it leaves, when the caller receives it", async () => {
      const { router, alice } = await load(fixedFee);
      const path = await pathOf(setup, ["a", "b", "weth", "a"]);
      const amountIn = 10n ** 15n;
      const [, , , amountOut = 0n] = await router
        .connect(alice)
        .swapExactTokensForTokens.staticCall(amountIn, 0n, path, alice, FAR_DEADLINE);
      const swap = router.connect(alice).swapExactTokensForTokensSupportingFeeOnTransferTokens;
      await swap(amountIn, amountOut, path, alice, FAR_DEADLINE);
    });

    it("cannot buy an exact output, which the first visit makes dearer", async () => {
      const { router, alice } = await load(fixedFee);
      const path = await pathOf(setup, names);
      await expect(
        router
          .connect(alice)
          .swapTokensForExactTokens(AMOUNTS.b, MAX_UINT256, path, alice, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(
        await poolOf(ethers, setup, "a", "b"),
        "ConstantProductPool_InvariantBroken",
      );
    });
  });

  describe("views", () => {
    it("name the factory and WETH", async () => {
      const { router, factory, wethAddress } = await load(fixedFee);
      expect(await router.factory()).to.equal(await factory.getAddress());
      expect(await router.WETH()).to.equal(wethAddress);
    });

    it("value an amount at the ratio of two reserves, rounded down", async () => {
      const { router } = await load(fixedFee);
      expect(await router.quote(7n, 3n, 10n)).to.equal(23n);
      expect(await router.quote(10n ** 18n, 3n * 10n ** 18n, 7_000_001n)).to.equal(2_333_333n);
      expect(await router.quote(2n ** 200n, 2n ** 10n, 2n ** 60n)).to.equal(2n ** 250n);
      await expect(router.quote(0n, 3n, 10n)).to.be.revertedWithCustomError(
        await ethers.getContractFactory("Router"),
        "ConstantProductMath_ZeroAmount",
      );
      await expect(router.quote(7n, 0n, 10n))
        .to.be.revertedWithCustomError(
          await ethers.getContractFactory("Router"),
          "ConstantProductMath_ZeroReserve",
        )
        .withArgs(0n, 10n);
    });

    it("pass on what a pool objects to: nothing wanted, or all it has", async () => {
      const { router, alice } = await load(fixedFee);
      const pool = await poolOf(ethers, setup, "a", "b");
      const path = await pathOf(setup, ["a", "b"]);
      const [reserve0, reserve1] = await pool.getReserves();
      const reserve = (await pool.token0()) === path[0] ? reserve1 : reserve0;
      await expect(router.getAmountsIn(0n, path)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductMath_ZeroAmount",
      );
      for (const attempt of [
        () => router.getAmountsIn(reserve, path),
        () => router.swapTokensForExactTokens(reserve, MAX_UINT256, path, alice, FAR_DEADLINE),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(pool, "ConstantProductMath_OutputExceedsReserve")
          .withArgs(reserve, reserve);
      }
    });
  });

  /** Every hop was a swap of the router's that sent its output to the next pool, and no token went to the router. */
  async function expectHops(
    swapped: ReturnType<Fixture["router"]["swapExactTokensForTokens"]>,
    names: readonly TokenName[],
    amounts: readonly bigint[],
    recipient: string,
  ): Promise<void> {
    const { routerAddress, tokens } = setup;
    for (let i = 0; i + 1 < names.length; i++) {
      const pool = await poolOf(ethers, setup, names[i]!, names[i + 1]!);
      const after = names[i + 2];
      const next = after ? await poolOf(ethers, setup, names[i + 1]!, after) : undefined;
      const zeroForOne = (await pool.token0()) === (await tokens[names[i]!].getAddress());
      const [paid, sent] = [amounts[i]!, amounts[i + 1]!];
      await expect(swapped)
        .to.emit(pool, "Swap")
        .withArgs(
          routerAddress,
          zeroForOne ? paid : 0n,
          zeroForOne ? 0n : paid,
          zeroForOne ? 0n : sent,
          zeroForOne ? sent : 0n,
          (await next?.getAddress()) ?? recipient,
        );
    }
    const receipt = await (await swapped).wait();
    const transfer = ethers.id("Transfer(address,address,uint256)");
    const toRouter = receipt!.logs.filter(
      ({ topics }) =>
        topics[0] === transfer && topics[2] === zeroPadValue(routerAddress, 32).toLowerCase(),
    );
    expect(toRouter.length, "transfers to the router").to.equal(0);
  }

  async function poolStates() {
    const states: [bigint, bigint][] = [];
    for (const [nameA, nameB] of [
      ["a", "b"],
      ["b", "c"],
      ["c", "d"],
    ] as const) {
      const [reserve0, reserve1] = await (await poolOf(ethers, setup, nameA, nameB)).getReserves();
      states.push([reserve0, reserve1]);
    }
    return states;
  }
});
