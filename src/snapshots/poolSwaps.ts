import { AMOUNT_IN, DEADLINE } from "../bench/conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "../bench/gasChain.ts";
import { deployPools, type FeeRule } from "../bench/pools.ts";
import { firstAndLater, type Swap, warmUp } from "../bench/swaps.ts";
import { approve, type Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";

/**
 * Output of every swap that names it: of token1 a quarter less than `AMOUNT_IN` is worth. Amounts are always the same,
 * because a zero byte in one would show in the gas.
 */
const AMOUNT_OUT = (3n * AMOUNT_IN) / 2n;

/** Swaps of every kind, `skim` and `sync`, in a pool that was swapped before. */
export async function measurePoolSwaps(
  chain: GasChain,
  tokens: Tokens,
  fee: FeeRule,
): Promise<Row[]> {
  const { user } = chain;
  const { pool, next } = await deployPools(chain, tokens, fee);
  const [token0, token1, token2] = tokens.map(({ address }) => address);
  const sell = (at: Deployed, tokenIn: unknown) =>
    call(at, "swapExactInput", [tokenIn, AMOUNT_IN, 0n, user, DEADLINE]);
  const buy = (tokenIn: unknown) =>
    call(pool, "swapExactOutput", [tokenIn, AMOUNT_OUT, 3n * AMOUNT_OUT, user, DEADLINE]);
  const caller = await deployCaller(chain, tokens, pool);

  await warmUp(chain, (there) => sell(pool, there ? token0 : token1));
  await warmUp(chain, (there) => sell(next, there ? token1 : token2));
  return [
    ...(await inBlock(chain, "swapExactInput, token0 for token1", () => sell(pool, token0))),
    ...(await inBlock(chain, "swapExactInput, token1 for token0", () => sell(pool, token1))),
    ...(await inBlock(chain, "swapExactOutput, token0 for token1", () => buy(token0))),
    ...(await inBlock(chain, "swapExactOutput, token1 for token0", () => buy(token1))),
    ...(await inBlock(chain, "swapExactInputAcrossTwoPools", () =>
      call(pool, "swapExactInputAcrossTwoPools", [token0, token2, AMOUNT_IN, 0n, user, DEADLINE]),
    )),
    ...(await inBlock(chain, "swapPrefunded by minimal caller", () =>
      call(caller, "swapPrefunded", [AMOUNT_IN]),
    )),
    ...(await inBlock(chain, "swap by minimal caller", () =>
      call(caller, "swap", [AMOUNT_IN, AMOUNT_OUT]),
    )),
    ...(await inBlock(chain, "swap with callback", () =>
      call(caller, "flashSwap", [AMOUNT_IN, AMOUNT_OUT]),
    )),
    ...(await measureSurplus(chain, tokens, pool)),
  ];
}

/** What moves or counts tokens that came without a call. */
async function measureSurplus(chain: GasChain, tokens: Tokens, pool: Deployed): Promise<Row[]> {
  const gift = (token: Deployed) => call(token, "transfer", [pool.address, AMOUNT_IN]);
  const [gift0, gift1] = [gift(tokens[0]), gift(tokens[1])];
  const sync = call(pool, "sync", []);
  return [
    ["skim", await chain.measure(gift0, gift1, call(pool, "skim", [chain.user]))],
    ["sync, first in block", await chain.measure(gift0, gift1, sync)],
    ["sync, later in block", await chain.measure(gift0, sync, gift1, sync)],
  ];
}

/** A caller that may take any amount from the user and has tokens of its own. */
export async function deployCaller(
  chain: GasChain,
  tokens: Tokens,
  pool: Deployed,
): Promise<Deployed> {
  const caller = await chain.deploy(await compiled("MinimalPoolCaller"), pool.address);
  await approve(chain, caller, tokens[0], tokens[1], pool);
  for (const token of tokens)
    await chain.send(call(token, "transfer", [caller.address, 100n * AMOUNT_IN]));
  return caller;
}

/** One row for a call in a block of its own, one for the second of two in one block. */
export async function inBlock(chain: GasChain, name: string, swap: Swap): Promise<Row[]> {
  const { first, later } = await firstAndLater(chain, swap);
  return [
    [`${name}, first in block`, first],
    [`${name}, later in block`, later],
  ];
}
