import { measureBallast, measureBallastVariableFee } from "./ballast.ts";
import { type JudgedRow, judge } from "./expectations.ts";
import { measureFloor } from "./floor.ts";
import { GasChain } from "./gasChain.ts";
import { type GasRow, OPERATIONS } from "./rows.ts";
import { deployTokens, type Tokens } from "./tokens.ts";
import { measureUniswapV2 } from "./uniswapV2.ts";
import { measureUniswapV3 } from "./uniswapV3.ts";

/** Systems in the order of the table, rows of an operation. */
const SYSTEMS: readonly ((chain: GasChain, tokens: Tokens) => Promise<GasRow[]>)[] = [
  measureFloor,
  measureBallast,
  measureBallastVariableFee,
  measureUniswapV2,
  measureUniswapV3,
];

/**
 * Measures every operation of every system, each system on a chain of its own. Contracts must be built.
 *
 * @returns rows sorted by operation
 * @throws Error when a transaction reverts or a peer's package is not what it should be
 */
export async function measureGas(): Promise<JudgedRow[]> {
  const rows: GasRow[] = [];
  for (const measure of SYSTEMS) {
    const chain = await GasChain.open();
    try {
      rows.push(...(await measure(chain, await deployTokens(chain))));
    } finally {
      await chain.close();
    }
  }
  return judge(OPERATIONS.flatMap((name) => rows.filter(({ operation }) => operation === name)));
}
