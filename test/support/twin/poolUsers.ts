import type { Address } from "../../../src/model/calls.ts";
import { squareRootDown } from "../../../src/units.ts";
import { FAR, MAX_UINT256, type Scene, type Script, WAD } from "./scene.ts";

type Token = "base" | "quote";

const user = (scene: Scene): Address => scene.someone("poolLps", "keepers", "traders");
const balance = (scene: Scene, token: Token, who: Address): bigint =>
  scene.state[token].balances.get(who) ?? 0n;
const reserve = (scene: Scene, token: Token): bigint => scene.reserves()[token === "base" ? 0 : 1];
const otherOf = (token: Token): Token => (token === "base" ? "quote" : "base");
const deadline = (scene: Scene): bigint =>
  scene.pick([FAR, FAR, FAR, FAR, scene.at, scene.at - 1n, MAX_UINT256]);
const liquidity = (scene: Scene, who: Address): bigint =>
  scene.state.liquidityToken.balances.get(who) ?? 0n;

/** Somebody with LP tokens, if anybody has some. */
function holder(scene: Scene): Address {
  const people = (["paul", "pia", "deployer", "kate"] as const).map((name) => scene.who(name));
  const holders = people.filter((who) => liquidity(scene, who) > 0n);
  return scene.pick(holders.length > 0 ? holders : people);
}

/** A swap of up to two percent of a reserve, sometimes of far more or of nothing, with bounds around its result. */
export function* swap(scene: Scene): Script {
  scene.pause();
  const from = user(scene);
  const token = scene.pick(["base", "quote"] as const);
  const most = reserve(scene, token) / (scene.chance(0.9) ? 50n : 2n);
  const to = scene.chance(0.9) ? from : scene.anywhere();
  const tokenIn = scene.chance(0.97) ? scene.tokenAddress(token) : scene.anywhere();
  if (scene.chance(0.6)) {
    yield scene.call(from, "pool", "swapExactInput", {
      tokenIn,
      amountIn: scene.amount(most),
      minAmountOut: scene.chance(0.8) ? 0n : reserve(scene, otherOf(token)) / 60n,
      to,
      deadline: deadline(scene),
    });
    return;
  }
  const out = reserve(scene, otherOf(token)) / (scene.chance(0.9) ? 50n : 1n);
  yield scene.call(from, "pool", "swapExactOutput", {
    tokenIn,
    amountOut: scene.amount(out),
    maxAmountIn: scene.chance(0.8) ? MAX_UINT256 : most / 2n,
    to,
    deadline: deadline(scene),
  });
}

/** Brings the pool's price to the index, to the edge of the fee. */
export function* arbitrage(scene: Scene): Script {
  const { quoteScale, baseScale } = scene.state.config;
  const [base, quote] = scene.reserves();
  if (base === 0n || scene.price === 0n) return;
  const keep = 1_000_000n - scene.state.pool.history.swapFee;
  const k = base * quote;
  const [up, down] = [scene.price * baseScale, WAD * quoteScale];
  const quoteIn =
    ((squareRootDown((k * up * keep) / (down * 1_000_000n)) - quote) * 1_000_000n) / keep;
  const baseIn =
    ((squareRootDown((k * down * keep) / (up * 1_000_000n)) - base) * 1_000_000n) / keep;
  const from = scene.keeper();
  const trade = { minAmountOut: 0n, to: from, deadline: FAR };
  if (quoteIn > 0n) {
    const tokenIn = scene.tokenAddress("quote");
    yield scene.call(from, "pool", "swapExactInput", { tokenIn, amountIn: quoteIn, ...trade });
  } else if (baseIn > 0n) {
    const tokenIn = scene.tokenAddress("base");
    yield scene.call(from, "pool", "swapExactInput", { tokenIn, amountIn: baseIn, ...trade });
  }
}

/** Pays first, then takes: by the native function or by Uniswap V2's. */
export function* prefunded(scene: Scene): Script {
  scene.pause();
  const from = user(scene);
  const token = scene.pick(["base", "quote"] as const);
  const amountIn = scene.part(reserve(scene, token) / 100n);
  if (scene.chance(0.85)) {
    yield scene.call(from, token, "transfer", { to: scene.who("pool"), value: amountIn });
  }
  const [reserveIn, reserveOut] = [reserve(scene, token), reserve(scene, otherOf(token))];
  if (scene.chance(0.5)) {
    yield scene.call(from, "pool", "swapPrefunded", {
      tokenIn: scene.tokenAddress(token),
      minAmountOut: scene.chance(0.8) ? 0n : reserveOut / 100n,
      to: scene.chance(0.9) ? from : scene.anywhere(),
    });
    return;
  }
  const fee = scene.state.pool.history.swapFee;
  const paid = amountIn * (1_000_000n - fee);
  const fair = reserveIn === 0n ? 0n : (paid * reserveOut) / (reserveIn * 1_000_000n + paid);
  const out = scene.pick([fair, fair, fair + 1n, fair - 1n, reserveOut, 0n, fair / 2n]);
  const amountOut = out < 0n ? 0n : out;
  const baseOut = token === "quote";
  const zeroOut = baseOut === scene.state.config.baseIsToken0;
  yield scene.call(from, "pool", "swap", {
    amount0Out: zeroOut ? amountOut : scene.pick([0n, 0n, 0n, 0n, 1n]),
    amount1Out: zeroOut ? 0n : amountOut,
    to: scene.chance(0.95) ? from : scene.anywhere(),
  });
}

/** Liquidity in, native or Uniswap V2's way. */
export function* addLiquidity(scene: Scene): Script {
  scene.pause();
  const from = scene.someone("poolLps");
  const [base, quote] = scene.reserves();
  const share = BigInt(1 + scene.integer(40_000));
  const some = (token: Token) => {
    const held = token === "base" ? base : quote;
    return held === 0n
      ? scene.quote(10_000)
      : (held * share) / 1_000_000n + BigInt(scene.integer(100));
  };
  if (scene.chance(0.5)) {
    for (const token of ["base", "quote"] as const) {
      if (scene.chance(0.95)) {
        yield scene.call(from, token, "transfer", { to: scene.who("pool"), value: some(token) });
      }
    }
    yield scene.call(from, "pool", "mint", { to: scene.chance(0.9) ? from : scene.anywhere() });
    return;
  }
  const { baseIsToken0 } = scene.state.config;
  const amounts = [
    some("base"),
    scene.chance(0.8) ? some("quote") : scene.amount(quote / 20n),
  ] as const;
  const [amount0Desired, amount1Desired] = baseIsToken0 ? amounts : [amounts[1], amounts[0]];
  yield scene.call(from, "pool", "addLiquidity", {
    amount0Desired,
    amount1Desired,
    amount0Min: scene.chance(0.8) ? 0n : amount0Desired,
    amount1Min: scene.chance(0.8) ? 0n : amount1Desired,
    to: scene.chance(0.9) ? from : scene.anywhere(),
    deadline: deadline(scene),
  });
}

/** Liquidity out, native or Uniswap V2's way. */
export function* removeLiquidity(scene: Scene): Script {
  scene.pause();
  const from = holder(scene);
  const held = liquidity(scene, from);
  const part = scene.amount(scene.chance(0.8) ? held / 20n : held);
  if (scene.chance(0.5)) {
    yield scene.call(from, "pool", "transfer", { to: scene.who("pool"), value: part });
    yield scene.call(scene.keeper(), "pool", "burn", {
      to: scene.chance(0.95) ? from : scene.who("zero"),
    });
    return;
  }
  yield scene.call(from, "pool", "removeLiquidity", {
    liquidity: part,
    amount0Min: scene.chance(0.9) ? 0n : 2n ** 100n,
    amount1Min: 0n,
    to: scene.chance(0.95) ? from : scene.anywhere(),
    deadline: deadline(scene),
  });
}

/** The V2 housekeeping calls, and LP tokens that change hands. */
export function* poolHousekeeping(scene: Scene): Script {
  scene.pause();
  const from = holder(scene);
  const spender = scene.someone("poolLps", "strangers");
  const value = scene.amount(liquidity(scene, from) / 10n);
  yield scene.pick([
    () => scene.call(from, "pool", "skim", { to: from }),
    () =>
      scene.call(from, "pool", "skim", { to: scene.pick([scene.who("zero"), scene.anywhere()]) }),
    () => scene.call(from, "pool", "sync", {}),
    () => scene.call(from, "pool", "approve", { spender, value }),
    () => scene.call(from, "pool", "transfer", { to: scene.anywhere(), value }),
    () => scene.call(spender, "pool", "transferFrom", { from, to: spender, value }),
    () =>
      scene.call(scene.someone("strangers"), "pool", "transferFrom", { from, to: spender, value }),
    () => scene.call(from, "pool", "burn", { to: from }),
    () => scene.call(from, "pool", "mint", { to: from }),
  ])();
}

/** ERC-20 calls of the two tokens. */
export function* tokens(scene: Scene): Script {
  scene.pause();
  const token = scene.pick(["base", "quote"] as const);
  const from = scene.someone("traders", "lps", "strangers");
  const value = scene.amount(balance(scene, token, from) / 1_000n);
  const spender = scene.someone("strangers", "keepers");
  const target = scene.anywhere();
  const zero = scene.who("zero");
  const supply = scene.state[token].totalSupply;
  yield scene.pick([
    () => scene.call(from, token, "approve", { spender: zero, value }),
    () => scene.call(from, token, "mint", { to: zero, amount: value }),
    () => scene.call(from, token, "mint", { to: from, amount: MAX_UINT256 - supply + 1n }),
    () => scene.call(from, token, "transfer", { to: target, value }),
    () => scene.call(from, token, "transfer", { to: target, value }),
    () =>
      scene.call(from, token, "approve", { spender: scene.chance(0.8) ? spender : target, value }),
    () => scene.call(spender, token, "transferFrom", { from, to: target, value }),
    () => scene.call(spender, token, "mint", { to: target, amount: value }),
  ])();
  if (scene.chance(0.5)) {
    yield scene.call(spender, token, "transferFrom", {
      from,
      to: spender,
      value: scene.amount(value),
    });
  }
}

/** More tokens than a reserve or a ledger has room for, and the way back. */
export function* flood(scene: Scene): Script {
  const token = scene.pick(["base", "quote"] as const);
  const from = scene.someone("poolLps");
  const amount = scene.pick([2n ** 112n, 2n ** 128n]);
  yield scene.call(from, token, "mint", { to: from, amount });
  const pool = scene.who("pool");
  const tokenIn = scene.tokenAddress(token);
  const huge = { tokenIn, minAmountOut: 0n, to: from, deadline: FAR };
  yield scene.call(from, "pool", "swapExactInput", {
    ...huge,
    amountIn: 2n ** 112n - 1n - reserve(scene, token) + BigInt(scene.integer(2)),
  });
  yield scene.call(from, token, "transfer", { to: pool, value: 2n ** 112n - 1n });
  yield scene.pick([
    () => scene.call(from, "pool", "sync", {}),
    () => scene.call(from, "pool", "mint", { to: from }),
    () => scene.call(from, "pool", "burn", { to: from }),
    () => scene.call(from, "pool", "swapPrefunded", { tokenIn, minAmountOut: 0n, to: from }),
    () => scene.call(from, "pool", "swap", { amount0Out: 1n, amount1Out: 1n, to: from }),
  ])();
  yield scene.call(from, "pool", "skim", { to: from });
}
