import { toBeHex } from "ethers";
import { AMOUNT_IN, RESERVE_IN, RESERVE_OUT } from "./conditions.ts";
import { call, compiled, type GasChain } from "./gasChain.ts";
import { FLOOR, type GasRow } from "./rows.ts";
import { approve, type Tokens } from "./tokens.ts";

/** The least a swap can cost: see `contracts/mocks/FloorPool.sol`. */
export async function measureFloor(chain: GasChain, tokens: Tokens): Promise<GasRow[]> {
  const [first, second] = tokens;
  const pool = await chain.deploy(
    await compiled("FloorPool"),
    first.address,
    second.address,
    RESERVE_IN,
    RESERVE_OUT,
  );
  await chain.send(
    call(first, "transfer", [pool.address, RESERVE_IN]),
    call(second, "transfer", [pool.address, RESERVE_OUT]),
  );
  await approve(chain, pool, first);
  const swap = { to: pool, data: toBeHex(AMOUNT_IN, 16) };
  await chain.send(swap);
  const gas = await chain.measure(swap);
  return [{ operation: "swap exact in, first in block", system: FLOOR, gas }];
}
