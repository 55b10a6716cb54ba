import { expect } from "chai";
import { Signature } from "ethers";
import { network } from "hardhat";
import {
  deployRouter,
  expectNothingHeld,
  FAR_DEADLINE,
  type Fixture,
  MAX_UINT256,
  pathOf,
  poolOf,
} from "./routerFixture.ts";

const { ethers, networkHelpers } = await network.create();
const E18 = 10n ** 18n;

const fixedFee = () => deployRouter(ethers);

describe("Router, ether, liquidity and permits", () => {
  let setup: Fixture;
  beforeEach(async () => {
    setup = await networkHelpers.loadFixture(fixedFee);
  });
  afterEach(() => expectNothingHeld(ethers, setup));

  /** Signs the owner's permit for the router over the LP tokens of a and b. */
  async function permit(value: bigint) {
    const { owner, routerAddress } = setup;
    const pool = await poolOf(ethers, setup, "a", "b");
    const domain = {
      name: await pool.name(),
      version: "1",
      chainId: (await ethers.provider.getNetwork()).chainId,
      verifyingContract: await pool.getAddress(),
    };
    const fields = ["owner", "spender"].map((name) => ({ name, type: "address" }));
    const numbers = ["value", "nonce", "deadline"].map((name) => ({ name, type: "uint256" }));
    const message = {
      owner: owner.address,
      spender: routerAddress,
      value,
      nonce: await pool.nonces(owner),
      deadline: FAR_DEADLINE,
    };
    const signed = await owner.signTypedData(domain, { Permit: [...fields, ...numbers] }, message);
    const { v, r, s } = Signature.from(signed);
    return { pool, v, r, s };
  }

  it("removes liquidity although a stranger has submitted the permit first", async () => {
    const { router, owner, bob, tokens, routerAddress } = setup;
    const liquidity = 12_345_678n;
    const { pool, v, r, s } = await permit(liquidity);
    await pool.connect(bob).permit(owner, routerAddress, liquidity, FAR_DEADLINE, v, r, s);
    const remove = router.connect(owner).removeLiquidityWithPermit;
    const rest = [1n, 1n, bob, FAR_DEADLINE, false, v, r, s] as const;
    await expect(remove(tokens.a, tokens.b, liquidity, ...rest)).to.changeTokenBalance(
      ethers,
      pool,
      owner,
      -liquidity,
    );
  });

  it("refuses a permit for less than is removed, with both numbers", async () => {
    const { router, owner, bob, tokens } = setup;
    const { v, r, s } = await permit(777n);
    const rest = [1n, 1n, bob, FAR_DEADLINE, false, v, r, s] as const;
    await expect(router.connect(owner).removeLiquidityWithPermit(tokens.a, tokens.b, 778n, ...rest))
      .to.be.revertedWithCustomError(router, "Router_PermitRefused")
      .withArgs(0n, 778n);
  });

  it("takes the most of one token to mean as much as matches the other, in both orders", async () => {
    const { router, alice, tokens } = setup;
    for (const [first, second] of [
      [tokens.a, tokens.b],
      [tokens.b, tokens.a],
    ] as const) {
      const amount = first === tokens.a ? E18 : 1_000_003n;
      const args = [first, second, amount, MAX_UINT256, 1n, 1n, alice, FAR_DEADLINE] as const;
      const [used, matched] = await router.connect(alice).addLiquidity.staticCall(...args);
      expect(used).to.equal(amount);
      expect(matched > 0n && matched < 10n ** 30n, `${matched} matched`).to.equal(true);
      await router.connect(alice).addLiquidity(...args);
    }
  });

  it("accepts ether from WETH only", async () => {
    const { alice, routerAddress, router } = setup;
    await expect(alice.sendTransaction({ to: routerAddress, value: 1n }))
      .to.be.revertedWithCustomError(router, "Router_EtherNotFromWeth")
      .withArgs(alice.address);
  });

  it("names who refused ether, and how much", async () => {
    const { router, alice, tokens } = setup;
    const path = await pathOf(setup, ["a", "weth"]);
    const [, amountOut = 0n] = await router.getAmountsOut(E18, path);
    const noReceiver = await tokens.b.getAddress();
    await expect(
      router.connect(alice).swapExactTokensForETH(E18, 1n, path, noReceiver, FAR_DEADLINE),
    )
      .to.be.revertedWithCustomError(router, "Router_EtherRefused")
      .withArgs(noReceiver, amountOut);
  });

  it("refuses to send ether to WETH, where it would be deposited for the router", async () => {
    const { router, alice, wethAddress } = setup;
    const path = await pathOf(setup, ["a", "weth"]);
    await expect(
      router.connect(alice).swapExactTokensForETH(E18, 1n, path, wethAddress, FAR_DEADLINE),
    )
      .to.be.revertedWithCustomError(router, "Router_InvalidRecipient")
      .withArgs(wethAddress);
  });

  it("refuses ether for paths that do not begin, or end, with WETH", async () => {
    const { router, alice, wethAddress, tokens } = setup;
    const path = await pathOf(setup, ["a", "b"]);
    const [a, b] = [await tokens.a.getAddress(), await tokens.b.getAddress()];
    for (const [attempt, token] of [
      [() => router.swapExactETHForTokens(1n, path, alice, FAR_DEADLINE, { value: E18 }), a],
      [() => router.swapETHForExactTokens(1n, path, alice, FAR_DEADLINE, { value: E18 }), a],
      [() => router.swapExactTokensForETH(E18, 1n, path, alice, FAR_DEADLINE), b],
      [() => router.swapTokensForExactETH(1n, E18, path, alice, FAR_DEADLINE), b],
    ] as const) {
      await expect(attempt())
        .to.be.revertedWithCustomError(router, "Router_NotWeth")
        .withArgs(token, wethAddress);
    }
  });

  it("returns the ether that an exact output did not need", async () => {
    const { router, alice, bob } = setup;
    const path = await pathOf(setup, ["weth", "b"]);
    const [needed = 0n] = await router.getAmountsIn(1_000_003n, path);
    await expect(
      router
        .connect(alice)
        .swapETHForExactTokens(1_000_003n, path, bob, FAR_DEADLINE, { value: needed + E18 }),
    ).to.changeEtherBalance(ethers, alice, -needed);
  });
});
