import { GasChain } from "../bench/gasChain.ts";
import { FIXED_FEE, VARIABLE_FEE } from "../bench/pools.ts";
import { deployTokens, type Tokens } from "../bench/tokens.ts";
import { measureFactory } from "./factory.ts";
import { type Figures, figuresOf, type Row, type Snapshot } from "./figures.ts";
import { measureMargin } from "./margin.ts";
import { measureMarginEnd } from "./marginEnd.ts";
import { measureMarginRoles } from "./marginRoles.ts";
import { measurePoolLiquidity } from "./poolLiquidity.ts";
import { measurePoolSwaps } from "./poolSwaps.ts";
import { measurePoolToken } from "./poolToken.ts";
import { measurePoolViews } from "./poolViews.ts";
import { measureRouterLiquidity, measureRouterSwaps } from "./router.ts";

/** The groups of `snapshots/gas.json`: contract, then what its rows have in common. Each runs on a chain of its own. */
const GROUPS: Readonly<Record<string, () => Promise<Figures>>> = {
  "ConstantProductPool, swaps with a fixed fee": onTokens((chain, tokens) =>
    measurePoolSwaps(chain, tokens, FIXED_FEE),
  ),
  "ConstantProductPool, swaps with a variable fee": onTokens((chain, tokens) =>
    measurePoolSwaps(chain, tokens, VARIABLE_FEE),
  ),
  "ConstantProductPool, views with a fixed fee": onTokens((chain, tokens) =>
    measurePoolViews(chain, tokens, FIXED_FEE),
  ),
  "ConstantProductPool, views with a variable fee": onTokens((chain, tokens) =>
    measurePoolViews(chain, tokens, VARIABLE_FEE),
  ),
  "ConstantProductPool, liquidity": onTokens(measurePoolLiquidity),
  "ConstantProductPool, LP token": onTokens(measurePoolToken),
  PoolFactory: onTokens(measureFactory),
  "Router, swaps": onTokens(measureRouterSwaps),
  "Router, liquidity": onTokens(measureRouterLiquidity),
  "MarginPool and Rebalancer": measureMargin,
  "MarginPool and Rebalancer, roles and first liquidity": measureMarginRoles,
  "MarginPool and Rebalancer, deleveraging and settlement": measureMarginEnd,
};

/**
 * Measures gas of every operation: whole transactions, views without what a transaction costs by itself. Contracts must
 * be built.
 *
 * @throws Error when a transaction reverts
 */
export async function measureGasSnapshot(): Promise<Snapshot> {
  const snapshot: Record<string, Figures> = {};
  for (const [group, measure] of Object.entries(GROUPS)) snapshot[group] = await measure();
  return snapshot;
}

/** A group on a chain with three tokens. */
function onTokens(
  measure: (chain: GasChain, tokens: Tokens) => Promise<Row[]>,
): () => Promise<Figures> {
  return async () => {
    const chain = await GasChain.open();
    try {
      return figuresOf(await measure(chain, await deployTokens(chain)));
    } finally {
      await chain.close();
    }
  };
}
