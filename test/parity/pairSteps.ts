// Random operations on a pool with Uniswap V2's functions, in terms of its state when they come up.
import fc from "fast-check";
import { pairCode } from "../support/uniswapV2.ts";
import { ALL, type Amounts, edge, few, OVER_THE_LIMIT, share, side, turned } from "./amounts.ts";

/** As in `MockPairDriver`. */
export const Action = {
  Mint: 0n,
  Burn: 1n,
  Swap: 2n,
  FlashSwap: 3n,
  Donate: 4n,
  SendLiquidity: 5n,
  Skim: 6n,
  Sync: 7n,
  SetFeeTo: 8n,
} as const;
const Quote = { None: 0n, Outputs: 1n, InputsInOtherToken: 2n, InputsInSameToken: 3n } as const;

export type Party = "driver" | "friend" | "feeTo" | "token0" | "token1" | "pool" | "nobody";

/** One operation: amounts are shares of the reserves (1e18 = all) plus what is quoted plus nudges in token units. */
export interface Step {
  kind: string;
  action: bigint;
  quote?: bigint;
  to?: Party;
  shares?: Amounts;
  nudges?: Amounts;
  reenter?: string;
}

/** A step so many seconds after the one before; 0: in the same block. */
export interface Timed extends Step {
  wait: bigint;
}

/** Uniswap V2 lets nearly anybody receive, the pair itself and its tokens too. */
const receiver = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom<Party>("driver", "driver", "friend") },
  { weight: 1, arbitrary: fc.constantFrom<Party>("pool", "token0", "token1") },
);

const pair = pairCode.interface;
const SOMEONE = "0x00000000000000000000000000000000000000ff";
const reentries = [
  pair.encodeFunctionData("mint", [SOMEONE]),
  pair.encodeFunctionData("burn", [SOMEONE]),
  pair.encodeFunctionData("swap", [1n, 0n, SOMEONE, "0x"]),
  pair.encodeFunctionData("skim", [SOMEONE]),
  pair.encodeFunctionData("sync"),
];

type Parts = Omit<Step, "kind">;

/** Pays in one token what is quoted for what is taken of the other or, by the callback, of the same. */
const sell = (which: number) =>
  fc.tuple(share, few, edge, receiver).map(
    ([part, more, off, to]): Parts => ({
      action: Action.Swap,
      quote: Quote.Outputs,
      to,
      shares: turned(which, { in0: part }),
      nudges: turned(which, { in0: more, out1: off }),
    }),
  );
const buy = (which: number) =>
  fc.tuple(share, edge, receiver).map(
    ([part, off, to]): Parts => ({
      action: Action.Swap,
      quote: Quote.InputsInOtherToken,
      to,
      shares: turned(which, { out1: part / 2n }),
      nudges: turned(which, { in0: off }),
    }),
  );
const flash = (quote: bigint) =>
  fc.tuple(side, share, edge).map(
    ([which, part, off]): Parts => ({
      action: Action.FlashSwap,
      quote,
      shares: turned(which, { out0: part / 2n }),
      nudges: turned(
        which,
        quote === Quote.InputsInSameToken ? { in0: off, out0: 1n } : { in1: off, out0: 1n },
      ),
    }),
  );

/** Of one token or of both. */
const gift = fc
  .tuple(share, share, few, few, fc.nat(2))
  .map(([part0, part1, more0, more1, which]) => ({
    shares: { in0: which === 0 ? 0n : part0, in1: which === 1 ? 0n : part1 },
    nudges: { in0: which === 0 ? 0n : more0, in1: which === 1 ? 0n : more1 },
  }));

/** Operations that must succeed now and then. */
const usual: Record<string, [weight: number, parts: fc.Arbitrary<Parts>]> = {
  "mint in ratio": [
    6,
    fc.tuple(share, fc.constantFrom(1n, 1n, 3n), few, receiver).map(([part, times, more, to]) => ({
      action: Action.Mint,
      to,
      shares: { in0: part * times, in1: part * times },
      nudges: { in0: more, in1: more },
    })),
  ],
  "mint out of ratio": [
    4,
    fc.tuple(share, share, few, receiver).map(([part0, part1, more, to]) => ({
      action: Action.Mint,
      to,
      shares: { in0: part0, in1: part1 },
      nudges: { in0: more },
    })),
  ],
  burn: [
    6,
    fc.tuple(share, receiver).map(([part, to]) => ({
      action: Action.Burn,
      to,
      shares: { in0: part },
    })),
  ],
  "send LP tokens ahead": [
    1,
    share.map((part) => ({ action: Action.SendLiquidity, shares: { in0: part / 8n } })),
  ],
  "sell 0": [6, sell(0)],
  "sell 1": [6, sell(1)],
  "buy 1": [4, buy(0)],
  "buy 0": [4, buy(1)],
  "sell both": [
    2,
    fc.tuple(share, share, edge, edge).map(([part0, part1, off0, off1]) => ({
      action: Action.Swap,
      quote: Quote.Outputs,
      to: "driver",
      shares: { in0: part0, in1: part1 },
      nudges: { out0: off0, out1: off1 },
    })),
  ],
  "flash, pay the other": [3, flash(Quote.InputsInOtherToken)],
  "flash, pay the same": [3, flash(Quote.InputsInSameToken)],
  "flash both": [
    3,
    fc.tuple(share, share, edge).map(([part0, part1, off]) => ({
      action: Action.FlashSwap,
      quote: Quote.InputsInSameToken,
      shares: { out0: part0 / 2n, out1: part1 / 2n },
      nudges: { in0: off },
    })),
  ],
  "flash and re-enter": [
    4,
    fc
      .tuple(
        fc.oneof(flash(Quote.InputsInOtherToken), flash(Quote.InputsInSameToken)),
        fc.constantFrom(...reentries),
      )
      .map(([parts, reenter]) => ({ ...parts, reenter })),
  ],
  "flash at the limit of k": [
    2,
    fc.tuple(side, fc.bigInt(1n, 1000n)).map(([which, times]) => ({
      action: Action.FlashSwap,
      nudges: turned(which, { in0: 1000n * times, out0: 997n * times }),
    })),
  ],
  donate: [4, gift.map((amounts) => ({ action: Action.Donate, ...amounts }))],
  skim: [2, receiver.map((to) => ({ action: Action.Skim, to }))],
  "donate and skim": [
    3,
    fc.tuple(gift, receiver).map(([amounts, to]) => ({ action: Action.Skim, to, ...amounts })),
  ],
  sync: [2, fc.constant({ action: Action.Sync })],
  "donate and sync": [2, gift.map((amounts) => ({ action: Action.Sync, ...amounts }))],
  "protocol fee on": [2, fc.constant<Parts>({ action: Action.SetFeeTo, to: "feeTo" })],
  "protocol fee off": [1, fc.constant<Parts>({ action: Action.SetFeeTo, to: "nobody" })],
};

/** Operations that must be refused now and then, and mostly are. */
const unusual: Record<string, [weight: number, parts: fc.Arbitrary<Parts>]> = {
  "take a whole reserve": [
    1,
    fc.tuple(side, few).map(([which, more]) => ({
      action: Action.FlashSwap,
      quote: Quote.InputsInSameToken,
      shares: turned(which, { out0: ALL, in1: ALL }),
      nudges: turned(which, { out0: more }),
    })),
  ],
  "take and pay nothing": [
    1,
    fc.tuple(fc.constantFrom(Action.Swap, Action.FlashSwap), share).map(([action, part]) => ({
      action,
      to: "driver",
      shares: { out1: part / 2n },
      nudges: { out1: 1n },
    })),
  ],
  "pay and take nothing": [
    1,
    share.map((part) => ({ action: Action.Swap, to: "driver", shares: { in0: part } })),
  ],
  "swap to a token": [
    1,
    fc
      .tuple(side, fc.constantFrom<Party>("token0", "token1"))
      .chain(([which, to]) => sell(which).map((parts) => ({ ...parts, to }))),
  ],
  "flash for an account without code": [
    1,
    flash(Quote.InputsInOtherToken).map((parts) => ({ ...parts, to: "friend" })),
  ],
  "send to the zero address": [
    2,
    fc.constantFrom(Action.Mint, Action.Burn, Action.Swap, Action.Skim).map((action) => ({
      action,
      to: "nobody",
      shares: { in0: ALL / 10n, in1: ALL / 10n },
      nudges: { out1: 1n },
    })),
  ],
  "exceed 112 bits": [
    2,
    fc
      .tuple(side, fc.constantFrom(Action.Mint, Action.Swap, Action.Donate, Action.Donate))
      .map(([which, action]) => ({
        action,
        quote: action === Action.Swap ? Quote.Outputs : Quote.None,
        to: "driver",
        nudges: turned(which, { in0: OVER_THE_LIMIT, ...(action === Action.Mint && { in1: 1n }) }),
      })),
  ],
  "mint for nothing": [1, receiver.map((to) => ({ action: Action.Mint, to }))],
  "burn nothing": [1, receiver.map((to) => ({ action: Action.Burn, to }))],
};

export const usualKinds = Object.keys(usual);
export const unusualKinds = Object.keys(unusual);

export const step: fc.Arbitrary<Step> = fc.oneof(
  ...Object.entries({ ...usual, ...unusual }).map(([kind, [weight, parts]]) => ({
    weight,
    arbitrary: parts.map((rest) => ({ kind, ...rest })),
  })),
);

/** Seconds between blocks. */
const wait = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1n, 1n, 12n, 12n, 3_600n) },
  { weight: 1, arbitrary: fc.bigInt(1n, 100_000_000n) },
);

/** Up to five steps, the first some seconds after the block before. */
export const block: fc.Arbitrary<Timed[]> = fc
  .tuple(wait, fc.array(step, { minLength: 1, maxLength: 5 }))
  .map(([first, steps]) => steps.map((each, i) => ({ wait: i === 0 ? first : 0n, ...each })));
