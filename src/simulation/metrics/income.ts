import { type BaseUnits, type QuoteUnits, WAD, type Wad } from "../../units.ts";
import type { LedgersView, ProtocolEvent, SolvencyView } from "../backend.ts";
import type { Decimals } from "./pool.ts";

const PPM = 1_000_000n;

/** What the margin pool took in, by source, quote token units, before what insurance keeps of it. */
export class IncomeMetrics {
  readonly #weight: Wad;
  /** Funding is index (1e18) x base units: divided by this it is quote units. */
  readonly #fundingScale: { readonly numerator: bigint; readonly denominator: bigint };
  #takerFees = 0n;
  #premiums = 0n;
  #hedgeCharges = 0n;
  #penalties = 0n;
  #lpFees = 0n;
  #fundingRaw = 0n;
  #skew: BaseUnits;
  #fundingIndex: bigint;
  #hedgeRatePpm: bigint;

  /** @param weight w, the LPs' target weight of base */
  constructor(solvency: SolvencyView, ledgers: LedgersView, weight: Wad, decimals: Decimals) {
    this.#weight = weight;
    this.#fundingScale = {
      numerator: 10n ** BigInt(decimals.quote),
      denominator: WAD * 10n ** BigInt(decimals.base),
    };
    this.#skew = solvency.skew;
    this.#fundingIndex = ledgers.fundingIndex;
    this.#hedgeRatePpm = solvency.hedgeRatePpm;
  }

  event(event: ProtocolEvent): void {
    switch (event.kind) {
      case "OrderExecuted":
        this.#takerFees += event.takerFee;
        this.#premiums += event.premium;
        this.#hedgeCharges += event.hedgeCharge;
        break;
      case "Liquidated":
        this.#penalties += event.penalty - event.keeperReward;
        break;
      case "SharesDeposited":
        this.#lpFees += mulWadUp(event.assets, this.#lpFeeWad());
        break;
      case "SharesRedeemed": {
        const fee = this.#lpFeeWad();
        this.#lpFees += (event.assets * fee) / (WAD - fee);
        break;
      }
    }
  }

  /** The pool was looked at: what funding brought since the last look went by the skew of then. */
  observe(solvency: SolvencyView, ledgers: LedgersView): void {
    this.#fundingRaw += this.#skew * (ledgers.fundingIndex - this.#fundingIndex);
    this.#fundingIndex = ledgers.fundingIndex;
    this.#skew = solvency.skew;
    this.#hedgeRatePpm = solvency.hedgeRatePpm;
  }

  summary() {
    const { numerator, denominator } = this.#fundingScale;
    return {
      takerFees: this.#takerFees as QuoteUnits,
      premiums: this.#premiums as QuoteUnits,
      hedgeCharges: this.#hedgeCharges as QuoteUnits,
      penalties: this.#penalties as QuoteUnits,
      lpFees: this.#lpFees as QuoteUnits,
      funding: ((this.#fundingRaw * numerator) / denominator) as QuoteUnits,
    };
  }

  /** w phi: what LPs pay to enter and to leave. */
  #lpFeeWad(): Wad {
    return (this.#weight * this.#hedgeRatePpm) / PPM;
  }
}

function mulWadUp(a: bigint, b: bigint): bigint {
  return (a * b + WAD - 1n) / WAD;
}
