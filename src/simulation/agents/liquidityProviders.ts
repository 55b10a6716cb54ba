import type { Action, ActionResult, SharesView } from "../backend.ts";
import type { Random } from "../random.ts";
import type { Agent, AgentView, Stage } from "./agent.ts";

const SECONDS_PER_DAY = 86_400;
const SIZE_LOG_DEVIATION = 1;

export interface ProviderHabits {
  /** How often one who is out enters, per day. */
  readonly entriesPerDay: number;
  /** Mean time until one who is in wants to leave, days. */
  readonly meanStayDays: number;
  /** Mean deposit, whole quote tokens; lognormal with deviation 1. */
  readonly meanDepositQuote: number;
}

interface Provider {
  shares: bigint;
  /** Unix seconds; undefined while out. */
  leavesAt: number | undefined;
}

/**
 * Liquidity providers of the margin pool who come and go: each deposits, stays for a random time and then redeems as much
 * as the pool lets out, step by step, until nothing is left. Of a settled pool they take their part in kind.
 */
export class LiquidityProviders implements Agent {
  readonly stages: readonly Stage[] = ["request"];
  readonly actsAfterSettlement = true;
  readonly #providers: Provider[];
  readonly #first: number;
  readonly #habits: ProviderHabits;
  readonly #random: Random;

  /** @param first number of the first of `count` providers */
  constructor(first: number, count: number, habits: ProviderHabits, random: Random) {
    this.#first = first;
    this.#providers = Array.from({ length: count }, () => ({ shares: 0n, leavesAt: undefined }));
    this.#habits = habits;
    this.#random = random;
  }

  async act(view: AgentView): Promise<readonly Action[]> {
    if (view.solvency.riskState === "Settled") return this.#takeInKind();
    const { entriesPerDay, meanStayDays } = this.#habits;
    const entryChance = 1 - Math.exp((-entriesPerDay * view.stepSeconds) / SECONDS_PER_DAY);
    const actions: Action[] = [];
    for (const [index, provider] of this.#providers.entries()) {
      const lp = this.#first + index;
      if (provider.leavesAt === undefined) {
        if (this.#random.uniform() >= entryChance) continue;
        const stay = -Math.log(1 - this.#random.uniform()) * meanStayDays * SECONDS_PER_DAY;
        const size = this.#drawDeposit(view.backend.quoteDecimals);
        if (!view.priceGood) continue;
        const { maxDeposit } = await view.backend.shares(lp);
        const assets = size < maxDeposit ? size : maxDeposit;
        if (assets === 0n) continue;
        provider.leavesAt = view.at + stay;
        actions.push({ kind: "depositShares", lp, assets });
      } else if (view.at >= provider.leavesAt && view.priceGood) {
        const shares = redeemable(await view.backend.shares(lp));
        if (shares > 0n) actions.push({ kind: "redeemShares", lp, shares });
      }
    }
    return actions;
  }

  observe(results: readonly ActionResult[]): void {
    for (const { action, ok, events } of results) {
      if (action.kind === "depositShares" && !ok) {
        const provider = this.#providers[action.lp - this.#first];
        if (provider !== undefined) provider.leavesAt = undefined;
      }
      for (const event of events) {
        if (
          event.kind !== "SharesDeposited" &&
          event.kind !== "SharesRedeemed" &&
          event.kind !== "RedeemedInKind"
        )
          continue;
        const provider = this.#providers[event.lp - this.#first];
        if (provider === undefined) continue;
        provider.shares += event.kind === "SharesDeposited" ? event.shares : -event.shares;
        if (provider.shares === 0n) provider.leavesAt = undefined;
      }
    }
  }

  #takeInKind(): Action[] {
    return this.#providers.flatMap(({ shares }, index): Action[] =>
      shares === 0n ? [] : [{ kind: "redeemInKind", lp: this.#first + index, shares }],
    );
  }

  #drawDeposit(quoteDecimals: number): bigint {
    const location = Math.log(this.#habits.meanDepositQuote) - SIZE_LOG_DEVIATION ** 2 / 2;
    const tokens = Math.exp(location + SIZE_LOG_DEVIATION * this.#random.normal());
    return BigInt(Math.round(tokens)) * 10n ** BigInt(quoteDecimals);
  }
}

/** All that may leave. A limit below all moves with the price until the block is made: a thousandth stays below it. */
function redeemable({ shares, maxRedeem }: SharesView): bigint {
  return maxRedeem >= shares ? shares : (maxRedeem * 999n) / 1_000n;
}
