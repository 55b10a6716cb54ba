import { createRequire } from "node:module";
import type { CurrencyAmount, Token } from "@uniswap/sdk-core";
import type { Pair } from "@uniswap/v2-sdk";
import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { deployRouters } from "../support/routerFixture.ts";
import { PAIR_INIT_CODE_HASH, V2_FEE, wethCode } from "../support/uniswapV2.ts";
import {
  createPool,
  deployFactory,
  FAR_DEADLINE,
  MAX_RESERVE,
  reservesOf,
} from "../unit/pool/poolFixture.ts";
import { ALL, deposit, share } from "./amounts.ts";

// Node cannot import the packages' ECMAScript modules, whose own imports lack extensions.
const require = createRequire(import.meta.url);
const core = require("@uniswap/sdk-core") as typeof import("@uniswap/sdk-core");
const sdk = require("@uniswap/v2-sdk") as typeof import("@uniswap/v2-sdk");

const { ethers, networkHelpers } = await network.create();

const SEED = 0xba11a57;
const RUNS = process.env.BALLAST_DEEP === "1" ? 400 : 24;
const CHAIN_ID = 1;
const DECIMALS = [
  [6n, 18n],
  [18n, 18n],
  [8n, 6n],
  [0n, 18n],
];
/** The first deposit must be worth more liquidity than what gets locked. */
const LEAST_PRODUCT = 1_001n ** 2n - 1n;

/** A pool under construction for every pair of decimals: tokens, and an account that owns plenty of both. */
async function pools() {
  const factory = await deployFactory(ethers, V2_FEE);
  const [alice, bob] = await ethers.getSigners();
  const list = [];
  for (const [decimalsA, decimalsB] of DECIMALS) {
    const tokenA = await ethers.deployContract("MockERC20", ["A", "A", decimalsA]);
    const tokenB = await ethers.deployContract("MockERC20", ["B", "B", decimalsB]);
    const { pool, token0, token1 } = await createPool(ethers, factory, tokenA, tokenB);
    for (const token of [token0, token1]) {
      await token.mint(alice!, 2n ** 120n);
      await token.approve(pool, 2n ** 256n - 1n);
    }
    const known = await Promise.all(
      [token0, token1].map(
        async (token) =>
          new core.Token(CHAIN_ID, await token.getAddress(), Number(await token.decimals())),
      ),
    );
    list.push({
      pool,
      tokens: [token0, token1] as const,
      known: [known[0]!, known[1]!] as const,
      alice: alice!,
      bob: bob!,
    });
  }
  return { factory, list };
}

const amountOf = (token: Token, raw: bigint): CurrencyAmount<Token> =>
  core.CurrencyAmount.fromRawAmount(token, String(raw));
const rawOf = (amount: CurrencyAmount<Token>): bigint => BigInt(amount.quotient.toString());
const reservesIn = (pair: Pair): [bigint, bigint] => [rawOf(pair.reserve0), rawOf(pair.reserve1)];

/** What the SDK answers, or the name of the error it throws. */
function asked<T>(question: () => T): T | string {
  try {
    return question();
  } catch (error) {
    if (error instanceof Error && error.name.startsWith("Insufficient")) return error.name;
    throw error;
  }
}

type Pool = Awaited<ReturnType<typeof pools>>["list"][number];

/** Sells a share of a reserve; the pair as it then is, or why SDK and pool decline. */
async function sell({ pool, tokens, known, bob }: Pool, pair: Pair, side: number, part: bigint) {
  const [tokenIn, tokenOut] = [tokens[side]!, tokens[1 - side]!];
  const reserve = reservesIn(pair)[side]!;
  const wanted = (reserve * part) / ALL + 1n;
  const paid = wanted < MAX_RESERVE - reserve ? wanted : MAX_RESERVE - reserve;
  if (paid === 0n) return "full";
  const answer = asked(() => pair.getOutputAmount(amountOf(known[side]!, paid)));
  if (typeof answer === "string") {
    expect(answer).to.equal("InsufficientInputAmountError");
    expect(await pool.getAmountOut(tokenIn, paid)).to.equal(0n);
    return "too small";
  }
  const out = rawOf(answer[0]);
  expect(await pool.getAmountOut(tokenIn, paid)).to.equal(out);
  const before = await tokenOut.balanceOf(bob);
  await pool.swapExactInput(tokenIn, paid, out, bob, FAR_DEADLINE);
  expect((await tokenOut.balanceOf(bob)) - before).to.equal(out);
  return answer[1];
}

/** Buys a share of a reserve; the pair as it then is, or why the pool declines. */
async function buy(
  { pool, tokens, known, alice, bob }: Pool,
  pair: Pair,
  side: number,
  part: bigint,
) {
  const tokenIn = tokens[1 - side]!;
  const out = (reservesIn(pair)[side]! * part) / ALL + 1n;
  const refused = () => expect(pool.getAmountIn(tokenIn, out)).to.be.revert(ethers);
  const answer = asked(() => pair.getInputAmount(amountOf(known[side]!, out)));
  if (typeof answer === "string") {
    expect(answer).to.equal("InsufficientReservesError");
    await refused();
    return "whole reserve";
  }
  const paid = rawOf(answer[0]);
  if (paid > MAX_RESERVE - reservesIn(pair)[1 - side]!) {
    // where Uniswap V2's pair refuses too, but neither its router's quote nor the SDK's
    await refused();
    return "too large";
  }
  expect(await pool.getAmountIn(tokenIn, out)).to.equal(paid);
  const before = await tokenIn.balanceOf(alice);
  await pool.swapExactOutput(tokenIn, out, paid, bob, FAR_DEADLINE);
  expect(before - (await tokenIn.balanceOf(alice))).to.equal(paid);
  return answer[1];
}

async function pairNow({ pool, known }: Pool): Promise<Pair> {
  const [reserve0, reserve1] = await reservesOf(pool);
  return new sdk.Pair(amountOf(known[0], reserve0), amountOf(known[1], reserve1));
}

const which = fc.nat(DECIMALS.length - 1);
const part = fc.oneof({ weight: 9, arbitrary: share }, { weight: 1, arbitrary: fc.constant(ALL) });
const trade = fc.record({ act: fc.constantFrom("sell", "buy"), side: fc.nat(1), part });
const parameters = { seed: SEED, numRuns: RUNS, includeErrorInReport: true };

describe("Uniswap V2's SDK", () => {
  it("knows the pairs by the same init code hash as the published router", () => {
    expect(sdk.INIT_CODE_HASH).to.equal(PAIR_INIT_CODE_HASH);
  });

  it("quotes every swap as the pool does, and foresees the reserves that the pool then has", async () => {
    const { list } = await pools();
    const snapshot = await networkHelpers.takeSnapshot();
    const seen: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(
        which,
        deposit,
        fc.array(trade, { minLength: 2, maxLength: 8 }),
        async (i, amounts, trades) => {
          fc.pre(amounts[0] * amounts[1] > LEAST_PRODUCT);
          fc.pre(amounts.every((amount) => amount <= MAX_RESERVE));
          await snapshot.restore();
          const { pool, alice } = list[i]!;
          await pool.addLiquidity(...amounts, 0n, 0n, alice, FAR_DEADLINE);
          let pair = await pairNow(list[i]!);
          for (const { act, side, part } of trades) {
            const next = await (act === "sell" ? sell : buy)(list[i]!, pair, side, part);
            const end = typeof next === "string" ? next : act;
            seen[end] = (seen[end] ?? 0) + 1;
            if (typeof next === "string") continue;
            pair = next;
            expect(await reservesOf(pool)).to.deep.equal(reservesIn(pair));
          }
        },
      ),
      parameters,
    );
    console.log(`      ${JSON.stringify(seen)}`);
    expect(seen).to.include.keys("sell", "buy", "too small", "whole reserve");
  });

  it("values deposits as the pool does", async () => {
    const { list } = await pools();
    const snapshot = await networkHelpers.takeSnapshot();
    const seen = { minted: 0, tooSmall: 0 };
    await fc.assert(
      fc.asyncProperty(which, deposit, share, share, async (i, amounts, part0, part1) => {
        await snapshot.restore();
        const { pool, tokens, known, alice } = list[i]!;
        const parts = [(amounts[0] * part0) / ALL, (amounts[1] * part1) / ALL];
        for (const added of [amounts, parts]) {
          fc.pre((await reservesOf(pool)).every((held, j) => held + added[j]! <= MAX_RESERVE));
          const pair = await pairNow(list[i]!);
          const supply = amountOf(pair.liquidityToken, await pool.totalSupply());
          const [a, b] = known.map((token, j) => amountOf(token, added[j]!));
          const answer = asked(() => rawOf(pair.getLiquidityMinted(supply, a!, b!)));
          for (const [j, token] of tokens.entries()) await token.transfer(pool, added[j]!);
          const before = await pool.balanceOf(alice);
          if (typeof answer === "bigint") {
            await pool.mint(alice);
            expect((await pool.balanceOf(alice)) - before).to.equal(answer);
            seen.minted += 1;
          } else {
            expect(answer).to.equal("InsufficientInputAmountError");
            await expect(pool.mint(alice)).to.be.revert(ethers);
            seen.tooSmall += 1;
            return;
          }
        }
      }),
      parameters,
    );
    expect(seen.minted).to.be.greaterThan(0);
    expect(seen.tooSmall).to.be.greaterThan(0);
  });

  it("values withdrawals as the pool does, with the protocol's share of fees off and on", async () => {
    const { factory, list } = await pools();
    const snapshot = await networkHelpers.takeSnapshot();
    let shares = 0;
    await fc.assert(
      fc.asyncProperty(which, deposit, share, fc.boolean(), async (i, amounts, sold, feeOn) => {
        fc.pre(amounts.every((amount) => amount > 1_000n && amount < MAX_RESERVE / 4n));
        await snapshot.restore();
        const { pool, tokens, known, alice, bob } = list[i]!;
        if (feeOn) await factory.setFeeTo(bob);
        await pool.addLiquidity(...amounts, 0n, 0n, alice, FAR_DEADLINE);
        const paid = (amounts[0] * sold) / ALL;
        await tokens[0].transfer(pool, paid);
        await pool.sync();
        const pair = await pairNow(list[i]!);
        const supply = await pool.totalSupply();
        const liquidity = (await pool.balanceOf(alice)) / 2n;
        const kLast = String(await pool.kLast());
        const [all, mine] = [supply, liquidity].map((raw) => amountOf(pair.liquidityToken, raw));
        const worth = known.map((token) =>
          rawOf(pair.getLiquidityValue(token, all!, mine!, feeOn, kLast)),
        );
        const before = await Promise.all(tokens.map((token) => token.balanceOf(bob)));
        await pool.transfer(pool, liquidity);
        await pool.burn(bob);
        const after = await Promise.all(tokens.map((token) => token.balanceOf(bob)));
        expect(after.map((balance, j) => balance - before[j]!)).to.deep.equal(worth);
        if ((await pool.totalSupply()) > supply - liquidity) shares += 1;
      }),
      parameters,
    );
    expect(shares, "times the protocol had a share").to.be.greaterThan(0);
  });

  it("finds routes over the pools and writes calls of the router that give what its trades say", async () => {
    const { ballast, tokens, pairsOf, act, alice, bob } = await deployRouters(ethers);
    const deposit = wethCode.interface.encodeFunctionData("deposit");
    await alice.sendTransaction({ to: tokens.weth, value: 9n * ALL, data: deposit });
    const known = new Map<string, Token>();
    for (const token of [tokens.base, tokens.quote, tokens.whole, tokens.weth]) {
      const at = await token.getAddress();
      known.set(at, new core.Token(CHAIN_ID, at, Number(await token.decimals())));
    }
    const [base, , whole, weth] = [...known.values()];
    const sellable = [amountOf(base!, 12_345n * ALL), amountOf(whole!, 54_321n)];
    const routes: [CurrencyAmount<Token>, Token, "sell" | "buy"][] = [
      [sellable[0]!, whole!, "sell"],
      [sellable[1]!, base!, "sell"],
      [amountOf(weth!, 3n * ALL), whole!, "sell"],
      [amountOf(whole!, 4_321n), base!, "buy"],
      [amountOf(weth!, ALL / 9n), whole!, "buy"],
    ];
    for (const [amount, other, kind] of routes) {
      const pairs: Pair[] = [];
      for (const pool of await pairsOf(ballast)) {
        const [token0, token1] = [known.get(await pool.token0()), known.get(await pool.token1())];
        const [reserve0, reserve1] = await pool.getReserves();
        if (token0 && token1)
          pairs.push(new sdk.Pair(amountOf(token0, reserve0), amountOf(token1, reserve1)));
      }
      const [best] =
        kind === "sell"
          ? sdk.Trade.bestTradeExactIn(pairs, amount, other)
          : sdk.Trade.bestTradeExactOut(pairs, other, amount);
      const { methodName, args, value } = sdk.Router.swapCallParameters(best!, {
        allowedSlippage: new core.Percent(1, 1000),
        recipient: bob.address,
        deadline: Number(FAR_DEADLINE),
      });
      const { moved } = await act(ballast, methodName, args, BigInt(value));
      const [paid, got] = [rawOf(best!.inputAmount), rawOf(best!.outputAmount)];
      expect(Object.values(moved)).to.have.members([-paid, got]);
    }
  });
});
