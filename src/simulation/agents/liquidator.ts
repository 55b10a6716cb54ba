import { toNumberFast, WAD_DECIMALS } from "../../units.ts";
import type { Action, Eventual } from "../backend.ts";
import type { Random } from "../random.ts";
import { estimateRisk } from "../riskEstimate.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";
import { pick } from "./executor.ts";
import { actAlways, type GasPolicy, gasCost } from "./gasPolicy.ts";

// What the estimate leaves out, as a share of notional: rounding, and funding at 90 % a year since the position changed,
// twice that because the price may have halved since.
const ROUNDING_DOUBT = 0.001;
const FUNDING_DOUBT = (2 * 0.9) / (365 * 86_400);
/** Least penalty rate, and the most of a penalty that the liquidator is credited (whole quote tokens). */
const LEAST_PENALTY = 0.002;
const REWARD_CAP = 50;

interface Suspect {
  readonly trader: number;
  readonly willing: readonly number[];
}

/**
 * Liquidates positions that are due: those that could be are looked at, those that are get liquidated, by a random one of
 * the liquidators for whom it pays.
 */
export class Liquidators implements Agent {
  readonly stages: readonly Stage[] = ["liquidation"];
  readonly #policies: readonly GasPolicy[];
  readonly #random: Random;

  /** @param policies one per liquidator, by number */
  constructor(random: Random, policies: readonly GasPolicy[] = [actAlways]) {
    this.#policies = policies;
    this.#random = random;
  }

  act(view: AgentView): Eventual<readonly Action[]> {
    const suspects = view.priceGood ? this.#suspects(view) : [];
    return suspects.length === 0 ? NO_ACTIONS : this.#liquidate(suspects, view);
  }

  /** Who could be due, and the liquidators for whom it would pay. */
  #suspects({ accounts, backend, solvency, gasPriceGwei, price: spot, at }: AgentView): Suspect[] {
    const risk = estimateRisk(solvency, backend.quoteDecimals);
    const price = toNumberFast(solvency.indexPrice, WAD_DECIMALS);
    const cost = gasCost("liquidate", gasPriceGwei, spot);
    const suspects: Suspect[] = [];
    for (const account of accounts.open()) {
      const { trader, sizeTokens, entryTokens, collateralTokens, changedAt } = account;
      const notional = Math.abs(sizeTokens) * price;
      const profit = sizeTokens > 0 ? notional - entryTokens : entryTokens - notional;
      const doubt = ROUNDING_DOUBT + FUNDING_DOUBT * (at - changedAt);
      if (collateralTokens + profit > notional * (risk.maintenanceMarginRatio(notional) + doubt))
        continue;
      const reward = Math.min(REWARD_CAP, LEAST_PENALTY * notional);
      const willing = [...this.#policies.keys()].filter((one) =>
        (this.#policies[one] as GasPolicy)(reward, cost),
      );
      if (willing.length > 0) suspects.push({ trader, willing });
    }
    return suspects;
  }

  async #liquidate(suspects: readonly Suspect[], { backend }: AgentView): Promise<Action[]> {
    const actions: Action[] = [];
    for (const { trader, willing } of suspects) {
      if (!(await backend.position(trader)).liquidatable) continue;
      actions.push({ kind: "liquidate", trader, liquidator: pick(willing, this.#random) });
    }
    return actions;
  }
}
