// Random calls of a pool, its tokens and its factory: most of them meaningful, many of them refused.
import * as pool from "../../src/model/constantProductPool.ts";
import * as liquidityToken from "../../src/model/liquidityToken.ts";
import { balanceOf } from "../../src/model/token.ts";
import type { Call, ModelTwins, View } from "../support/modelTwins.ts";

const MAX_UINT256 = 2n ** 256n - 1n;
const MAX_RESERVE = 2n ** 112n - 1n;
const PEOPLE = ["alice", "bob", "paul", "pia", "sam"] as const;
type Token = "base" | "quote";

/** A few calls that belong together. */
export function poolCalls(twins: ModelTwins): Call[] {
  const { address, someone, amount, deadline, recipient } = tools(twins);
  const { config, liquidityToken: shares } = twins.world;
  const { reserve0, reserve1 } = twins.world.pool;
  const { baseIsToken0 } = config;
  const from = someone();
  const token: Token = twins.oneOf("base", "quote");
  const tokenIn = twins.chance(97) ? address(token) : twins.oneOf(address("pool"), from);
  const isZeroIn = (token === "base") === baseIsToken0;
  const [reserveIn, reserveOut] = isZeroIn ? [reserve0, reserve1] : [reserve1, reserve0];
  const send = (what: Token, value: bigint): Call => ({
    from,
    to: what,
    method: "transfer",
    args: { to: address("pool"), value },
  });
  const limits = { to: recipient(from), deadline: deadline() };

  switch (twins.random.integer(16)) {
    case 0:
    case 1:
    case 2: {
      const amountIn = amount(reserveIn);
      const quote = orZero(() => pool.getAmountOut(twins.world, tokenIn, amountIn));
      const args = { tokenIn, amountIn, minAmountOut: near(twins, quote, 0n), ...limits };
      return [{ from, to: "pool", method: "swapExactInput", args }];
    }
    case 3:
    case 4: {
      const amountOut = amount(reserveOut);
      const quote = orZero(() => pool.getAmountIn(twins.world, tokenIn, amountOut));
      const args = { tokenIn, amountOut, maxAmountIn: near(twins, quote, MAX_UINT256), ...limits };
      return [{ from, to: "pool", method: "swapExactOutput", args }];
    }
    case 5: {
      const args = { tokenIn, minAmountOut: twins.oneOf(0n, 1n, reserveOut), to: limits.to };
      return [
        ...(twins.chance(85) ? [send(token, amount(reserveIn))] : []),
        { from, to: "pool", method: "swapPrefunded", args },
      ];
    }
    case 6: {
      const amountIn = amount(reserveIn);
      const out = orZero(() => pool.getAmountOut(twins.world, address(token), amountIn));
      const amountOut = near(twins, out, out);
      const [amount0Out, amount1Out] = isZeroIn ? [0n, amountOut] : [amountOut, 0n];
      const back = twins.chance(20) ? amount(reserveIn) : 0n;
      const args = {
        amount0Out: word(amount0Out + (isZeroIn ? back : 0n)),
        amount1Out: word(amount1Out + (isZeroIn ? 0n : back)),
        to: limits.to,
      };
      return [
        ...(twins.chance(90) ? [send(token, word(amountIn + back))] : []),
        { from, to: "pool", method: "swap", args },
      ];
    }
    case 7:
    case 8: {
      const [amount0Desired, amount1Desired] = depositOf(twins);
      const floor = () => (twins.chance(80) ? 0n : amount(reserve0));
      const args = {
        amount0Desired,
        amount1Desired,
        amount0Min: floor(),
        amount1Min: floor(),
        ...limits,
      };
      return [{ from, to: "pool", method: "addLiquidity", args }];
    }
    case 9:
    case 10: {
      const liquidity = amount(liquidityToken.balanceOf(twins.world, from) || shares.totalSupply);
      const floor = () => (twins.chance(85) ? 0n : amount(reserve0));
      const args = { liquidity, amount0Min: floor(), amount1Min: floor(), ...limits };
      return [{ from, to: "pool", method: "removeLiquidity", args }];
    }
    case 11: {
      const [amount0, amount1] = depositOf(twins);
      return [
        send(baseIsToken0 ? "base" : "quote", amount0),
        ...(twins.chance(90) ? [send(baseIsToken0 ? "quote" : "base", amount1)] : []),
        { from, to: "pool", method: "mint", args: { to: limits.to } },
      ];
    }
    case 12: {
      const value = amount(liquidityToken.balanceOf(twins.world, from));
      return [
        { from, to: "pool", method: "transfer", args: { to: address("pool"), value } },
        ...(twins.chance(20) ? [send(token, amount(reserveIn))] : []),
        { from, to: "pool", method: "burn", args: { to: limits.to } },
      ];
    }
    case 13:
      return [
        ...(twins.chance(60) ? [send(token, amount(reserveIn))] : []),
        twins.chance(50)
          ? { from, to: "pool", method: "skim", args: { to: limits.to } }
          : { from, to: "pool", method: "sync", args: {} },
      ];
    case 14:
      return tokenCalls(twins);
    default: {
      const next = twins.oneOf(address("zero"), address("paul"), address("pool"), address("sue"));
      if (twins.chance(15)) {
        // Hands the switch over and takes it back at once.
        const [setter, friend] = [twins.world.factory.feeToSetter, address("bob")];
        const pass = (who: string, newFeeToSetter: string): Call => ({
          from: who,
          to: "factory",
          method: "setFeeToSetter",
          args: { newFeeToSetter },
        });
        return [pass(from, from), pass(setter, friend), pass(setter, setter), pass(friend, setter)];
      }
      const who = twins.chance(80) ? twins.world.factory.feeToSetter : from;
      return [{ from: who, to: "factory", method: "setFeeTo", args: { newFeeTo: next } }];
    }
  }
}

/** What the pool holds grows to the end of 112 bits, or far beyond it. */
export function fillUp(twins: ModelTwins): Call[] {
  const { address } = tools(twins);
  const [from, to] = [address("alice"), address("pool")];
  const give = (token: Token): Call => {
    const room = MAX_RESERVE - balanceOf(twins.world, token, to);
    const amount = twins.oneOf(room - 10n ** 12n, room - 1n, room, room + 1n, 2n ** 255n);
    return { from, to: token, method: "mint", args: { to, amount: amount < 0n ? 1n : amount } };
  };
  return [
    give("base"),
    ...(twins.chance(70) ? [give("quote")] : []),
    twins.oneOf<Call>(
      { from, to: "pool", method: "sync", args: {} },
      { from, to: "pool", method: "mint", args: { to: from } },
      { from, to: "pool", method: "burn", args: { to: from } },
      { from, to: "pool", method: "swap", args: { amount0Out: 1n, amount1Out: 0n, to: from } },
    ),
    ...(twins.chance(50)
      ? [{ from, to: "pool", method: "skim", args: { to: twins.address("sue") } } as const]
      : []),
  ];
}

/** What a client sees of the pool. */
export function poolViews(twins: ModelTwins): View[] {
  const { address, amount } = tools(twins);
  const { pool: of } = twins.deployment.contracts;
  const { reserve0 } = twins.world.pool;
  const tokenIn = address(twins.oneOf("base", "quote"));
  const some = amount(reserve0);
  return [
    { of, name: "observe", args: [], inModel: pool.observe },
    { of, name: "swapFee", args: [], inModel: pool.swapFee },
    { of, name: "getReserves", args: [], inModel: pool.getReserves },
    {
      of,
      name: "getAmountOut",
      args: [tokenIn, some],
      inModel: (world) => pool.getAmountOut(world, tokenIn, some),
    },
    {
      of,
      name: "getAmountIn",
      args: [tokenIn, some],
      inModel: (world) => pool.getAmountIn(world, tokenIn, some),
    },
  ];
}

/** Calls of one of the three tokens; whoever approves mostly has the allowance used at once. */
function tokenCalls(twins: ModelTwins): Call[] {
  const { someone, recipient } = tools(twins);
  const [from, owner] = [someone(), someone()];
  const to = recipient(from);
  const token = twins.oneOf<Token | "pool">("base", "quote", "pool");
  const held =
    token === "pool"
      ? liquidityToken.balanceOf(twins.world, owner)
      : balanceOf(twins.world, token, owner);
  const value = word(twins.oneOf(0n, 1n, held / 3n, held, held + 1n, MAX_UINT256));
  const source = twins.chance(90) ? owner : twins.address("zero");
  const pull: Call = { from, to: token, method: "transferFrom", args: { from: source, to, value } };
  switch (twins.random.integer(3)) {
    case 0:
      return token === "pool" || twins.chance(50)
        ? [{ from, to: token, method: "transfer", args: { to, value } }]
        : [{ from, to: token, method: "mint", args: { to, amount: value } }];
    case 1:
      return [pull];
    default: {
      const allowed = twins.oneOf(value, value / 2n, MAX_UINT256);
      const spender = twins.chance(90) ? from : twins.address("zero");
      return [
        { from: owner, to: token, method: "approve", args: { spender, value: allowed } },
        pull,
        ...(twins.chance(30) ? [pull] : []),
      ];
    }
  }
}

/** Amounts of token0 and token1: around the ratio of the reserves, or anything while there is none. */
function depositOf(twins: ModelTwins): [bigint, bigint] {
  const { amount } = tools(twins);
  const { reserve0, reserve1 } = twins.world.pool;
  const amount0 = amount(reserve0);
  if (reserve0 === 0n || twins.chance(15)) return [amount0, amount(reserve1)];
  const exact = (amount0 * reserve1) / reserve0;
  return [amount0, word(exact + twins.oneOf(-1n, 0n, 0n, 1n, exact / 100n))];
}

/** A limit that a quote just meets, just misses, or that never matters. */
function near(twins: ModelTwins, quote: bigint, never: bigint): bigint {
  return word(twins.oneOf(never, never, never, quote, quote + 1n, quote - 1n));
}

/** The nearest number that a uint256 holds. */
function word(value: bigint): bigint {
  if (value < 0n) return 0n;
  return value > MAX_UINT256 ? MAX_UINT256 : value;
}

function orZero(quote: () => bigint): bigint {
  try {
    return quote();
  } catch {
    return 0n;
  }
}

function tools(twins: ModelTwins) {
  const address = (name: string) => twins.address(name);
  return {
    address,
    someone: () => address(twins.oneOf(...PEOPLE)),
    recipient: (from: string) =>
      twins.chance(85) ? from : address(twins.oneOf("zero", "pool", "base", "quote", "sue", "pia")),
    deadline: () =>
      twins.chance(90) ? MAX_UINT256 : twins.now + BigInt(twins.random.integer(5)) - 2n,
    /** Mostly a part of something, any order of magnitude; sometimes nothing, dust, or far too much. */
    amount: (whole: bigint): bigint => {
      if (twins.chance(10)) {
        return twins.oneOf(
          0n,
          1n,
          2n,
          whole,
          whole + 1n,
          MAX_RESERVE,
          MAX_RESERVE + 1n,
          MAX_UINT256,
        );
      }
      const part =
        (whole || 10n ** 21n) >> BigInt(twins.random.integer(twins.chance(70) ? 10 : 60));
      return word(part - (part * BigInt(twins.random.integer(1_000))) / 2_000n);
    },
  };
}
