import { ZeroAddress } from "ethers";
import {
  AMOUNT_IN,
  DEADLINE,
  DEPOSIT_LIMIT_OUT,
  RESERVE_IN,
  RESERVE_OUT,
} from "../bench/conditions.ts";
import { call, type GasChain } from "../bench/gasChain.ts";
import { createPools, FIXED_FEE } from "../bench/pools.ts";
import { warmUp } from "../bench/swaps.ts";
import { approve, type Tokens } from "../bench/tokens.ts";
import type { Row } from "./figures.ts";
import { deployCaller } from "./poolSwaps.ts";

/** Deposits and withdrawals, without the protocol's share of fees and with it. */
export async function measurePoolLiquidity(chain: GasChain, tokens: Tokens): Promise<Row[]> {
  const { user, other } = chain;
  const { factory, pool, next } = await createPools(chain, tokens, FIXED_FEE);
  const [token0, token1, token2] = tokens;
  await approve(chain, pool, token0, token1);
  const caller = await deployCaller(chain, tokens, pool);
  const nextCaller = await deployCaller(chain, [token1, token2, token0], next);
  const amounts = [AMOUNT_IN, DEPOSIT_LIMIT_OUT, 0n, 0n, user, DEADLINE];
  const add = () => chain.measure(call(pool, "addLiquidity", amounts));
  const addBy = () => chain.measure(call(caller, "mint", [AMOUNT_IN, 2n * AMOUNT_IN]));
  const removal = [AMOUNT_IN, 0n, 0n, user, DEADLINE];
  const remove = () => chain.measure(call(pool, "removeLiquidity", removal));
  const removeBy = () => chain.measure(call(caller, "burn", [AMOUNT_IN]));
  const setFeeTo = (to: string) => chain.send(call(factory, "setFeeTo", [to]));
  /** Fees for the liquidity that is there: a share of them is due at its next change. */
  const earnFees = () =>
    warmUp(chain, (there) =>
      call(pool, "swapExactInput", [
        there ? token0.address : token1.address,
        AMOUNT_IN,
        0n,
        user,
        DEADLINE,
      ]),
    );
  const whenDue = async (measure: () => Promise<number>): Promise<number> => {
    await earnFees();
    return measure();
  };

  const first = [RESERVE_IN, RESERVE_OUT, 0n, 0n, user, DEADLINE];
  const rows: Row[] = [
    ["addLiquidity, first deposit", await chain.measure(call(pool, "addLiquidity", first))],
    [
      "mint by minimal caller, first deposit",
      await chain.measure(call(nextCaller, "mint", [RESERVE_IN, RESERVE_OUT])),
    ],
  ];
  await earnFees();
  rows.push(
    ["addLiquidity", await add()],
    ["removeLiquidity", await remove()],
    ["mint by minimal caller", await addBy()],
    ["burn by minimal caller", await removeBy()],
  );
  await setFeeTo(other);
  rows.push(
    ["addLiquidity, protocol fee just on", await add()],
    ["addLiquidity, protocol fee due to new receiver", await whenDue(add)],
    ["addLiquidity, protocol fee due", await whenDue(add)],
    ["addLiquidity, protocol fee on, none due", await add()],
    ["removeLiquidity, protocol fee due", await whenDue(remove)],
    ["removeLiquidity, protocol fee on, none due", await remove()],
    ["mint by minimal caller, protocol fee due", await whenDue(addBy)],
    ["burn by minimal caller, protocol fee due", await whenDue(removeBy)],
  );
  await setFeeTo(ZeroAddress);
  rows.push(["removeLiquidity, protocol fee just off", await remove()]);
  return rows;
}
