import { toNumberFast, WAD_DECIMALS } from "../../units.ts";
import type { Action, ActionResult, Eventual } from "../backend.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";

export interface DepthShockHabits {
  /** Fall from the high at which liquidity leaves, 0..1. */
  readonly drawdown: number;
  /** Share of the provider's liquidity that leaves, above 0, below 1. */
  readonly share: number;
  /** Seconds until it comes back. */
  readonly absenceSeconds: number;
}

const PPM = 1_000_000n;

/**
 * Who gave the constant-product pool its first liquidity takes a share of it out in a crash, and brings the same liquidity
 * back later. The next crash counts from the price of the return.
 */
export class DepthShock implements Agent {
  readonly stages: readonly Stage[] = ["request"];
  readonly actsAfterSettlement = true;
  readonly #habits: DepthShockHabits;
  #high = 0;
  #away = 0n;
  #returnsAt = 0;

  /** @throws RangeError for a share that leaves nothing or takes nothing */
  constructor(habits: DepthShockHabits) {
    if (!(habits.share > 0 && habits.share < 1))
      throw new RangeError(`share is ${habits.share}; allowed: above 0, below 1`);
    this.#habits = habits;
  }

  act(view: AgentView): Eventual<readonly Action[]> {
    const price = toNumberFast(view.price, WAD_DECIMALS);
    if (this.#away !== 0n) return view.at < this.#returnsAt ? NO_ACTIONS : this.#return(view);
    this.#high = Math.max(this.#high, price);
    return 1 - price / this.#high < this.#habits.drawdown ? NO_ACTIONS : this.#leave(view);
  }

  observe(results: readonly ActionResult[], view: AgentView): void {
    for (const { action, ok } of results) {
      if (!ok) continue;
      if (action.kind === "removeLiquidity" && action.provider === 0) {
        this.#away = action.liquidity;
        this.#returnsAt = view.at + this.#habits.absenceSeconds;
      }
      if (action.kind === "addLiquidity" && action.provider === 0) {
        this.#away = 0n;
        this.#high = toNumberFast(view.price, WAD_DECIMALS);
      }
    }
  }

  async #leave({ backend }: AgentView): Promise<Action[]> {
    const { liquidity } = await backend.liquidity(0);
    const leaving = (liquidity * BigInt(Math.round(this.#habits.share * 1e6))) / PPM;
    return [{ kind: "removeLiquidity", provider: 0, liquidity: leaving }];
  }

  /** What mints the liquidity that left, rounded up. */
  async #return({ backend }: AgentView): Promise<Action[]> {
    const { reserveBase, reserveQuote } = await backend.pool();
    const { totalLiquidity } = await backend.liquidity(0);
    const part = (reserve: bigint) => (reserve * this.#away) / totalLiquidity + 1n;
    return [
      {
        kind: "addLiquidity",
        provider: 0,
        amountBase: part(reserveBase),
        amountQuote: part(reserveQuote),
      },
    ];
  }
}
