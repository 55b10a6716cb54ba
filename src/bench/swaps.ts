import { AMOUNT_IN, WARM_UP_ROUND_TRIPS } from "./conditions.ts";
import { type Call, call, type Deployed, type GasChain } from "./gasChain.ts";
import type { GasRow } from "./rows.ts";
import type { Tokens } from "./tokens.ts";

/** How a system sells `AMOUNT_IN` of the first token for the second, or of the second for the first. */
export type Swap = (firstForSecond: boolean) => Call | Promise<Call>;

/** Swaps there and back until every slot a swap writes has been written before. */
export async function warmUp(chain: GasChain, swap: Swap): Promise<void> {
  for (let trip = 0; trip < WARM_UP_ROUND_TRIPS; trip++) {
    await chain.send(await swap(true));
    await chain.send(await swap(false));
  }
}

/** Gas of a swap in a block of its own, and of the second of two in one block. */
export async function firstAndLater(
  chain: GasChain,
  swap: Swap,
): Promise<{ first: number; later: number }> {
  const first = await chain.measure(await swap(true));
  const later = await chain.measure(await swap(true), await swap(true));
  return { first, later };
}

/** A pair's V2 `swap`, paid for by a minimal caller. The caller is approved and the pair swapped before. */
export async function measureMinimalCaller(
  chain: GasChain,
  system: string,
  caller: Deployed,
  pair: Deployed,
  tokens: Tokens,
  quote: () => Promise<bigint>,
): Promise<GasRow[]> {
  const { first, later } = await firstAndLater(chain, async () => {
    // Less than the pair would give, so that the second in a block is paid for too.
    const amountOut = ((await quote()) * 99n) / 100n;
    return call(caller, "swap", [pair.address, tokens[0].address, AMOUNT_IN, 0n, amountOut]);
  });
  return [
    { operation: "V2 swap by minimal caller, first in block", system, gas: first },
    { operation: "V2 swap by minimal caller, later in block", system, gas: later },
  ];
}
