import { readFileSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import {
  deployBallast,
  deployCode,
  swapToPriceCode,
  wethCode,
  withInitCodeHash,
} from "../support/uniswapV2.ts";
import {
  createPool,
  deployPool,
  FAR_DEADLINE,
  fund,
  reservesOf,
} from "../unit/pool/poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

/** Figures are decimal strings; `args` and `reserves` are lists of them. */
type Case = { args?: string[]; reserves?: string[] } & Partial<
  Record<
    | "op"
    | "fn"
    | "out"
    | "side"
    | "truePrice"
    | "locked"
    | "totalSupply"
    | "to_minter"
    | "kept_in_pool_token0"
    | "kept_in_pool_token1"
    | "reserve0"
    | "reserve1"
    | "amount0"
    | "amount1"
    | "amountA"
    | "amountB"
    | "amountIn"
    | "amountOut",
    string
  >
>;

const { groups } = JSON.parse(
  readFileSync(new URL("../vectors/uniswap_v2.json", import.meta.url), "utf8"),
) as { groups: Record<"mint_burn" | "library" | "swap_to_price" | "v2_sdk", { cases: Case[] }> };

/** The case of a group that has this value in its field `op` or `fn`. */
function caseOf(group: keyof typeof groups, name: string): Case {
  const found = groups[group].cases.find(({ op, fn }) => op === name || fn === name);
  if (found === undefined) throw new Error(`no case ${name} in ${group}`);
  return found;
}

const empty = () => deployPool(ethers, { empty: true });

async function poolWith(reserve0: bigint, reserve1: bigint) {
  const setup = await loadFixture(empty);
  await setup.token0.transfer(setup.pool, reserve0);
  await setup.token1.transfer(setup.pool, reserve1);
  await setup.pool.mint(setup.alice);
  return setup;
}

/** Swaps of `test/vectors/uniswap_v2.json` up to the limit of k are in the unit tests of the pool; the rest is here. */
describe("Uniswap V2's own figures, on the pool", () => {
  it("of a first deposit and of its complete withdrawal", async () => {
    const minted = caseOf("mint_burn", "first mint");
    const { pool, alice, bob } = await poolWith(BigInt(minted.amount0!), BigInt(minted.amount1!));
    expect(await pool.totalSupply()).to.equal(BigInt(minted.totalSupply!));
    expect(await pool.balanceOf(alice)).to.equal(BigInt(minted.to_minter!));

    const burned = caseOf("mint_burn", "removeLiquidity via router after adding 1e18/4e18");
    await pool.connect(alice).transfer(pool, await pool.balanceOf(alice));
    await pool.burn(bob);
    expect(await reservesOf(pool)).to.deep.equal([
      BigInt(burned.kept_in_pool_token0!),
      BigInt(burned.kept_in_pool_token1!),
    ]);
    expect(await pool.totalSupply()).to.equal(BigInt(minted.locked!));
  });

  it("of the router's quotes, for reserves that a pool can have", async () => {
    const [amountIn, reserves] = caseOf("library", "getAmountsOut").args!;
    expect(reserves).to.equal("pool 10000/10000");
    const even = await poolWith(10_000n, 10_000n);
    expect(await even.pool.getAmountOut(even.token0, BigInt(amountIn!))).to.equal(
      BigInt(caseOf("library", "getAmountsOut").out!),
    );

    const { args, out } = caseOf("library", "getAmountIn");
    const [amountOut, reserveIn, reserveOut] = [...args!].map(BigInt);
    const uneven = await poolWith(reserveIn!, reserveOut!);
    expect(await uneven.pool.getAmountIn(uneven.token0, amountOut!)).to.equal(BigInt(out!));
  });

  it("of the SDK's deposits, the least that mints and one that does not", async () => {
    const [least, uneven] = groups.v2_sdk.cases.filter(({ fn }) => fn === "getLiquidityMinted");
    const { pool, alice } = await poolWith(BigInt(least!.amountA!), BigInt(least!.amountB!));
    expect(await pool.balanceOf(alice)).to.equal(BigInt(least!.out!));
    expect(uneven!.out).to.equal("error: insufficient");
    await expect(poolWith(BigInt(uneven!.amountA!), BigInt(uneven!.amountB!))).to.be.revert(ethers);
  });

  it("of the SDK's swaps", async () => {
    const { reserves, amountIn, out } = caseOf("v2_sdk", "getOutputAmount");
    const [reserve0, reserve1] = [...reserves!].map(BigInt);
    const small = await poolWith(reserve0!, reserve1!);
    await small.token0.transfer(small.pool, BigInt(amountIn!));
    await small.pool.swap(0n, BigInt(out!), small.bob, "0x");

    const e18 = 10n ** 18n;
    const large = await poolWith(5n * e18, 10n * e18);
    await large.token0.transfer(large.pool, e18);
    const most = BigInt(caseOf("v2_sdk", "trade 1e18 in on 5e18/10e18").out!);
    await large.pool.swap(0n, most, large.bob, "0x");
    expect(await reservesOf(large.pool)).to.deep.equal([6n * e18, 10n * e18 - most]);
  });

  for (const { truePrice, reserve0, reserve1, side, amountIn, amountOut } of groups.swap_to_price
    .cases) {
    it(`of arbitrage to the price ${truePrice}, by the published example contract`, async () => {
      const [deployer, , bob] = await ethers.getSigners();
      const weth = await (await deployCode(ethers, wethCode)).getAddress();
      const { factory, router } = await deployBallast(ethers, weth);
      const arbitrageur = await deployCode(
        ethers,
        withInitCodeHash(swapToPriceCode, await factory.poolInitCodeHash()),
        await factory.getAddress(),
        await router.getAddress(),
      );
      const tokenA = await ethers.deployContract("MockERC20", ["A", "A", 18n]);
      const tokenB = await ethers.deployContract("MockERC20", ["B", "B", 18n]);
      const { pool, token0, token1 } = await createPool(ethers, factory, tokenA, tokenB);
      for (const token of [tokenA, tokenB])
        await fund(ethers, token, await arbitrageur.getAddress());
      const reserves = [BigInt(reserve0!), BigInt(reserve1!)] as const;
      await token0.transfer(pool, reserves[0]);
      await token1.transfer(pool, reserves[1]);
      await pool.mint(deployer!);

      const prices = truePrice!.split(":").map(BigInt);
      const most = 2n ** 256n - 1n;
      await arbitrageur.getFunction("swapToPrice")(
        ...[token0, token1, ...prices, most, most, bob!.address, FAR_DEADLINE],
      );
      const [sold, bought] = [BigInt(amountIn!), BigInt(amountOut!)];
      expect(await reservesOf(pool)).to.deep.equal(
        side === "token0 in"
          ? [reserves[0] + sold, reserves[1] - bought]
          : [reserves[0] - bought, reserves[1] + sold],
      );
    });
  }
});
