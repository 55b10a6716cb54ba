import { expect } from "chai";
import { getCreate2Address, keccak256, MaxUint256, solidityPacked } from "ethers";
import { network } from "hardhat";
import {
  deployRouters,
  type Effects,
  type Routers,
  TAX_PPM,
  type TokenName,
} from "../support/routerFixture.ts";
import {
  type Exchange,
  factoryCode,
  PAIR_INIT_CODE_HASH,
  pairCode,
  routerCode,
  swapToPriceCode,
  withInitCodeHash,
} from "../support/uniswapV2.ts";
import { FAR_DEADLINE } from "../unit/pool/poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const E18 = 10n ** 18n;
const MILLION = 10n ** 6n;

async function routers() {
  return deployRouters(ethers);
}

/** One use of a function of the router on one exchange. */
type Flow = (f: Routers, exchange: Exchange, name: string) => Promise<Effects>;

const afterTax = (amount: bigint) => amount - (amount * TAX_PPM) / MILLION;

/** Sells or buys `amount` along a path: the quote is what the router returns, what alice pays and what bob gets. */
function trade(amount: bigint, path: TokenName[]): Flow {
  return async ({ act, address, bob }, exchange, name) => {
    const exactIn = name.startsWith("swapExact");
    const [etherIn, etherOut] = [/^swap(Exact)?ETH/.test(name), /For(Exact)?ETH/.test(name)];
    const route = path.map((token) => address[token]);
    const quote = exchange.router.getFunction(exactIn ? "getAmountsOut" : "getAmountsIn");
    const quoted: bigint[] = [...(await quote(amount, route))];
    const [paid, got] = [quoted[0]!, quoted.at(-1)!];
    // exact amount, then bound; ether that is paid goes as the value, with too much of it for an exact output
    const amounts = exactIn ? [paid, got] : [got, paid];
    const args = etherIn ? amounts.slice(exactIn ? 1 : 0, exactIn ? 2 : 1) : amounts;
    const value = etherIn ? (exactIn ? paid : paid + E18) : 0n;
    const effects = await act(exchange, name, [...args, route, bob.address, FAR_DEADLINE], value);
    expect(effects.returned).to.deep.equal(quoted);
    expect(effects.moved).to.deep.equal({
      ...(etherIn ? {} : { [`alice ${path[0]}`]: -paid }),
      [`bob ${etherOut ? "ether" : path.at(-1)}`]: got,
    });
    return effects;
  };
}

/** Sells along a path through pairs of the taxed token: the quote for what arrives, less the tax on what leaves. */
function taxedTrade(amount: bigint, path: TokenName[]): Flow {
  return async ({ act, address, bob }, exchange, name) => {
    const [etherIn, etherOut] = [name.startsWith("swapExactETH"), name.includes("ForETH")];
    const route = path.map((token) => address[token]);
    const arriving = path[0] === "taxed" ? afterTax(amount) : amount;
    const quoted: bigint[] = [
      ...(await exchange.router.getFunction("getAmountsOut")(arriving, route)),
    ];
    const got = path.at(-1) === "taxed" ? afterTax(quoted.at(-1)!) : quoted.at(-1)!;
    const args = [...(etherIn ? [] : [amount]), got, route, bob.address, FAR_DEADLINE];
    const effects = await act(exchange, name, args, etherIn ? amount : 0n);
    expect(effects.moved).to.deep.equal({
      ...(etherIn ? {} : { [`alice ${path[0]}`]: -amount }),
      [`bob ${etherOut ? "ether" : path.at(-1)}`]: got,
    });
    return effects;
  };
}

/** Adds what is desired of two tokens, the second as ether if it is WETH; `pair` is its number. */
function add(a: TokenName, desiredA: bigint, b: TokenName, desiredB: bigint, pair: number): Flow {
  return async ({ act, address, bob }, exchange, name) => {
    const args =
      b === "weth" ? [address[a], desiredA] : [address[a], address[b], desiredA, desiredB];
    const effects = await act(
      exchange,
      name,
      [...args, 1n, 1n, bob.address, FAR_DEADLINE],
      b === "weth" ? desiredB : 0n,
    );
    const [amountA, amountB, liquidity] = effects.returned;
    expect(effects.moved).to.deep.equal({
      [`alice ${a}`]: -amountA!,
      ...(b === "weth" ? {} : { [`alice ${b}`]: -amountB! }),
      [`bob LP ${pair}`]: liquidity,
    });
    return effects;
  };
}

/** Takes a share of alice's liquidity out of a pair, after an approval or with a signature for the amount or for everything. */
function remove(a: TokenName, b: TokenName, pair: number, part: bigint, everything = false): Flow {
  return async ({ act, address, alice, bob, pairsOf, permit }, exchange, name) => {
    const lp = (await pairsOf(exchange))[pair]!;
    const liquidity = (await lp.balanceOf(alice)) / part;
    const ether = name.startsWith("removeLiquidityETH");
    const args: unknown[] = [address[a], ...(ether ? [] : [address[b]]), liquidity, 1n, 1n];
    args.push(bob.address, FAR_DEADLINE);
    if (name.includes("Permit"))
      args.push(...(await permit(exchange, lp, everything ? MaxUint256 : liquidity)));
    else await lp.connect(alice).approve(exchange.router, liquidity);
    const effects = await act(exchange, name, args);
    const left = await lp.allowance(alice, exchange.router);
    expect(left, "allowance left").to.equal(everything ? MaxUint256 : 0n);
    expect(effects.moved[`alice LP ${pair}`]).to.equal(-liquidity);
    if (a === "taxed") {
      expect(effects.moved["bob ether"]).to.equal(effects.returned[0]);
      expect(Object.keys(effects.moved)).to.include("bob taxed").and.have.lengthOf(3);
    } else {
      const [amountA, amountB] = effects.returned;
      expect(effects.moved).to.include({
        [`bob ${a}`]: amountA,
        [`bob ${ether ? "ether" : b}`]: amountB,
      });
      expect(Object.keys(effects.moved)).to.have.lengthOf(3);
    }
    return effects;
  };
}

const toWhole: TokenName[] = ["base", "quote", "whole"];
const flows: Record<string, Flow[]> = {
  addLiquidity: [
    add("base", 7n * E18, "whole", 12_345n, 4),
    add("base", 11n * E18 + 1n, "quote", 9_876_543_210n, 0),
    add("quote", 987_654_321n, "base", 55n * E18, 0),
  ],
  addLiquidityETH: [
    add("quote", 9_876_543n, "weth", 3n * E18 + 7n, 4),
    add("base", 11n * E18, "weth", 77n * E18, 2),
    add("base", 99n * E18, "weth", E18 / 7n, 2),
  ],
  removeLiquidity: [remove("base", "quote", 0, 3n), remove("whole", "quote", 1, 1n)],
  removeLiquidityETH: [remove("base", "weth", 2, 7n)],
  removeLiquidityWithPermit: [remove("base", "quote", 0, 5n), remove("quote", "base", 0, 3n, true)],
  removeLiquidityETHWithPermit: [
    remove("base", "weth", 2, 5n),
    remove("base", "weth", 2, 3n, true),
  ],
  removeLiquidityETHSupportingFeeOnTransferTokens: [remove("taxed", "weth", 3, 3n)],
  removeLiquidityETHWithPermitSupportingFeeOnTransferTokens: [
    remove("taxed", "weth", 3, 5n),
    remove("taxed", "weth", 3, 3n, true),
  ],
  swapExactTokensForTokens: [
    trade(123n * E18 + 1n, ["base", "quote"]),
    trade(1_000_003n, ["quote", "base"]),
    trade(77n * E18, toWhole),
    trade(4_321n, ["whole", "quote", "base"]),
  ],
  swapTokensForExactTokens: [
    trade(1_234_567n, ["base", "quote"]),
    trade(5n * E18 + 3n, ["quote", "base"]),
    trade(999n, toWhole),
    trade(7n * E18, ["whole", "quote", "base"]),
  ],
  swapExactETHForTokens: [
    trade(5n * E18, ["weth", "base"]),
    trade(3n * E18 + 1n, ["weth", ...toWhole]),
  ],
  swapETHForExactTokens: [
    trade(13n * E18, ["weth", "base"]),
    trade(12_345_678n, ["weth", "base", "quote"]),
  ],
  swapExactTokensForETH: [
    trade(17n * E18, ["base", "weth"]),
    trade(876_543_210n, ["quote", "base", "weth"]),
  ],
  swapTokensForExactETH: [
    trade(2n * E18, ["base", "weth"]),
    trade(E18 / 3n, ["quote", "base", "weth"]),
  ],
  swapExactTokensForTokensSupportingFeeOnTransferTokens: [
    taxedTrade(9n * E18, ["taxed", "weth", "base"]),
    taxedTrade(9n * E18, ["base", "weth", "taxed"]),
  ],
  swapExactETHForTokensSupportingFeeOnTransferTokens: [taxedTrade(2n * E18, ["weth", "taxed"])],
  swapExactTokensForETHSupportingFeeOnTransferTokens: [taxedTrade(31n * E18, ["taxed", "weth"])],
};

describe("Uniswap V2's published router on the pools", () => {
  describe("is what was published but for one constant", () => {
    for (const [name, code] of Object.entries({ routerCode, swapToPriceCode })) {
      it(`holds the init code hash of Uniswap V2's pairs once, in ${name}`, async () => {
        const { ballast } = await loadFixture(routers);
        const ours = await ballast.factory.poolInitCodeHash();
        const theirs = PAIR_INIT_CODE_HASH.slice(2);
        const [before, after, ...more] = code.bytecode.split(theirs);
        expect(more).to.have.lengthOf(0);
        expect(withInitCodeHash(code, ours).bytecode).to.equal(`${before}${ours.slice(2)}${after}`);
      });
    }

    it("and that hash is the one of the pairs that the published factory creates", () => {
      expect(factoryCode.bytecode).to.include(pairCode.bytecode.slice(2));
    });

    it("finds every pool where its own formula puts it", async () => {
      const { ballast, pairsOf } = await loadFixture(routers);
      for (const pool of await pairsOf(ballast)) {
        const tokens = [await pool.token0(), await pool.token1()];
        const salt = keccak256(solidityPacked(["address", "address"], tokens));
        const factory = await ballast.factory.getAddress();
        const hash = await ballast.factory.poolInitCodeHash();
        expect(await pool.getAddress()).to.equal(getCreate2Address(factory, salt, hash));
      }
    });
  });

  it("is used with every function that changes something", () => {
    const changing = routerCode.interface.fragments.filter(
      (part) => part.type === "function" && !("constant" in part && part.constant === true),
    );
    const names = changing.map((part) => ("name" in part ? String(part.name) : ""));
    expect(Object.keys(flows).sort()).to.deep.equal(names.sort());
  });

  for (const [name, uses] of Object.entries(flows)) {
    it(`${name} moves what it says, and what it moves on Uniswap V2, also by the project's own router`, async () => {
      const f = await loadFixture(routers);
      for (const [i, use] of uses.entries()) {
        const theirs = await use(f, f.uniswap, name);
        expect(await use(f, f.ballast, name), `use ${i}`).to.deep.equal(theirs);
        expect(await use(f, f.ownRouter, name), `use ${i}, own router`).to.deep.equal(theirs);
      }
    });
  }

  it("refuses the same: bounds one unit too tight, and a deadline that has passed", async () => {
    const { address, alice, bob, ballast, uniswap } = await loadFixture(routers);
    const route = [address.base, address.quote];
    for (const { router } of [ballast, uniswap]) {
      const call = (name: string, ...args: unknown[]) =>
        router.connect(alice).getFunction(name)(...args);
      const [, out] = await call("getAmountsOut", E18, route);
      const [paid] = await call("getAmountsIn", MILLION, route);
      const soon = [route, bob.address, FAR_DEADLINE];
      await expect(call("swapExactTokensForTokens", E18, out + 1n, ...soon)).to.be.revertedWith(
        "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT",
      );
      await expect(
        call("swapTokensForExactTokens", MILLION, paid - 1n, ...soon),
      ).to.be.revertedWith("UniswapV2Router: EXCESSIVE_INPUT_AMOUNT");
      await expect(
        call("swapExactTokensForTokens", E18, out, route, bob.address, 1n),
      ).to.be.revertedWith("UniswapV2Router: EXPIRED");
    }
  });
});
