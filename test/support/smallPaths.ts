// Paths of a few steps, and a trader who makes them end badly.
import type { Agent } from "../../src/simulation/agents/agent.ts";
import type { PricePath } from "../../src/simulation/paths/pricePath.ts";
import { rescale, WAD } from "../../src/units.ts";
import { PRICE } from "./agentView.ts";

/** A path of closes that are these multiples of 194.61. */
export function pathOf(stepSeconds: number, factors: readonly number[]): PricePath {
  return {
    name: "test",
    startsAt: 1_583_971_200,
    stepSeconds,
    open: PRICE,
    steps: factors.length,
    *bars() {
      for (const factor of factors)
        yield { close: (PRICE * BigInt(Math.round(factor * 1000))) / 1_000n };
    },
  };
}

/** The account after the crowd's. */
export const BULL_ACCOUNT = 40;

/** Buys for 8 % of ten million in each of the first steps, at any price, with plenty of margin. */
export function bullish(trader: number, steps: number): Agent {
  return {
    stages: ["request"],
    act: ({ step, at, price, orders, backend }) => {
      if (step >= steps || orders.has(trader)) return [];
      const notional = 800_000n * WAD;
      return [
        { kind: "depositMargin", trader, amount: rescale(notional, 18, backend.quoteDecimals) },
        {
          kind: "requestOrder",
          trader,
          sizeDelta: (notional * WAD) / price,
          acceptablePrice: 2n * price,
          expiresAt: at + 600,
        },
      ];
    },
  };
}
