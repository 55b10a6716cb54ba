import { expect } from "chai";
import { network } from "hardhat";
import { type ArbitrageTrade, afterTrade, arbitrageTrade } from "../../src/simulation/arbitrage.ts";
import type { PoolView } from "../../src/simulation/backend.ts";
import { loadScenario, scenarioNames } from "../../src/simulation/loadScenario.ts";
import { pathOfScenario } from "../../src/simulation/paths/pricePath.ts";
import { refine } from "../../src/simulation/paths/refine.ts";
import { squareRootDown, WAD } from "../../src/units.ts";
import { deployV2Factory, V2_FEE } from "../support/uniswapV2.ts";
import { createPool } from "../unit/pool/poolFixture.ts";

const { ethers } = await network.create();

const deep = process.env.BALLAST_DEEP === "1";
const BASE = 18;
const QUOTE = 6;

/** 20 M quote per side at a price. */
function poolAt(price: bigint): PoolView {
  const reserveQuote = 20_000_000n * 10n ** BigInt(QUOTE);
  const reserveBase = (20_000_000n * 10n ** BigInt(BASE) * WAD) / price;
  return { reserveBase, reserveQuote, swapFee: V2_FEE };
}

/** Uniswap V2's library: amountIn 997 y / (1000 x + 997 amountIn). */
function v2Output(amountIn: bigint, reserveIn: bigint, reserveOut: bigint): bigint {
  const withFee = amountIn * 997n;
  return (withFee * reserveOut) / (reserveIn * 1000n + withFee);
}

/** Uniswap V2's liquidity mathematics, `computeProfitMaximizingTrade`, with tokens A the base and B the quote. */
function v2Trade(
  { reserveBase, reserveQuote }: PoolView,
  price: bigint,
): ArbitrageTrade | undefined {
  const truePriceBase = WAD * 10n ** BigInt(BASE);
  const truePriceQuote = price * 10n ** BigInt(QUOTE);
  const sellBase = (reserveBase * truePriceQuote) / reserveQuote < truePriceBase;
  const [numerator, denominator] = sellBase
    ? [truePriceBase, truePriceQuote]
    : [truePriceQuote, truePriceBase];
  const left = squareRootDown(
    (reserveBase * reserveQuote * 1000n * numerator) / (denominator * 997n),
  );
  const right = ((sellBase ? reserveBase : reserveQuote) * 1000n) / 997n;
  return left <= right ? undefined : { sellBase, amountIn: left - right };
}

/** A pool after a trade by Uniswap V2's formula. */
function v2After(
  { reserveBase, reserveQuote, swapFee }: PoolView,
  trade: ArbitrageTrade,
): PoolView {
  const { sellBase, amountIn } = trade;
  return sellBase
    ? {
        reserveBase: reserveBase + amountIn,
        reserveQuote: reserveQuote - v2Output(amountIn, reserveBase, reserveQuote),
        swapFee,
      }
    : {
        reserveBase: reserveBase - v2Output(amountIn, reserveQuote, reserveBase),
        reserveQuote: reserveQuote + amountIn,
        swapFee,
      };
}

const distance = (a: bigint, b: bigint) => (a > b ? a - b : b - a);

/** Prices of a scenario: its bars, and the shorter ones also in blocks of twelve seconds. */
function* pricesOf(name: string): Generator<readonly bigint[], void, undefined> {
  const path = pathOfScenario(loadScenario(name));
  yield Array.from(path.bars(), ({ close }) => close);
  if (path.steps < 1_000) yield Array.from(refine(path, 1).bars(), ({ close }) => close);
}

describe("arbitrage of real paths on the integer pool and on Uniswap V2's formulas", () => {
  for (const name of scenarioNames()) {
    it(`leaves the same reserves after every step of ${name}, to the unit`, () => {
      for (const prices of pricesOf(name)) {
        let ours = poolAt(prices[0] ?? WAD);
        let theirs = ours;
        let trades = 0;
        for (const [step, price] of prices.entries()) {
          const trade = arbitrageTrade(ours, price, BASE, QUOTE);
          if (trade === undefined) continue;
          ours = afterTrade(ours, trade);
          theirs = v2After(theirs, trade);
          trades++;
          if (
            ours.reserveBase !== theirs.reserveBase ||
            ours.reserveQuote !== theirs.reserveQuote
          ) {
            expect.fail(`step ${step}: ${ours.reserveBase} against ${theirs.reserveBase}`);
          }
        }
        expect(trades).to.be.greaterThan(10);
      }
    });

    it(`trades what Uniswap V2's own sizing would in ${name}, to three units`, () => {
      for (const prices of pricesOf(name)) {
        let pool = poolAt(prices[0] ?? WAD);
        for (const [step, price] of prices.entries()) {
          const ours = arbitrageTrade(pool, price, BASE, QUOTE);
          const theirs = v2Trade(pool, price);
          // Roots and quotients are rounded down at different places.
          if (distance(ours?.amountIn ?? 0n, theirs?.amountIn ?? 0n) > 3n) {
            expect.fail(`step ${step}: ${ours?.amountIn} against ${theirs?.amountIn}`);
          }
          if (ours === undefined) continue;
          if (theirs !== undefined) expect(theirs.sellBase).to.equal(ours.sellBase);
          pool = afterTrade(pool, ours);
        }
      }
    });
  }

  for (const name of deep ? scenarioNames() : ["black-thursday-2020-03"]) {
    it(`leaves the same reserves in the published pair after every step of ${name}`, async () => {
      const [trader] = await ethers.getSigners();
      const scenario = loadScenario(name);
      const tokens = await Promise.all(
        [BASE, QUOTE].map((decimals) => ethers.deployContract("MockERC20", ["T", "T", decimals])),
      );
      const [base, quote] = tokens as [(typeof tokens)[number], (typeof tokens)[number]];
      const factory = await deployV2Factory(ethers);
      const { pool: pair, poolAddress, token0 } = await createPool(ethers, factory, base, quote);
      const baseFirst = (await token0.getAddress()) === (await base.getAddress());

      let pool = poolAt(scenario.open);
      await base.mint(poolAddress, pool.reserveBase);
      await quote.mint(poolAddress, pool.reserveQuote);
      await pair.mint(trader!.address);
      let trades = 0;
      for (const price of scenario.close) {
        const trade = arbitrageTrade(pool, price, BASE, QUOTE);
        if (trade === undefined) continue;
        const after = afterTrade(pool, trade);
        const out = trade.sellBase
          ? pool.reserveQuote - after.reserveQuote
          : pool.reserveBase - after.reserveBase;
        await (trade.sellBase ? base : quote).mint(poolAddress, trade.amountIn);
        const zeroForOne = trade.sellBase === baseFirst;
        const outputs = (amount: bigint) =>
          zeroForOne ? ([0n, amount] as const) : ([amount, 0n] as const);
        // One unit more is refused: what the integer pool pays is all that the pair would.
        if (trades === 0) {
          await expect(pair.swap(...outputs(out + 1n), trader!.address, "0x")).to.be.revertedWith(
            "UniswapV2: K",
          );
        }
        await pair.swap(...outputs(out), trader!.address, "0x");
        pool = after;
        trades++;
        const [reserve0, reserve1] = await pair.getReserves();
        const reserves = baseFirst ? [reserve0, reserve1] : [reserve1, reserve0];
        expect(reserves).to.deep.equal([pool.reserveBase, pool.reserveQuote]);
      }
      expect(trades).to.be.greaterThan(50);
    });
  }
});
